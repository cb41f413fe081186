"""Whether two shares or two means differ, and by how much, with intervals.

    share      Wilson:    (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)
    difference Newcombe's hybrid of two Wilson intervals (Newcombe 1998, method 10)
    odds ratio log(ad / bc) +- z sqrt(1/a + 1/b + 1/c + 1/d), each cell with 1/2 added
    means      Welch:     m1 - m2 +- z sqrt(s1^2/n1 + s2^2/n2)

Where many things are compared at once, each must hold at 1 - 0.05 / comparisons (Bonferroni).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

_ERROR = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate and the interval around it."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """What is kept of many numbers: how many, their sum, and that of their squares."""

    count: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """Of at least one number."""
        return self.total / self.count

    @property
    def variance(self) -> float:
        """Of at least two numbers, unbiased."""
        return max(0.0, self.squares - self.total**2 / self.count) / (self.count - 1)


def quantile_for(comparisons: int = 1) -> float:
    """How many standard errors an interval reaches, for so many comparisons at once."""
    return NormalDist().inv_cdf(1 - _ERROR / (2 * max(comparisons, 1)))


def share(hits: int, rows: int, z: float) -> Interval:
    """The share of hits among the rows, at least one."""
    estimate = hits / rows
    middle = estimate + z * z / (2 * rows)
    reach = z * math.sqrt(estimate * (1 - estimate) / rows + (z / (2 * rows)) ** 2)
    whole = 1 + z * z / rows
    return Interval(
        estimate=estimate,
        low=max(0.0, (middle - reach) / whole),
        high=min(1.0, (middle + reach) / whole),
    )


def difference(first: Interval, second: Interval) -> Interval:
    """How much the first share is above the second."""
    estimate = first.estimate - second.estimate
    below = math.hypot(first.estimate - first.low, second.high - second.estimate)
    above = math.hypot(first.high - first.estimate, second.estimate - second.low)
    return Interval(estimate=estimate, low=estimate - below, high=estimate + above)


def odds_ratio(hits: int, rows: int, other_hits: int, other_rows: int, *, z: float) -> Interval:
    """How many times the odds of a hit are those among other rows."""
    cells = (hits, rows - hits, other_hits, other_rows - other_hits)
    a, b, c, d = (cell + 0.5 for cell in cells)
    log = math.log(a * d / (b * c))
    reach = z * math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return Interval(estimate=math.exp(log), low=math.exp(log - reach), high=math.exp(log + reach))


def difference_of_means(first: Moments, second: Moments, z: float) -> Interval:
    """How much the first mean is above the second; at least two numbers each."""
    estimate = first.mean - second.mean
    reach = z * math.sqrt(first.variance / first.count + second.variance / second.count)
    return Interval(estimate=estimate, low=estimate - reach, high=estimate + reach)
