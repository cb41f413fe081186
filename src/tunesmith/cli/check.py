"""`tunesmith check`: the data, before it costs anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.arguments import Arguments, AsJson, Base, Data, DryRun, Output, request

Rules = Annotated[
    str | None,
    typer.Option("--rules", help="Look for these rules only: names with commas between."),
]
ListRules = Annotated[
    bool, typer.Option("--list-rules", help="Show every rule, its severity and limit; stop.")
]
Sarif = Annotated[
    bool, typer.Option("--sarif", help="Print SARIF 2.1.0 on stdout, which code hosts show.")
]


def command(
    arguments: Arguments = None,
    base: Base = None,
    data: Data = None,
    output: Output = None,
    rules: Rules = None,
    list_rules: ListRules = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    sarif: Sarif = False,
) -> None:
    """Check the data; with a base also tokens, masks and truncation.

    With --output, audit.json, audit.html and audit.sarif are written there. The exit code is
    3 where a finding blocks training, and 2 where a file cannot be read.
    """
    from tunesmith import pipeline
    from tunesmith.cli import show
    from tunesmith.data.audit.sarif import sarif_of
    from tunesmith.data.prepared import refuse_blocked

    if list_rules:
        show.rules(as_json=as_json)
        return
    asked = request(_with_rules(arguments, rules), base, data, output)
    if dry_run:
        show.dry_run(pipeline.plan(asked, show.VOICE), as_json=as_json)
        return
    report = pipeline.check(asked, show.VOICE)
    if output is not None:
        pipeline.write_audit(report.audit, Path(output))
    if sarif:
        show.as_object(sarif_of(report.audit))
    else:
        show.check(report, as_json=as_json)
    refuse_blocked(report.audit)


def _with_rules(arguments: list[str] | None, rules: str | None) -> list[str] | None:
    """`--rules a,b` is short for the override `audit.rules=["a", "b"]`."""
    if rules is None:
        return arguments
    names = [name.strip() for name in rules.split(",") if name.strip()]
    return [*(arguments or []), f"audit.rules={json.dumps(names)}"]
