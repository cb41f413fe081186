"""Held-out rows that are also trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from tunesmith.contracts import JsonObject
from tunesmith.data.audit.contracts import AuditRow, Found, Ground, Rule
from tunesmith.data.audit.rows import Rows

RULES = {
    "leak": Rule(
        severity="block",
        why="What is measured on rows that were trained on says nothing.",
        fix="remove it from one of the two files",
    ),
}


def begin(ground: Ground) -> Leaks:
    """The check."""
    return Leaks()


class Leaks:
    """Compares the two sides of the split."""

    def see(self, row: AuditRow) -> Iterable[Found]:
        """Nothing: the split is not known yet."""
        return ()

    def finish(self, rows: Rows) -> Iterator[Found]:
        """Rows that stand on both sides."""
        trained = np.flatnonzero(~rows.is_held_out_E)
        found, first = np.unique(rows.digests_E[trained], return_index=True)
        held_out = np.flatnonzero(rows.is_held_out_E)
        for index in held_out[np.isin(rows.digests_E[held_out], found)]:
            place = int(first[np.searchsorted(found, rows.digests_E[index])])
            yield Found(
                rule="leak",
                message="the held-out row is also trained on",
                index=int(index),
                other=int(trained[place]),
            )

    def statistics(self) -> JsonObject:
        """Nothing."""
        return {}
