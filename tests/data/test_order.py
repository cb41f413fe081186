"""The order of an epoch: a seeded shuffle of a weighted mixture, equal over the epochs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.data.order import Mixture, epoch_length, epoch_order

PLAIN = Mixture(source_of_R=np.zeros(50, dtype=np.int32), weights=(1.0,), seed=3)


def test_an_epoch_is_every_row_once_in_another_order() -> None:
    first, second = epoch_order(PLAIN, 0), epoch_order(PLAIN, 1)
    assert sorted(first) == sorted(second) == list(range(50))
    assert list(first) != list(second)
    assert list(first) != sorted(first)


def test_the_seed_decides() -> None:
    assert list(epoch_order(PLAIN, 0)) == list(epoch_order(PLAIN, 0))
    assert list(epoch_order(PLAIN, 0)) != list(epoch_order(replace(PLAIN, seed=4), 0))


def test_without_shuffle_rows_keep_the_order_of_the_files() -> None:
    mixture = Mixture(
        source_of_R=np.array([0, 0, 1, 1], dtype=np.int32), weights=(2, 1), seed=0, shuffle=False
    )
    assert list(epoch_order(mixture, 0)) == [0, 0, 1, 1, 2, 3]


@given(
    counts=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    weights=st.lists(st.sampled_from([0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.3]), min_size=4, max_size=4),
    seed=st.integers(0, 100),
)
@settings(max_examples=100, deadline=None)
def test_over_the_epochs_every_row_of_a_source_comes_equally_often(
    counts: list[int], weights: list[float], seed: int
) -> None:
    source_of_R = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    mixture = Mixture(source_of_R=source_of_R, weights=weights[: len(counts)], seed=seed)
    seen = np.zeros(len(source_of_R), dtype=int)
    for epoch in range(20):
        seen += np.bincount(epoch_order(mixture, epoch), minlength=len(seen))
    for source, weight in enumerate(mixture.weights):
        of_source = seen[source_of_R == source]
        assert of_source.max() - of_source.min() <= 1
        assert of_source.sum() == pytest.approx(20 * weight * len(of_source), abs=1)


def test_a_part_of_a_source_rotates() -> None:
    mixture = Mixture(source_of_R=np.zeros(10, dtype=np.int32), weights=(0.5,), seed=0)
    first, second = (set(epoch_order(mixture, epoch).tolist()) for epoch in (0, 1))
    assert len(first) == len(second) == 5
    assert first | second == set(range(10))


def test_the_length_of_an_epoch_is_known_beforehand() -> None:
    mixture = Mixture(
        source_of_R=np.repeat(np.arange(2, dtype=np.int32), (10, 7)), weights=(0.5, 2), seed=0
    )
    assert epoch_length(mixture) == 19
    assert len(epoch_order(mixture, 0)) == 19


def test_a_source_that_lost_all_its_rows_gives_none() -> None:
    mixture = Mixture(source_of_R=np.ones(4, dtype=np.int32), weights=(1.5, 1.5), seed=0)
    assert len(epoch_order(mixture, 0)) == 6
