"""What becomes of rows that mention a group: the label they carry, how well they speak of it.

    rows that mention        "rejected"           80 % (73 to 86)
      female only          120 of 150
      another gender only   32 of 160             20 % (15 to 27)

A group is compared with the others of its axis; where too few rows mention those, shares of
labels are compared with the rows that mention nobody of the axis.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tunesmith.data.bias.imbalance import (
    Interval,
    Moments,
    difference,
    difference_of_means,
    quantile_for,
    share,
)
from tunesmith.data.bias.mentions import Sentence

LEAST_ROWS = 20
_LEAST_HITS = 5
_MOST_KEPT = 50_000
_SAME = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelGap:
    """A label that a group's rows carry more often than the rows they are compared with."""

    axis: str
    group: str
    label: str
    share: Interval
    other_share: Interval
    gap: Interval
    """At 95 %."""
    among_axis: bool
    """Whether the others mention another group of the axis, or nobody of it."""
    rows: int
    first_row: int


class LabelOutcomes:
    """Labels by group mentioned in the question."""

    def __init__(self) -> None:
        """Begin empty."""
        self._by_group: Counter[tuple[str, str, str]] = Counter()
        self._by_axis: Counter[tuple[str, str]] = Counter()
        self._all: Counter[str] = Counter()
        self._first: dict[tuple[str, str, str], int] = {}

    def add(self, index: int, label: str, alone: Mapping[str, str], axes: Iterable[str]) -> None:
        """Count a row with a label.

        Args:
            index: of the row.
            label: its answer.
            alone: the group by axis, where the question mentions one of that axis only.
            axes: all that it mentions anybody of.
        """
        if len(self._all) >= _MOST_KEPT and label not in self._all:
            return
        self._all[label] += 1
        for axis in axes:
            self._by_axis[axis, label] += 1
        for axis, group in alone.items():
            self._by_group[axis, group, label] += 1
            self._first.setdefault((axis, group, label), index)

    def found(self, labels: Container[str], least: float) -> list[LabelGap]:
        """Gaps that are surely above 0 and at least so wide, the widest first."""
        candidates = list(self._candidates(labels))
        z = quantile_for(len(candidates))
        gaps = [
            self._gap(key, cells, among_axis)
            for key, cells, among_axis in candidates
            if _gap(cells, z).low > 0 and _gap(cells, z).estimate >= least
        ]
        gaps.sort(key=lambda gap: (-gap.gap.estimate, gap.axis, gap.group, gap.label))
        return _without_mirrors(gaps)

    def _candidates(
        self, labels: Container[str]
    ) -> Iterator[tuple[tuple[str, str, str], tuple[int, int, int, int], bool]]:
        known = {key: rows for key, rows in self._by_group.items() if key[2] in labels}
        of_group: Counter[tuple[str, str]] = Counter()
        of_axis: Counter[str] = Counter()
        of_label: Counter[tuple[str, str]] = Counter()
        for (axis, group, label), rows in known.items():
            of_group[axis, group] += rows
            of_axis[axis] += rows
            of_label[axis, label] += rows
        nobody = {
            axis: sum(rows for label, rows in self._all.items() if label in labels)
            - sum(n for (one, label), n in self._by_axis.items() if one == axis and label in labels)
            for axis in of_axis
        }
        for key, hits in sorted(known.items()):
            axis, group, label = key
            rows, others = of_group[axis, group], of_axis[axis] - of_group[axis, group]
            if rows < LEAST_ROWS or hits < _LEAST_HITS:
                continue
            if others >= LEAST_ROWS:
                yield key, (hits, rows, of_label[axis, label] - hits, others), True
            elif nobody[axis] >= LEAST_ROWS:
                without = self._all[label] - self._by_axis[axis, label]
                yield key, (hits, rows, without, nobody[axis]), False

    def _gap(
        self, key: tuple[str, str, str], cells: tuple[int, int, int, int], among_axis: bool
    ) -> LabelGap:
        axis, group, label = key
        hits, rows, other_hits, others = cells
        z = quantile_for()
        return LabelGap(
            axis=axis,
            group=group,
            label=label,
            share=share(hits, rows, z),
            other_share=share(other_hits, others, z),
            gap=_gap(cells, z),
            among_axis=among_axis,
            rows=hits,
            first_row=self._first[key],
        )


def _gap(cells: tuple[int, int, int, int], z: float) -> Interval:
    hits, rows, other_hits, others = cells
    return difference(share(hits, rows, z), share(other_hits, others, z))


def _without_mirrors(gaps: list[LabelGap]) -> list[LabelGap]:
    """Where two groups and two labels prevail, one gap says what the other does."""
    kept: list[LabelGap] = []
    for gap in gaps:
        mirrored = any(
            other.axis == gap.axis
            and other.group != gap.group
            and other.label != gap.label
            and abs(other.share.estimate + gap.other_share.estimate - 1) < _SAME
            and abs(gap.share.estimate + other.other_share.estimate - 1) < _SAME
            for other in kept
        )
        if not mirrored:
            kept.append(gap)
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentGap:
    """How much better or worse a group is spoken of than the others of its axis."""

    axis: str
    group: str
    mean: float
    other_mean: float
    gap: Interval
    """At 95 %; of the mean sentiment of rows, which is -1 to 1."""
    rows: int


class SentimentOutcomes:
    """Sentiment of the trained sentences that mention one group of an axis only."""

    def __init__(self) -> None:
        """Begin empty."""
        # By axis and group: how many rows, the sum of their means, that of the squares.
        self._sums: dict[tuple[str, str], list[float]] = {}

    def add(self, sentences: Iterable[Sentence]) -> None:
        """Count a row: the mean of its sentences, by group."""
        of_row: dict[tuple[str, str], list[float]] = {}
        for sentence in sentences:
            if sentence.trained:
                for key in sentence.alone.items():
                    of_row.setdefault(key, []).append(sentence.sentiment)
        for key, values in of_row.items():
            mean = sum(values) / len(values)
            sums = self._sums.setdefault(key, [0.0, 0.0, 0.0])
            sums[0] += 1
            sums[1] += mean
            sums[2] += mean * mean

    def found(self, least: float) -> list[SentimentGap]:
        """Gaps that are surely not 0 and at least so wide, the widest first."""
        candidates = []
        for (axis, group), sums in sorted(self._sums.items()):
            own = _moments([sums])
            others = _moments(
                some for key, some in self._sums.items() if key[0] == axis and key[1] != group
            )
            if min(own.count, others.count) >= LEAST_ROWS:
                candidates.append((axis, group, own, others))
        z = quantile_for(len(candidates))
        gaps = []
        for axis, group, own, others in candidates:
            strict = difference_of_means(own, others, z)
            if abs(strict.estimate) >= least and (strict.low > 0 or strict.high < 0):
                gaps.append(
                    SentimentGap(
                        axis=axis,
                        group=group,
                        mean=own.mean,
                        other_mean=others.mean,
                        gap=difference_of_means(own, others, quantile_for()),
                        rows=own.count,
                    )
                )
        gaps.sort(key=lambda gap: (-abs(gap.gap.estimate), gap.axis, gap.group))
        # Where two groups prevail, one gap says what the other does.
        kept: list[SentimentGap] = []
        for gap in gaps:
            mirrored = any(
                other.axis == gap.axis
                and abs(other.mean - gap.other_mean) < _SAME
                and abs(gap.mean - other.other_mean) < _SAME
                for other in kept
            )
            if not mirrored:
                kept.append(gap)
        return kept


def _moments(sums: Iterable[Sequence[float]]) -> Moments:
    every = list(sums)
    return Moments(
        count=int(sum(one[0] for one in every)),
        total=sum(one[1] for one in every),
        squares=sum(one[2] for one in every),
    )
