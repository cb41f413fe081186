"""`tunesmith run`: the whole job."""

from __future__ import annotations

from tunesmith.cli.arguments import (
    Arguments,
    AsJson,
    Base,
    Data,
    DryRun,
    Output,
    Resume,
    request,
)


def command(
    arguments: Arguments = None,
    base: Base = None,
    data: Data = None,
    output: Output = None,
    resume: Resume = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Check the data, train, evaluate and report: the whole job."""
    from tunesmith import pipeline
    from tunesmith.cli import show

    asked = request(arguments, base, data, output)
    if dry_run:
        show.dry_run(pipeline.plan(asked, show.VOICE), as_json=as_json)
        return
    run = pipeline.run_stages(asked, resume=resume, voice=show.VOICE)
    show.finished(run, as_json=as_json)
    pipeline.enforce_gates(run)
