"""The page of all rules, made from the checks: `python -m tunesmith.data.audit.reference`.

| rule | severity | limit | why | fix |
|---|---|---|---|---|
| `email` | warn | | A model repeats what it is trained on ... | replace it ... |
"""

from __future__ import annotations

import sys

from tunesmith import plugins
from tunesmith.data.audit.contracts import Rule
from tunesmith.data.audit.inspection import check_called

_HEAD = """<!-- Written by `make schema`; do not edit. -->
# Rules of the audit

What `tunesmith check` looks for, by check. A severity can be changed in the recipe
(`audit: {severities: {RULE: block | warn | info | off}}`), and so can a limit
(`audit: {limits: {RULE: NUMBER}}`); see [the guide](audit.md).
"""


def build_rules() -> str:
    """Markdown, a table a check."""
    tables = [_table(name) for name in plugins.names("checks")]
    return "\n".join([_HEAD, *tables])


def _table(name: str) -> str:
    check = check_called(name)
    lines = [
        f"## {name.replace('_', ' ')}",
        "",
        "| rule | severity | why it matters | what to do | limit |",
        "|---|---|---|---|---|",
    ]
    for rule, described in sorted(check.RULES.items()):
        cells = (
            f"`{rule}`",
            described.severity,
            described.why,
            described.fix,
            _limit(described),
        )
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join([*lines, ""])


def _limit(rule: Rule) -> str:
    return "" if rule.limit is None else f"{rule.limit:g}: {rule.limit_is}"


if __name__ == "__main__":
    sys.stdout.write(build_rules())
