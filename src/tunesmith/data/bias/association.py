"""What each group is said to be and to do, more often than the others of its axis.

    rows with a sentence that mentions        and "nurse" in it
      female only                   400             40
      another gender only           400              8          odds ratio 5.1 (2.4 to 10.9)

A row counts once for each group and word, however often it says them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tunesmith.data.bias.imbalance import Interval, odds_ratio, quantile_for
from tunesmith.data.bias.mentions import Sentence

LEAST_ROWS = 20
"""Rows of a group, and of the others of its axis, below which nothing is said."""
_LEAST_TOGETHER = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """A word that stands with a group more than with the others of its axis."""

    axis: str
    group: str
    word: str
    rows: int
    odds: Interval
    """At 95 %; the choice of what is reported is stricter, for all comparisons at once."""
    first_row: int
    """The first row that has both in a sentence."""


class Associations:
    """Counts over all rows; bounded by the lexicon."""

    def __init__(self) -> None:
        """Begin empty."""
        self._groups: Counter[tuple[str, str]] = Counter()
        self._together: Counter[tuple[str, str, str]] = Counter()
        self._first: dict[tuple[str, str, str], int] = {}

    def add(self, index: int, sentences: Iterable[Sentence]) -> None:
        """Count a row."""
        groups: set[tuple[str, str]] = set()
        together: set[tuple[str, str, str]] = set()
        for sentence in sentences:
            for axis, group in sentence.alone.items():
                groups.add((axis, group))
                together.update((axis, group, word) for word in sentence.described)
        self._groups.update(groups)
        self._together.update(together)
        for key in together:
            self._first.setdefault(key, index)

    def found(self, least: float) -> list[Association]:
        """Associations whose odds ratio is surely above 1 and at least so much.

        Sorted by axis and group, the strongest first.
        """
        candidates = list(self._candidates())
        z = quantile_for(len(candidates))
        sure = [
            self._association(key, cells)
            for key, cells in candidates
            if odds_ratio(*cells, z=z).low > 1 and odds_ratio(*cells, z=z).estimate >= least
        ]
        return sorted(sure, key=lambda one: (one.axis, one.group, -one.odds.low, one.word))

    def _candidates(self) -> Iterator[tuple[tuple[str, str, str], tuple[int, int, int, int]]]:
        of_axis: Counter[str] = Counter()
        of_word: Counter[tuple[str, str]] = Counter()
        for (axis, _), rows in self._groups.items():
            of_axis[axis] += rows
        for (axis, _, word), rows in self._together.items():
            of_word[axis, word] += rows
        for key, hits in sorted(self._together.items()):
            axis, group, word = key
            rows = self._groups[axis, group]
            others = of_axis[axis] - rows
            if min(rows, others) >= LEAST_ROWS and hits >= _LEAST_TOGETHER:
                yield key, (hits, rows, of_word[axis, word] - hits, others)

    def _association(
        self, key: tuple[str, str, str], cells: tuple[int, int, int, int]
    ) -> Association:
        axis, group, word = key
        return Association(
            axis=axis,
            group=group,
            word=word,
            rows=cells[0],
            odds=odds_ratio(*cells, z=quantile_for()),
            first_row=self._first[key],
        )
