"""Intervals agree with published figures and with simulation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tunesmith.data.bias.imbalance import (
    Moments,
    difference,
    difference_of_means,
    odds_ratio,
    quantile_for,
    share,
)


def test_the_quantile_grows_with_comparisons() -> None:
    assert quantile_for() == pytest.approx(1.959964)
    assert quantile_for(100) == pytest.approx(3.480756, abs=1e-5)


def test_wilson_and_newcombe_as_published() -> None:
    # Newcombe 1998, Statistics in Medicine 17, table II, row (a): 56/70 against 48/80.
    z = quantile_for()
    gap = difference(share(56, 70, z), share(48, 80, z))
    assert gap.estimate == pytest.approx(0.2)
    assert (gap.low, gap.high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))
    assert share(0, 20, z).low == pytest.approx(0)
    assert share(20, 20, z).high == pytest.approx(1)


def test_the_odds_ratio_of_equal_shares_is_one() -> None:
    odds = odds_ratio(20, 100, 40, 200, z=quantile_for())
    assert odds.low < 1 < odds.high
    assert odds.estimate == pytest.approx(1, abs=0.05)
    strong = odds_ratio(50, 100, 10, 200, z=quantile_for())
    assert strong.low > 5


def test_means_are_told_apart_as_often_as_claimed() -> None:
    draw = np.random.default_rng(0)
    misses = 0
    for _ in range(400):
        first, second = draw.normal(0.3, 1, 60), draw.normal(0, 2, 90)
        gap = difference_of_means(moments(first), moments(second), quantile_for())
        misses += not gap.low < 0.3 < gap.high
    assert 8 <= misses <= 34


def moments(values: NDArray[np.float64]) -> Moments:
    return Moments(count=len(values), total=float(values.sum()), squares=float((values**2).sum()))
