"""`tunesmith report`: write a run's report again."""

from __future__ import annotations

from tunesmith.cli.arguments import AsJson, RunFolder


def command(run: RunFolder, as_json: AsJson = False) -> None:
    """Write report.html and the model card of a run."""
    from tunesmith import pipeline
    from tunesmith.cli import show

    show.finished(pipeline.report_again(run), as_json=as_json)
