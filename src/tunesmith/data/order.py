"""The rows of an epoch, in order: a weighted mixture of the sources, shuffled by the seed.

A source of R rows and weight w gives w·R rows to each epoch e. Whole parts of w repeat all
rows; the rest f walks through one fixed shuffle of the source,

    places  floor(e·f·R) ... floor((e+1)·f·R) - 1   (mod R)

so that after 1/f epochs every row has been drawn equally often. Where rows belong together,
as the two of a pair do, what is ordered here are the pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

_DRAW, _SHUFFLE = 1, 2
"""Streams of random numbers that must not meet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """What decides the order of rows over a whole run."""

    source_of_R: NDArray[np.int32]
    """The source of each row, or of each pair."""
    weights: Sequence[float]
    """How often the rows of each source are seen an epoch."""
    seed: int
    shuffle: bool = True


def epoch_order(mixture: Mixture, epoch: int) -> NDArray[np.int64]:
    """Indices of rows for epoch 0, 1, ...; without shuffle in the order of the files."""
    drawn = [
        _drawn(np.flatnonzero(mixture.source_of_R == source), weight, mixture.seed, epoch)
        for source, weight in enumerate(mixture.weights)
    ]
    rows = np.sort(np.concatenate(drawn).astype(np.int64))
    if mixture.shuffle:
        np.random.default_rng([_SHUFFLE, mixture.seed, epoch]).shuffle(rows)
    return rows


def epoch_length(mixture: Mixture) -> float:
    """Rows of an epoch, on average."""
    counts = np.bincount(mixture.source_of_R, minlength=len(mixture.weights))
    return float(np.dot(counts, np.asarray(mixture.weights, dtype=np.float64)))


def _drawn(rows: NDArray[np.int64], weight: float, seed: int, epoch: int) -> NDArray[np.int64]:
    whole = int(weight)
    part = Fraction(weight).limit_denominator(10_000) - whole
    begin = int(epoch * part * len(rows))
    end = int((epoch + 1) * part * len(rows))
    if begin == end:
        return np.tile(rows, whole)
    # one shuffle per source, the same in every epoch: its rows name the source
    fixed = np.random.default_rng([_DRAW, seed, int(rows[0])]).permutation(rows)
    places = np.arange(begin, end) % len(rows)
    return np.concatenate([np.tile(rows, whole), fixed[places]])
