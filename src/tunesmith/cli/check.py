"""`tunesmith check`: the data, before it costs anything."""

from __future__ import annotations

from pathlib import Path

from tunesmith.cli.arguments import Arguments, AsJson, Base, Data, DryRun, Output, request


def command(
    arguments: Arguments = None,
    base: Base = None,
    data: Data = None,
    output: Output = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Check the data; with a base also tokens, masks and truncation.

    With --output the audit is written there as audit.json.
    """
    from tunesmith import pipeline
    from tunesmith.cli import show
    from tunesmith.data.prepared import refuse_blocked
    from tunesmith.runs.directory import new_folder
    from tunesmith.runs.documents import write_json

    asked = request(arguments, base, data, output)
    if dry_run:
        show.dry_run(pipeline.plan(asked, show.VOICE), as_json=as_json)
        return
    report = pipeline.check(asked, show.VOICE)
    if output is not None:
        write_json(new_folder(Path(output)) / "audit.json", report.audit.as_json())
    show.check(report, as_json=as_json)
    refuse_blocked(report.audit)
