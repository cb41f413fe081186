"""Rows that are too long: cut at the end, dropped, or refused; never given a false end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tunesmith.contracts import TokenRow
from tunesmith.data.fit import Overlong, fit
from tunesmith.data.store import PackedRow, PackedRows, write_packed
from tunesmith.errors import DataError, Place

ROWS = [(3, 2), (2, 3), (6, 2), (4, 6)]
"""Prompt and answer lengths: 5, 5, 8 and 10 tokens."""


@pytest.fixture
def packed(tmp_path: Path) -> PackedRows:
    return write_packed(
        tmp_path / "rows",
        [
            PackedRow(
                row=TokenRow(
                    ids_T=np.arange(prompt + answer, dtype=np.int32),
                    weights_T=np.array([0.0] * prompt + [1.0] * answer, dtype=np.float32),
                    place=Place(file="a", line=line),
                    digest="0" * 64,
                )
            )
            for line, (prompt, answer) in enumerate(ROWS, start=1)
        ],
    )


@pytest.mark.parametrize(
    ("overlong", "max_length", "lengths", "untrainable"),
    [
        ("truncate", None, [5, 5, 8, 10], 0),
        ("truncate", 10, [5, 5, 8, 10], 0),
        ("truncate", 7, [5, 5, 7, 7], 0),
        ("truncate", 6, [5, 5, 0, 6], 1),
        ("truncate", 2, [0, 0, 0, 0], 4),
        ("drop", 8, [5, 5, 8, 0], 0),
        ("drop", 4, [0, 0, 0, 0], 0),
        ("error", 10, [5, 5, 8, 10], 0),
    ],
)
def test_what_is_kept(
    packed: PackedRows,
    overlong: Overlong,
    max_length: int | None,
    lengths: list[int],
    untrainable: int,
) -> None:
    found = fit(packed, max_length, overlong)
    assert found.lengths_R.tolist() == lengths
    assert int(found.untrainable_R.sum()) == untrainable
    assert found.kept.tolist() == [length > 0 for length in lengths]
    full = [prompt + answer for prompt, answer in ROWS]
    assert found.truncated_R.tolist() == [
        0 < kept < whole for kept, whole in zip(lengths, full, strict=True)
    ]


def test_an_error_names_the_longest_row(packed: PackedRows) -> None:
    with pytest.raises(DataError, match="2 rows are longer than max_length 7") as caught:
        fit(packed, 7, "error")
    assert caught.value.place == Place(file="a", line=4)
    assert "10 tokens" in caught.value.what


@pytest.mark.parametrize(
    ("overlong", "max_length", "lengths", "marked"),
    [
        ("truncate", 6, [5, 5, 0, 0], [2]),
        ("drop", 8, [5, 5, 0, 0], [3]),
        ("drop", 4, [0, 0, 0, 0], [0, 1, 2, 3]),
    ],
)
def test_half_a_pair_is_dropped_too(
    packed: PackedRows, overlong: Overlong, max_length: int, lengths: list[int], marked: list[int]
) -> None:
    fitted = fit(replace(packed, rows_per_example=2), max_length, overlong)
    assert fitted.lengths_R.tolist() == lengths
    assert np.flatnonzero(fitted.overlong_R | fitted.untrainable_R).tolist() == marked
