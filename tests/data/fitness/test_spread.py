"""Quantiles are numpy's, whatever the numbers; bins hold every row once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.data.fitness.spread import BINS, Spread

SHARES = (0.05, 0.5, 0.95, 1.0)


def spread_of(numbers: list[int]) -> Spread:
    spread = Spread()
    for number in numbers:
        spread.add(number)
    return spread


@given(st.lists(st.integers(0, 1000), min_size=1))
def test_quantiles_of_small_numbers_are_exact(numbers: list[int]) -> None:
    expected = np.quantile(numbers, SHARES, method="inverted_cdf")
    assert spread_of(numbers).quantiles(SHARES) == expected.tolist()


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_large_numbers_are_near(numbers: list[int]) -> None:
    found = spread_of(numbers).quantiles(SHARES)
    for near, exact in zip(found, np.quantile(numbers, SHARES, method="inverted_cdf"), strict=True):
        assert near <= exact <= near * (1 + 1 / 64) + 1


@given(st.lists(st.integers(0, 5000), min_size=1))
def test_bins_follow_one_another_and_hold_every_row(numbers: list[int]) -> None:
    bins = spread_of(numbers).as_json()["histogram"]
    assert isinstance(bins, list)
    assert 1 <= len(bins) <= BINS
    edges = [(one["from"], one["to"]) for one in bins if isinstance(one, dict)]
    assert all(first <= last for first, last in edges)
    assert all(before[1] + 1 == after[0] for before, after in zip(edges, edges[1:], strict=False))
    assert sum(one["rows"] for one in bins if isinstance(one, dict)) == len(numbers)
    assert edges[0][0] == spread_of([min(numbers)]).quantiles([1.0])[0]


def test_memory_is_bounded() -> None:
    spread = spread_of(list(range(0, 3_000_000, 37)))
    assert len(spread._counts) < 3000


def test_nothing_is_spread_over_nothing() -> None:
    assert Spread().as_json() == {"p5": 0, "p50": 0, "p95": 0, "max": 0, "histogram": []}


def test_the_middle_is_the_median_and_its_deviation() -> None:
    numbers = np.round(np.exp(np.random.default_rng(0).normal(4, 0.5, 4000))).astype(int).tolist()
    middle = spread_of([*numbers, *[900_000] * 20]).middle(least_width=0.1)
    assert middle.log == pytest.approx(4, abs=0.05)
    assert middle.width == pytest.approx(0.5, abs=0.05)
    assert middle.distance(numbers[0]) == (math.log1p(numbers[0]) - middle.log) / middle.width
    assert spread_of([7] * 9).middle(least_width=0.1).width == 0.1
