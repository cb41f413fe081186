"""Rows that do not fit the model: cut at its limit, left out, or with nothing left to train.

tokens  q q q a a a </s>      max_length 3      ->      nothing_to_train
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from tunesmith.contracts import JsonObject
from tunesmith.data.audit.contracts import AuditRow, Found, Ground, Rule
from tunesmith.data.audit.rows import Rows, Tokens

RULES = {
    "truncated": Rule(
        severity="warn",
        why="The model never sees the end of these rows, nor learns where an answer stops.",
        fix="raise data.max_length, or shorten the rows",
        limit=0.2,
        limit_is="share of truncated rows above which this is a warning and no remark",
    ),
    "nothing_to_train": Rule(
        severity="warn",
        why="A row without a trained token teaches nothing, so it is left out.",
        fix="raise data.max_length, or shorten the prompt",
        limit=0.5,
        limit_is="share of such rows above which training is blocked",
    ),
    "overlong": Rule(
        severity="warn",
        why="The row is left out because data.overlong is drop.",
        fix="raise data.max_length, or shorten the row",
    ),
}


def begin(ground: Ground) -> Lengths:
    """The check; it has something to say where a base gave tokens."""
    return Lengths(ground)


class Lengths:
    """Looks at the tokens of each part."""

    def __init__(self, ground: Ground) -> None:
        """Take the limits."""
        self._limits = ground.limits

    def see(self, row: AuditRow) -> Iterable[Found]:
        """Nothing: what counts are tokens."""
        return ()

    def finish(self, rows: Rows) -> Iterator[Found]:
        """Rows that were cut or left out."""
        for part, tokens in enumerate(rows.tokens):
            first = rows.first_E[part]
            yield from self._untrainable(tokens, first)
            for row in _firsts(tokens, tokens.fit.overlong_R):
                length = int(tokens.encoded.packed.records_R[row]["length"])
                yield Found(
                    rule="overlong",
                    message=f"{length:,} tokens are more than max_length {tokens.max_length}; "
                    "the row is left out",
                    index=first + int(tokens.encoded.example_R[row]),
                )
            yield from self._truncated(tokens, first)

    def statistics(self) -> JsonObject:
        """Nothing: the lengths in tokens stand in the statistics of all rows."""
        return {}

    def _untrainable(self, tokens: Tokens, first: int) -> Iterator[Found]:
        marked = _firsts(tokens, tokens.fit.untrainable_R)
        each = tokens.encoded.packed.rows_per_example
        too_many = len(marked) * each > self._limits["nothing_to_train"] * len(tokens.fit.lengths_R)
        for row in marked:
            yield Found(
                rule="nothing_to_train",
                message=f"no trained token lies within max_length {tokens.max_length}; "
                "the row is left out"
                if tokens.max_length
                else "the row has no trained token; it is left out",
                index=first + int(tokens.encoded.example_R[row]),
                severity="block" if too_many else None,
            )

    def _truncated(self, tokens: Tokens, first: int) -> Iterator[Found]:
        truncated = int(tokens.fit.truncated_R.sum())
        if not truncated:
            return
        share = truncated / len(tokens.fit.truncated_R)
        longest = int(np.argmax(tokens.encoded.packed.lengths))
        yield Found(
            rule="truncated",
            severity=None if share > self._limits["truncated"] else "info",
            message=f"{truncated:,} rows ({share:.1%}) are longer than max_length "
            f"{tokens.max_length} and lose their end; this is the longest",
            index=first + int(tokens.encoded.example_R[longest]),
            rows=truncated,
        )


def _firsts(tokens: Tokens, marked_R: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The marked rows; of those that belong together, which share a line, only the first."""
    rows = np.flatnonzero(marked_R)
    _, first = np.unique(rows // tokens.encoded.packed.rows_per_example, return_index=True)
    return rows[first]
