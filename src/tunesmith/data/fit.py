"""Rows that are longer than the model may see: cut, dropped, or refused.

    tokens  q q q a a a </s>      max_length 5      ->      q q q a a

The start is kept and no stop token is invented: the model would learn to stop there. A row
of which no trained token is left is dropped, and with it the rows that belong to it: half a
pair teaches nothing.

Shapes: R rows, E examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tunesmith.data.store import PackedRows
from tunesmith.errors import DataError

Overlong = Literal["truncate", "drop", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What becomes of each row."""

    lengths_R: NDArray[np.int32]
    """Tokens that are kept; 0 for a dropped row."""
    truncated_R: NDArray[np.bool_]
    overlong_R: NDArray[np.bool_]
    """Dropped because `overlong` is drop."""
    untrainable_R: NDArray[np.bool_]
    """Dropped because nothing is left to train."""

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Rows that are learnt from."""
        return self.lengths_R > 0


def fit(packed: PackedRows, max_length: int | None, overlong: Overlong) -> Fit:
    """Decide over every row.

    Raises:
        DataError: `overlong` is error and a row is longer; the longest is named.
    """
    lengths_R = packed.lengths
    trained_R = packed.trained
    long_R = lengths_R > (max_length if max_length is not None else np.iinfo(np.int32).max)
    if overlong == "error" and long_R.any():
        longest = int(np.argmax(lengths_R))
        raise DataError(
            f"{int(long_R.sum()):,} rows are longer than max_length {max_length}; "
            f"this one has {lengths_R[longest]:,} tokens",
            hint="raise data.max_length, or set data.overlong to truncate or drop",
            place=packed.place(longest),
        )
    kept_R = lengths_R.copy()
    if max_length is not None and overlong == "truncate":
        kept_R[long_R] = max_length
        for index in np.flatnonzero(long_R):
            begin = int(packed.records_R[index]["begin"])
            trained_R[index] = np.count_nonzero(packed.weights[begin : begin + max_length])
    dropped_R = long_R & (overlong == "drop")
    untrainable_R = (trained_R == 0) & ~dropped_R
    lost_R = dropped_R | untrainable_R
    if packed.rows_per_example > 1:
        lost_E = lost_R.reshape(-1, packed.rows_per_example).any(axis=1)
        lost_R = np.repeat(lost_E, packed.rows_per_example)
    kept_R[lost_R] = 0
    return Fit(
        lengths_R=kept_R,
        truncated_R=long_R & (kept_R > 0),
        overlong_R=dropped_R,
        untrainable_R=untrainable_R,
    )
