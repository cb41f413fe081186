"""Rows of packed folders, copied into a new one: some of them, cut to a length, or all.

    cache entry: rows 0 1 2 3 4      ->      train: rows 0 1 3      heldout: rows 2 4

Spans of a few megabytes are read, picked from as arrays, and written: memory does not grow
with the rows, and no row is touched by itself.

Shapes: R rows, T tokens of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.contracts import JsonObject
from tunesmith.data.store import PackedRows, PackedWriter, open_packed, writing

_SPAN = 2**20
"""Tokens that are read at once; a longer row is read whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Rows of one folder."""

    packed: PackedRows
    rows_R: NDArray[np.int64]
    """Their indices, ascending."""
    lengths_R: NDArray[np.int32]
    """Tokens that are kept of each."""
    source: int
    """What is written as their source."""


def everything(packed: PackedRows) -> Selection:
    """All rows, whole, of source 0."""
    return Selection(
        packed=packed,
        rows_R=np.arange(len(packed), dtype=np.int64),
        lengths_R=packed.lengths,
        source=0,
    )


def gather_packed(
    folder: Path, selections: Sequence[Selection], extra: JsonObject | None = None
) -> PackedRows:
    """Write the rows into `folder`, which appears when it is complete, and open it.

    All folders have as many rows an example. The bytes are those that `write_packed` would
    write for the same rows.

    Raises:
        ResourceError: the disk is full.
    """
    with writing(folder, selections[0].packed.rows_per_example) as writer:
        for selection in selections:
            for begin, end in _spans(selection):
                _copy(writer, selection, begin, end)
        writer.finish(extra if extra is not None else {})
    return open_packed(folder)


def _spans(selection: Selection) -> Iterator[tuple[int, int]]:
    """Pieces of the selection that lie within a span of tokens."""
    begins_R = selection.packed.records_R["begin"][selection.rows_R]
    ends_R = begins_R + selection.lengths_R
    begin = 0
    while begin < len(begins_R):
        within = int(np.searchsorted(ends_R, begins_R[begin] + _SPAN, side="right"))
        end = max(within, begin + 1)
        yield begin, end
        begin = end


def _copy(writer: PackedWriter, selection: Selection, begin: int, end: int) -> None:
    packed = selection.packed
    records_R = packed.records_R[selection.rows_R[begin:end]]
    lengths_R = selection.lengths_R[begin:end]
    first = int(records_R["begin"][0])
    span = slice(first, int(records_R["begin"][-1]) + int(lengths_R[-1]))
    ends_R = np.cumsum(lengths_R, dtype=np.int64)
    shifts_R = records_R["begin"] - first - (ends_R - lengths_R)
    places_T = np.repeat(shifts_R, lengths_R) + np.arange(ends_R[-1])
    numbers = {
        int(file): writer.number_of(packed.files[int(file)])
        for file in _as_they_come(records_R["file"])
    }
    records_R["file"] = [numbers[int(file)] for file in records_R["file"]]
    records_R["source"] = selection.source
    records_R["length"] = lengths_R
    ids_T, weights_T = packed.read(span)
    writer.add(ids_T[places_T], weights_T[places_T], records_R)


def _as_they_come(values_R: NDArray[np.int32]) -> NDArray[np.int32]:
    """The different values, in the order of their first occurrence."""
    found, first = np.unique(values_R, return_index=True)
    return np.asarray(found[np.argsort(first)], dtype=np.int32)
