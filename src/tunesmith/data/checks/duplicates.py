"""Rows that say the same, and groups too large for the split."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from tunesmith.contracts import JsonObject
from tunesmith.data.audit.contracts import AuditRow, Found, Ground, Rule
from tunesmith.data.audit.rows import Rows

RULES = {
    "duplicate": Rule(
        severity="warn",
        why="Repeated rows weigh more than others, and the model learns them by heart.",
        fix="remove them, unless they are meant to weigh more",
    ),
    "near_duplicate": Rule(
        severity="warn",
        why="Rows that nearly repeat one another weigh more than others and teach no more.",
        fix="keep the better of the two",
        limit=0.45,
        limit_is="share of words and pairs of words that two rows have in common",
    ),
    "oversized_group": Rule(
        severity="warn",
        why="Together they would decide what is measured, so the split divides them.",
        fix="give data.held_out a file of its own",
    ),
}


def begin(ground: Ground) -> Duplicates:
    """The check."""
    return Duplicates(ground)


class Duplicates:
    """Compares the digests of all rows."""

    def __init__(self, ground: Ground) -> None:
        """Remember where the held-out file stands."""
        self._held_out_part = ground.held_out_part

    def see(self, row: AuditRow) -> Iterable[Found]:
        """Nothing: the digests of all rows are compared in the end."""
        return ()

    def finish(self, rows: Rows) -> Iterator[Found]:
        """Copies within the sources, and groups that were divided."""
        end = len(rows) if self._held_out_part is None else rows.first_E[self._held_out_part]
        found, first, inverse = np.unique(
            rows.digests_E[:end], return_index=True, return_inverse=True
        )
        for index in np.flatnonzero(first[inverse] != np.arange(end)):
            yield Found(
                rule="duplicate",
                message="the row repeats another one exactly",
                index=int(index),
                other=int(first[inverse[index]]),
            )
        for group in rows.oversized:
            yield Found(
                rule="oversized_group",
                message=f"{group.rows:,} of {len(rows):,} rows begin with the same exchange; "
                "together they would decide what is measured, so the split divides them",
                index=group.row,
                rows=group.rows,
            )

    def statistics(self) -> JsonObject:
        """Nothing."""
        return {}
