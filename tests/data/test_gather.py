"""Copying rows as arrays writes the bytes that copying them one by one would write."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.test_store import row
from tunesmith.data import gather
from tunesmith.data.gather import Selection, everything, gather_packed
from tunesmith.data.store import PackedRow, PackedRows, write_packed

TOKENS = st.lists(
    st.tuples(st.integers(0, 99), st.sampled_from([0.0, 1.0])), min_size=1, max_size=9
)


def cut(packed: PackedRow, length: int, source: int) -> PackedRow:
    row = packed.row
    shorter = replace(row, ids_T=row.ids_T[:length], weights_T=row.weights_T[:length])
    return replace(packed, row=shorter, source=source)


@given(data=st.data(), span=st.sampled_from([1, 7, 1000]), heavy=st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_bytes_are_those_of_rows_written_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, span: int, heavy: bool
) -> None:
    folder = tmp_path_factory.mktemp("gather")
    selections, expected = [], []
    for part in range(2):
        drawn = data.draw(st.lists(TOKENS, max_size=8))
        if heavy and part == 1:
            drawn.append([(1, 0.0), (2, 0.25)])
        files = data.draw(st.lists(st.sampled_from("abc"), min_size=9, max_size=9))
        packed = write_packed(
            folder / f"part{part}",
            [row(pairs, line=n + 1, file=files[n]) for n, pairs in enumerate(drawn)],
        )
        kept = [n for n in range(len(drawn)) if data.draw(st.booleans())]
        lengths = [data.draw(st.integers(1, len(drawn[n]))) for n in kept]
        expected += [
            cut(packed.packed(n), length, part) for n, length in zip(kept, lengths, strict=True)
        ]
        selections.append(
            Selection(
                packed=packed,
                rows_R=np.array(kept, dtype=np.int64),
                lengths_R=np.array(lengths, dtype=np.int32),
                source=part,
            )
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gather, "_SPAN", span)
        made = gather_packed(folder / "made", selections, {"seen": 1})
    assert made.digest == write_packed(folder / "slow", expected, {"seen": 1}).digest


def test_everything_of_nothing_is_nothing(tmp_path: Path) -> None:
    empty: PackedRows = write_packed(tmp_path / "none", [])
    assert len(gather_packed(tmp_path / "copy", [everything(empty)])) == 0
