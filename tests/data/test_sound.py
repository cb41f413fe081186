"""Packed rows that no model can learn are refused by name, wherever in the folder they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import TokenRow
from tunesmith.data import sound
from tunesmith.data.sound import require_sound
from tunesmith.data.store import PackedRow, PackedRows, write_packed
from tunesmith.errors import DataError, Place

VOCABULARY = 9


def packed(folder: Path, rows: Sequence[tuple[Sequence[int], Sequence[float]]]) -> PackedRows:
    return write_packed(
        folder,
        [
            PackedRow(
                row=TokenRow(
                    ids_T=np.array(ids, dtype=np.int32),
                    weights_T=np.array(weights, dtype=np.float32),
                    place=Place(file="rows.jsonl", line=number),
                    digest="00" * 32,
                )
            )
            for number, (ids, weights) in enumerate(rows, 1)
        ],
    )


SOUND = ([1, 8, 0], [0, 1, 0.5])


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (([1, 9, 2], [0, 1, 1]), "token 2 of the row has id 9, .* only 9 embeddings"),
        (([1, 2, -3], [0, 1, 1]), "token 3 of the row has id -3"),
        (([1, 2, 3], [0, 0, float("nan")]), "token 3 of the row has the weight nan"),
        (([1, 2, 3], [0, float("inf"), 1]), "token 2 of the row has the weight inf"),
        (([1, 2, 3], [0, -0.5, 1]), "token 2 of the row has the weight -0.5"),
        (([1, 2, 3], [1, 1, 1]), "the first token is trained"),
    ],
)
@pytest.mark.parametrize("span", [2, 3, 2**20])
def test_a_bad_row_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    row: tuple[list[int], list[float]],
    says: str,
    span: int,
) -> None:
    monkeypatch.setattr(sound, "_SPAN", span)
    with pytest.raises(DataError, match=says) as caught:
        require_sound(packed(tmp_path / "rows", [SOUND, SOUND, row, SOUND]), VOCABULARY)
    assert str(caught.value.place) == "rows.jsonl:3"
    assert caught.value.hint


@pytest.mark.parametrize(("column", "value"), [("begin", 4), ("length", 4), ("length", 0)])
def test_a_row_outside_its_files_is_named(tmp_path: Path, column: str, value: int) -> None:
    rows = packed(tmp_path / "rows", [SOUND, SOUND])
    records_R = rows.records_R.copy()
    records_R[column][1] = value
    with pytest.raises(DataError, match="outside its place in a file of 6") as caught:
        require_sound(replace(rows, records_R=records_R), VOCABULARY)
    assert str(caught.value.place) == "rows.jsonl:2"


def test_weights_that_are_too_few_are_noticed(tmp_path: Path) -> None:
    rows = packed(tmp_path / "rows", [SOUND, SOUND])
    with pytest.raises(DataError, match="6 tokens have 6 ids and 5 weights"):
        require_sound(replace(rows, weights=rows.weights[:5]), VOCABULARY)


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, VOCABULARY - 1), st.sampled_from([0.0, 0.1, 1.0, 1000.0])),
            min_size=1,
            max_size=5,
        ),
        max_size=5,
    )
)
def test_sound_rows_pass(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[tuple[int, float]]]
) -> None:
    made = [
        ([token for token, _ in row], [0.0, *(weight for _, weight in row[1:])]) for row in rows
    ]
    require_sound(packed(tmp_path_factory.mktemp("sound") / "rows", made), VOCABULARY)
