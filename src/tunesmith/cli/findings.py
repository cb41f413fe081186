"""What an audit found, for a terminal: a paragraph a rule, the gravest first.

block  leak: 5 rows
the held-out row is also trained on
test.jsonl:3 and train.jsonl:16; test.jsonl:4 and train.jsonl:17; 3 more
why: What is measured on rows that were trained on says nothing.
fix: remove it from one of the two files
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from tunesmith.contracts import Audit, Finding

PLACES = 3
"""Places of a rule that are shown."""
_STYLE = {"block": "bold red", "warn": "yellow", "info": "cyan"}


def findings_by_rule(audit: Audit) -> Iterator[RenderableType]:
    """A heading and a body for each rule and severity."""
    grouped: dict[tuple[str, str], list[Finding]] = {}
    for finding in audit.findings:
        grouped.setdefault((finding.severity, finding.rule), []).append(finding)
    for (severity, rule), findings in grouped.items():
        alone = sum(1 for _, other in grouped if other == rule) == 1
        count = audit.counts[rule] if alone else len(findings)
        heading = Text("\n").append(f"{severity:<7}", style=_STYLE[severity])
        heading.append(rule, style="bold")
        if findings[0].file:
            heading.append(f": {count:,} row{'s' * (count != 1)}")
        yield heading
        yield Padding(_body(audit, findings, count), (0, 0, 0, 7))


def _body(audit: Audit, findings: list[Finding], count: int) -> Text:
    placed = [one for one in findings if one.file]
    messages = list(dict.fromkeys(one.message for one in findings))
    lines = [Text(message) for message in messages[: 1 if placed else PLACES]]
    if placed:
        shown = "; ".join(_place(one) for one in placed[:PLACES])
        more = f"; {count - PLACES:,} more" if count > PLACES and len(placed) > 1 else ""
        lines.append(Text(f"{shown}{more}", style="dim"))
    quoted = next((one.excerpt for one in findings if one.excerpt), "")
    if quoted:
        lines.append(Text(f"such as: {quoted}", style="dim"))
    first = findings[0]
    described = audit.rules.get(first.rule)
    if first.severity != "info":
        if isinstance(described, dict):
            lines.append(Text(f"why: {described['why']}"))
        lines.append(Text(f"fix: {first.fix}"))
    return Text("\n").join(lines)


def _place(finding: Finding) -> str:
    """`train.jsonl:3`, and what it is compared with; the folders stand in the table above."""
    name = Path(finding.file).name
    place = f"{name}:{finding.line}" if finding.line else name
    return f"{place} and {Path(finding.other).name}" if finding.other else place
