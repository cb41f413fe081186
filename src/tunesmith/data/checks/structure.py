"""Rows that cannot be used, or whose turns make no sense."""

from __future__ import annotations

from collections.abc import Iterable

from tunesmith.contracts import JsonObject
from tunesmith.data.audit.contracts import AuditRow, Found, Ground, Rule
from tunesmith.data.audit.rows import Rows

RULES = {
    "unusable_row": Rule(
        severity="block",
        why="The row cannot be learnt from as it is.",
        fix="correct the row, or remove it",
    ),
}


def begin(ground: Ground) -> Structure:
    """The check."""
    return Structure()


class Structure:
    """Looks at the turns of each row."""

    def see(self, row: AuditRow) -> Iterable[Found]:
        """Nothing yet."""
        return ()

    def finish(self, rows: Rows) -> Iterable[Found]:
        """Nothing."""
        return ()

    def statistics(self) -> JsonObject:
        """Nothing."""
        return {}
