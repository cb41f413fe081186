"""The rows of an epoch, in order: a weighted mixture of the sources, shuffled by the seed.

A source of R rows and weight w gives w·R rows to each epoch e. Whole parts of w repeat all
rows; the rest f walks through one fixed shuffle of the source,

    places  floor(e·f·R) ... floor((e+1)·f·R) - 1   (mod R)

so that after 1/f epochs every row has been drawn equally often. Where rows belong together,
as the two of a pair do, what is ordered here are the pairs.

With a `Grouping` the rows of an epoch stand in the order of their tokens, cut into steps, and
the steps are shuffled: rows that begin alike fall into the same steps. Every row is still seen
as often, but those of a step resemble one another, so that its gradient says less about the
others: more variance from step to step, less within a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

_DRAW, _SHUFFLE, _GROUP = 1, 2, 4
"""Streams of random numbers that must not meet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Which rows begin alike, and how many make a step."""

    rank_R: NDArray[np.int64]
    """Place of each row, or of each pair, in the order of their tokens."""
    rows_per_step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """What decides the order of rows over a whole run."""

    source_of_R: NDArray[np.int32]
    """The source of each row, or of each pair."""
    weights: Sequence[float]
    """How often the rows of each source are seen an epoch."""
    seed: int
    shuffle: bool = True
    grouping: Grouping | None = None
    """Shuffles steps of rows that begin alike instead of rows."""


def epoch_order(mixture: Mixture, epoch: int) -> NDArray[np.int64]:
    """Indices of rows for epoch 0, 1, ...; without shuffle in the order of the files."""
    drawn = [
        _drawn(np.flatnonzero(mixture.source_of_R == source), weight, mixture.seed, epoch)
        for source, weight in enumerate(mixture.weights)
    ]
    rows = np.sort(np.concatenate(drawn).astype(np.int64))
    if mixture.grouping is not None:
        return _grouped(rows, mixture, mixture.grouping, epoch)
    if mixture.shuffle:
        np.random.default_rng([_SHUFFLE, mixture.seed, epoch]).shuffle(rows)
    return rows


def epoch_length(mixture: Mixture) -> float:
    """Rows of an epoch, on average."""
    counts = np.bincount(mixture.source_of_R, minlength=len(mixture.weights))
    return float(np.dot(counts, np.asarray(mixture.weights, dtype=np.float64)))


def _grouped(
    rows: NDArray[np.int64], mixture: Mixture, grouping: Grouping, epoch: int
) -> NDArray[np.int64]:
    """The rows in steps of rows that begin alike; the steps in random order.

    The stream of rows is cut every `rows_per_step`, so the first and the last step of an epoch
    may be shared with its neighbours. Where the cuts fall among the rows differs by epoch.
    """
    generator = np.random.default_rng([_GROUP, mixture.seed, epoch])
    rows = rows[np.argsort(grouping.rank_R[rows], kind="stable")]
    if len(rows):
        rows = np.roll(rows, -int(generator.integers(len(rows))))
    size = grouping.rows_per_step
    head = min(-_rows_before(mixture, epoch) % size, len(rows))
    tail = head + (len(rows) - head) // size * size
    steps = generator.permutation(rows[head:tail].reshape(-1, size))
    return np.concatenate([rows[:head], steps.reshape(-1), rows[tail:]])


def _rows_before(mixture: Mixture, epoch: int) -> int:
    """Rows of all epochs before this one."""
    counts = np.bincount(mixture.source_of_R, minlength=len(mixture.weights)).tolist()
    return sum(
        epoch * int(weight) * count + int(epoch * _share(weight) * count)
        for weight, count in zip(mixture.weights, counts, strict=True)
    )


def _share(weight: float) -> Fraction:
    """What a weight has beyond whole epochs."""
    return Fraction(weight).limit_denominator(10_000) - int(weight)


def _drawn(rows: NDArray[np.int64], weight: float, seed: int, epoch: int) -> NDArray[np.int64]:
    whole = int(weight)
    part = _share(weight)
    begin = int(epoch * part * len(rows))
    end = int((epoch + 1) * part * len(rows))
    if begin == end:
        return np.tile(rows, whole)
    # one shuffle per source, the same in every epoch: its rows name the source
    fixed = np.random.default_rng([_DRAW, seed, int(rows[0])]).permutation(rows)
    places = np.arange(begin, end) % len(rows)
    return np.concatenate([np.tile(rows, whole), fixed[places]])
