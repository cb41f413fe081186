"""The first rows as the model reads them, with the trained text told apart.

[("<|user|>Is it open?<|assistant|>", False), ("Yes.</s>", True)]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.data.coding import Coding
from tunesmith.data.encoded import EncodedSource
from tunesmith.errors import Place
from tunesmith.tokenizer.encode import Encoded
from tunesmith.tokenizer.preview import segments

ROWS = 3
_LONGEST = 2000
"""Tokens of a row that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A row in pieces, each with whether it is trained."""

    place: Place
    segments: tuple[tuple[str, bool], ...]
    side: str = ""
    """Of a pair: `chosen` or `rejected`."""


def first_rows(sources: Sequence[EncodedSource], coding: Coding) -> tuple[Preview, ...]:
    """Up to ROWS rows, taken from every source in turn."""
    turns = [
        (index, source) for index in range(ROWS) for source in sources if index < len(source.packed)
    ]
    return tuple(_preview(source, index, coding) for index, source in turns[:ROWS])


def _preview(source: EncodedSource, index: int, coding: Coding) -> Preview:
    row = source.packed.row(index)
    encoded = Encoded(
        ids=row.ids_T[:_LONGEST].tolist(),
        weights=row.weights_T[:_LONGEST].tolist(),
        turns=(),
        prompt_length=0,
    )
    side = ("chosen", "rejected")[index % 2] if source.packed.rows_per_example == 2 else ""
    shown = tuple(segments(encoded, coding.tokenizer))
    return Preview(place=row.place, segments=shown, side=side)
