"""What `train` and `run` do with what they are asked."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith import pipeline
from tunesmith.cli import show
from tunesmith.ranks import ranks_here
from tunesmith.recipe import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How the stages are done."""

    resume: bool
    dry_run: bool
    as_json: bool


def do(asked: Request, manner: Manner, until: str) -> None:
    """Do the stages to `until` and show the run, or show what would be done."""
    first = ranks_here().is_first
    if manner.dry_run:
        if not first:
            return
        show.dry_run(pipeline.plan(asked, show.VOICE), as_json=manner.as_json)
        return
    run = pipeline.run_stages(asked, resume=manner.resume, voice=show.VOICE, until=until)
    if not first:
        return
    show.finished(run, as_json=manner.as_json)
    pipeline.enforce_gates(run)
