"""`tunesmith check`: the data, before it costs anything."""

from __future__ import annotations

from tunesmith.cli.arguments import Arguments, AsJson, Base, Data, DryRun, Output, request


def command(
    arguments: Arguments = None,
    base: Base = None,
    data: Data = None,
    output: Output = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Check the data; with a base also tokens, masks and truncation."""
    from tunesmith import pipeline
    from tunesmith.cli import show

    asked = request(arguments, base, data, output)
    if dry_run:
        show.dry_run(pipeline.plan(asked, show.VOICE), as_json=as_json)
        return
    report = pipeline.check(asked, show.VOICE)
    show.check(report, as_json=as_json)
    pipeline.refuse_blocked(report.audit)
