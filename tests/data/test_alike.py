"""Rows that begin alike: their order, and the steps that they fall into."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.test_store import row
from tunesmith.data import alike
from tunesmith.data.alike import token_ranks
from tunesmith.data.order import Grouping, Mixture, epoch_order
from tunesmith.data.store import PackedRow, write_packed

TOKEN = st.sampled_from([0, 1, 255, 256, 65_535, 2**31 - 1])


def pack(folder: Path, rows: list[list[int]], together: int = 1) -> np.ndarray:
    made: list[PackedRow] = []
    for number, tokens in enumerate(rows):
        one = row([(token, 1.0) for token in tokens], line=number // together + 1)
        made.append(one)
    return token_ranks(write_packed(folder / "rows", made, rows_per_example=together))


@given(rows=st.lists(st.lists(TOKEN, min_size=1, max_size=20), min_size=1, max_size=12))
@settings(max_examples=80, deadline=None)
def test_ranks_are_those_of_sorted_rows(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[int]]
) -> None:
    ranks = pack(tmp_path_factory.mktemp("alike"), rows)
    expected = sorted(range(len(rows)), key=lambda index: (rows[index], index))
    assert np.argsort(ranks).tolist() == expected


def test_pairs_go_by_their_first_row(tmp_path: Path) -> None:
    ranks = pack(tmp_path, [[5], [1], [2], [9], [3], [0]], together=2)
    assert ranks.tolist() == [2, 0, 1]


def test_beginnings_beyond_the_limit_keep_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alike, "LONGEST", 8)
    same = [7] * 8
    assert pack(tmp_path, [[*same, 9], [*same, 1], [3]]).tolist() == [1, 2, 0]


def grouped(families: int, each: int, weight: float = 1.0, size: int = 4) -> Mixture:
    rows = families * each
    # Row r belongs to family r mod families: in file order no two neighbours are alike.
    by_family = np.argsort(np.arange(rows) % families, kind="stable")
    ranks = np.empty(rows, dtype=np.int64)
    ranks[by_family] = np.arange(rows)
    return Mixture(
        source_of_R=np.zeros(rows, dtype=np.int32),
        weights=[weight],
        seed=3,
        grouping=Grouping(rank_R=ranks, rows_per_step=size),
    )


def test_steps_hold_rows_that_begin_alike() -> None:
    mixture = grouped(families=10, each=40)
    order = epoch_order(mixture, 0)
    assert sorted(order.tolist()) == list(range(400))
    kinds = [len({row % 10 for row in order[start : start + 4]}) for start in range(0, 400, 4)]
    assert sum(kind == 1 for kind in kinds) >= 85
    families = [order[start] % 10 for start in range(0, 400, 4)]
    assert families != sorted(families)
    assert epoch_order(mixture, 0).tolist() == order.tolist()
    assert epoch_order(mixture, 1).tolist() != order.tolist()


@pytest.mark.parametrize("weight", [1.0, 0.3, 2.5])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_epochs_give_every_row_as_often_and_steps_stay_aligned(weight: float, size: int) -> None:
    mixture = grouped(families=5, each=60, weight=weight, size=size)
    plain = Mixture(source_of_R=mixture.source_of_R, weights=[weight], seed=3)
    stream: list[int] = []
    for epoch in range(6):
        order = epoch_order(mixture, epoch)
        assert Counter(order.tolist()) == Counter(epoch_order(plain, epoch).tolist())
        stream += order.tolist()
    alike_steps = [
        len({row % 5 for row in stream[start : start + size]}) == 1
        for start in range(0, len(stream) - size, size)
    ]
    assert np.mean(alike_steps) > 0.4


def test_no_rows_are_an_empty_epoch() -> None:
    mixture = grouped(families=1, each=1, weight=0.001)
    assert epoch_order(mixture, 0).size == 0
