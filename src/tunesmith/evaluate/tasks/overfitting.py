"""Whether rows were memorised: the loss on training rows beside that on held-out rows.

    gap = loss(held out) - loss(train)        nats per token

A gap that grows by tuning means that the model knows its training rows better than the
subject. `train` and `held_out` are slices of `loss`; `gap` compares them, and its interval
resamples the two kinds of rows apart.
"""

from __future__ import annotations

import numpy as np

from tunesmith.contracts import Metric
from tunesmith.evaluate.contracts import Material, Measure, Measurement, Passage, Subject
from tunesmith.evaluate.passages import LOSS
from tunesmith.evaluate.questions import (
    HELD_OUT,
    TRAIN,
    answers_missing,
    held_out_passages,
    train_passages,
)
from tunesmith.evaluate.ratios import Floats, ratio

VERSION = 1
GAP = Metric(name="gap", unit="nats per token", higher_is_better=False)
METRICS = (GAP, LOSS)


def missing(material: Material) -> str:
    """It needs rows of both kinds."""
    kept = "" if material.train else "the run kept no sample of its training rows"
    return answers_missing(material) or kept


def measure(subject: Subject, material: Material) -> Measurement:
    """The loss of each kind of rows, and the gap between them."""
    sides: dict[str, tuple[tuple[Passage, ...], Floats]] = {}
    for name, passages in (
        (HELD_OUT, held_out_passages(material)),
        (TRAIN, train_passages(material)),
    ):
        scores = subject.score(name, passages)
        pairs = [(score.weighted_nats, score.weight) for score in scores]
        sides[name] = (passages, np.array(pairs, dtype=np.float64).reshape(-1, 2))
    losses = (
        Measure(
            metric=LOSS, slice=name, keys=_keys(passages), groups=_groups(passages),
            statistics_RK=statistics, value=ratio,
        )
        for name, (passages, statistics) in sides.items()
    )  # fmt: skip
    return Measurement(measures=(_gap(sides), *losses))


def _gap(sides: dict[str, tuple[tuple[Passage, ...], Floats]]) -> Measure:
    """Four statistics a row: numerator and denominator of its own kind, zeros of the other."""
    (held_out, held_out_R2), (train, train_R2) = sides[HELD_OUT], sides[TRAIN]
    return Measure(
        metric=GAP,
        slice="all",
        keys=_keys(held_out) + _keys(train),
        groups=_groups(held_out) + _groups(train),
        strata=(HELD_OUT,) * len(held_out) + (TRAIN,) * len(train),
        statistics_RK=np.block(
            [
                [held_out_R2, np.zeros_like(held_out_R2)],
                [np.zeros_like(train_R2), train_R2],
            ]
        ),
        value=lambda sums: ratio(sums[..., :2]) - ratio(sums[..., 2:]),
    )


def _keys(passages: tuple[Passage, ...]) -> tuple[str, ...]:
    return tuple(str(passage.row.place) for passage in passages)


def _groups(passages: tuple[Passage, ...]) -> tuple[str, ...]:
    return tuple(passage.group for passage in passages)
