"""`tunesmith eval`: measure a run's model again."""

from __future__ import annotations

from typing import Annotated

import typer

from tunesmith.cli.arguments import AsJson, RunFolder


def command(
    run: RunFolder,
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE ...]", help="Such as evaluate.max_rows=50."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure base and tuned model of a run, and write evaluation.json."""
    from tunesmith import pipeline
    from tunesmith.cli import show

    evaluated = pipeline.evaluate_again(run, tuple(overrides or ()), voice=show.VOICE)
    show.finished(evaluated, as_json=as_json)
    pipeline.enforce_gates(evaluated)
