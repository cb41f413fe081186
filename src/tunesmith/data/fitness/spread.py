"""How a number is spread over the rows: quantiles and a histogram, without keeping every row's.

    lengths 3 3 4 9   ->   p50 3, max 9, {3: 2, 4: 1, 9: 1}   ->   up to BINS bins, log-spaced

Numbers up to EXACT are counted as they are; above, in steps of 1/64 of themselves.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.contracts import JsonObject

BINS = 20
EXACT = 1024
_STEPS = 64
_NORMAL = 1.4826
"""A normal distribution's standard deviation, in median absolute deviations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Middle:
    """The middle and the width of a spread, of log(1 + n), little moved by what lies far out."""

    log: float
    width: float

    def distance(self, number: int) -> float:
        """How many widths a number lies above the middle; below 0 where it lies below."""
        return (math.log1p(number) - self.log) / self.width


class Spread:
    """Counts of numbers of at least 0; at most a few thousand different ones."""

    def __init__(self) -> None:
        """Begin empty."""
        self._counts: Counter[int] = Counter()

    def add(self, number: int) -> None:
        """Count a number."""
        if number > EXACT:
            step = 1 << (number.bit_length() - _STEPS.bit_length())
            number = number // step * step
        self._counts[number] += 1

    def quantiles(self, shares: Sequence[float]) -> list[int]:
        """The smallest number that so many rows, at least, do not exceed; 0 without rows."""
        if not self._counts:
            return [0 for _ in shares]
        numbers = sorted(self._counts)
        reached = np.cumsum([self._counts[number] for number in numbers])
        wanted = np.ceil(np.array(shares) * reached[-1])
        return [numbers[int(place)] for place in np.searchsorted(reached, np.maximum(wanted, 1))]

    def middle(self, *, least_width: float) -> Middle:
        """The median of log(1 + n) and its median absolute deviation, as a width."""
        (median,) = self.quantiles([0.5])
        log = math.log1p(median)
        around = Counter[float]()
        for number, rows in self._counts.items():
            around[abs(math.log1p(number) - log)] += rows
        distances = sorted(around)
        reached = np.cumsum([around[distance] for distance in distances])
        half = int(np.searchsorted(reached, sum(self._counts.values()) / 2))
        width = distances[half] if distances else 0.0
        return Middle(log=log, width=max(_NORMAL * width, least_width))

    def as_json(self) -> JsonObject:
        """Quantiles and the histogram: for each bin its first and last number, and its rows."""
        p5, p50, p95, largest = self.quantiles([0.05, 0.5, 0.95, 1.0])
        return {
            "p5": p5,
            "p50": p50,
            "p95": p95,
            "max": largest,
            "histogram": [
                {"from": first, "to": last, "rows": rows} for first, last, rows in self._bins()
            ],
        }

    def _bins(self) -> list[tuple[int, int, int]]:
        if not self._counts:
            return []
        low, high = min(self._counts), max(self._counts)
        edges = np.unique(
            np.round(np.expm1(np.linspace(math.log1p(low), math.log1p(high + 1), BINS + 1)))
        ).astype(int)
        edges[0], edges[-1] = low, high + 1
        numbers = np.array(sorted(self._counts))
        rows = np.array([self._counts[number] for number in numbers.tolist()])
        held = np.histogram(numbers, bins=edges, weights=rows)[0] if len(edges) > 1 else [0]
        return [
            (int(first), int(last) - 1, int(count))
            for first, last, count in zip(edges, edges[1:], held, strict=False)
        ]
