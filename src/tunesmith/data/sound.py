"""Packed rows held to the model that learns them, before it is loaded.

    ids 5 9 7 7    weights 0 0 1 1      and, of a model of 9 embeddings: 9 is no token

The manifest proves that the bytes are those that were written; this proves that they can be
learnt: every row lies in the files, every id is one of the model's, every weight is a finite
number that is not negative, and the first token of a row, which nothing predicts, has none.

Shapes: R rows, T tokens of a stretch of rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunesmith.data.manifest import HINT
from tunesmith.data.store import PackedRows
from tunesmith.errors import DataError, Place

_SPAN = 2**20
"""Tokens that are read at once."""


def require_sound(packed: PackedRows, vocabulary: int) -> None:
    """Refuse rows that a model cannot be trained on; the first one is named.

    Args:
        packed: opened rows.
        vocabulary: rows of the model's embedding.

    Raises:
        DataError: a row lies outside its files, a token is none of the model's, or a weight is
            no weight.
    """
    begins_R = _begins_within(packed)
    for start in range(0, packed.ids.size, _SPAN):
        ids_T, weights_T = packed.read(slice(start, min(start + _SPAN, packed.ids.size)))
        _require_ids(packed, start, ids_T, vocabulary)
        _require_weights(packed, start, weights_T)
        first, last = np.searchsorted(begins_R, [start, start + ids_T.size])
        leading_R = weights_T[begins_R[first:last] - start] != 0
        if leading_R.any():
            raise DataError(
                "the first token is trained, but nothing stands before it that could predict it",
                hint="give the first token of a row weight 0",
                place=packed.place(int(first + np.argmax(leading_R))),
            )


def _begins_within(packed: PackedRows) -> NDArray[np.int64]:
    """Where each row begins; they fill the files one after the other."""
    begins_R = packed.records_R["begin"].astype(np.int64)
    lengths_R = packed.records_R["length"].astype(np.int64)
    ends_R = np.cumsum(lengths_R)
    apart_R = (begins_R != ends_R - lengths_R) | (lengths_R < 1) | (ends_R > packed.ids.size)
    if apart_R.any():
        row = int(np.argmax(apart_R))
        raise DataError(
            f"the row lies at tokens {begins_R[row]:,} to {begins_R[row] + lengths_R[row]:,}, "
            f"outside its place in a file of {packed.ids.size:,}",
            hint=HINT,
            place=packed.place(row),
        )
    whole = int(ends_R[-1]) if ends_R.size else 0
    if not whole == packed.ids.size == packed.weights.size:
        raise DataError(
            f"rows of {whole:,} tokens have {packed.ids.size:,} ids "
            f"and {packed.weights.size:,} weights",
            hint=HINT,
            place=Place(file=packed.folder),
        )
    return begins_R


def _require_ids(packed: PackedRows, start: int, ids_T: NDArray[np.int32], vocabulary: int) -> None:
    wrong_T = (ids_T < 0) | (ids_T >= vocabulary)
    if wrong_T.any():
        at = int(np.argmax(wrong_T))
        raise DataError(
            f"token {_depth(packed, start + at)} of the row has id {ids_T[at]}, "
            f"but the model has only {vocabulary:,} embeddings",
            hint="prepare the data again with the tokenizer that belongs to this model",
            place=packed.place(_row_of(packed, start + at)),
        )


def _require_weights(
    packed: PackedRows, start: int, weights_T: NDArray[np.uint8] | NDArray[np.float32]
) -> None:
    wrong_T = ~(np.isfinite(weights_T) & (weights_T >= 0))
    if wrong_T.any():
        at = int(np.argmax(wrong_T))
        raise DataError(
            f"token {_depth(packed, start + at)} of the row has the weight {weights_T[at]}",
            hint="a weight is 0 (not trained) or a positive number",
            place=packed.place(_row_of(packed, start + at)),
        )


def _row_of(packed: PackedRows, token: int) -> int:
    return int(np.searchsorted(packed.records_R["begin"], token, side="right")) - 1


def _depth(packed: PackedRows, token: int) -> int:
    """The token's number within its row, from 1."""
    return token - int(packed.records_R["begin"][_row_of(packed, token)]) + 1
