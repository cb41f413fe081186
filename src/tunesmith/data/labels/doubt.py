"""Labels that their rows' words speak against, by a model that has not seen the row.

A naive Bayes model over words gives each row r and class c the score

    s(r, c) = ( log P(c) + sum over the row's places w of log P(w | c) ) / sqrt(places of r)

with the row itself taken out of the counts (leave one out: exact, and no dearer than one
model). The doubt of a row is the best other class's score less that of its own label.

How much doubt is too much is read from the data, by the idea of confident learning
(Northcutt et al. 2021): were labels wrong by chance, the doubt of those rows would be
distributed as that of rows given a random other label, D1. So of all rows beyond t,

    share of wrong labels  p <= rows beyond t / D1 beyond t      for every t
    right among reported(t)  = p * D1 beyond t / rows beyond t

and t is the smallest for which that is as much as asked for.

Shapes: R rows, C classes, P places of words, D random labels drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.data.labels.words import PLACES

_SMOOTHING = 0.03
_LEAST_BEYOND = 5
_LEAST_SHARE_BEYOND = 0.002
_LEAST_OF_RANDOM = 0.5
"""Share of D1 beyond t that t must keep to tell the share of wrong labels: further out, a few
rows decide."""
_DRAWS = 5
"""Random labels drawn for each row, for D1."""
LEAST_GAIN = 0.5
"""Of what always naming the largest class gets wrong, the share that words must put right.
Below, they do not tell the label, and a doubt means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """What a model that had not seen a row makes of its label."""

    doubt_R: NDArray[np.float32]
    """Above 0, another class fits better."""
    likely_R: NDArray[np.int64]
    """The best class other than the label."""
    beyond: float
    """The doubt from which on a label is reported; infinite where none is."""
    agreement: float
    """Share of labels that fit best."""
    share_wrong: float
    """Estimate of the share of wrong labels."""


def doubts_of(
    places: Sequence[NDArray[np.uint16]],
    labels_R: NDArray[np.int64],
    *,
    right: float,
    seed: int,
) -> Doubts:
    """Doubt every label.

    Args:
        places: of each row, as `places_of` gives them.
        labels_R: 0 to C - 1, at least two classes, two rows or more of each.
        right: share of reported rows that should be wrong labels indeed, 0 to 1.
        seed: of the random labels that doubts are compared with.
    """
    scores_RC = _leave_one_out(places, labels_R)
    rows = np.arange(len(labels_R))
    top_R, best_R = scores_RC.argmax(axis=1), scores_RC.max(axis=1)
    own_R = scores_RC[rows, labels_R]
    classes = scores_RC.shape[1]
    drawn_DR = np.random.default_rng(seed).integers(1, classes, (_DRAWS, len(rows)))
    random_DR = best_R - scores_RC[rows, (top_R + drawn_DR) % classes]
    scores_RC[rows, labels_R] = -np.inf
    likely_R = scores_RC.argmax(axis=1)
    doubt_R = scores_RC[rows, likely_R] - own_R
    agreement = float((doubt_R < 0).mean())
    beyond, share_wrong = _threshold(doubt_R, random_DR, right)
    largest = float(np.bincount(labels_R).max() / len(rows))
    if agreement - largest < LEAST_GAIN * (1 - largest):
        beyond, share_wrong = float("inf"), 0.0
    return Doubts(
        doubt_R=doubt_R,
        likely_R=likely_R,
        beyond=beyond,
        agreement=agreement,
        share_wrong=share_wrong,
    )


def _leave_one_out(
    places: Sequence[NDArray[np.uint16]], labels_R: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Scores, each row's by counts without it."""
    classes = int(labels_R.max()) + 1
    counts_CP = np.zeros((classes, PLACES), dtype=np.float32)
    for places_P, label in zip(places, labels_R, strict=True):
        counts_CP[label, places_P] += 1
    totals_C = counts_CP.sum(axis=1, dtype=np.float64)
    rows_C = np.bincount(labels_R, minlength=classes)
    weighed = _SMOOTHING * PLACES
    prior_C = np.log(rows_C + 0.5)
    log_CP = np.log(counts_CP + np.float32(_SMOOTHING))
    log_CP -= np.log(totals_C + weighed).astype(np.float32)[:, None]
    log_PC = np.ascontiguousarray(log_CP.T)
    scores_RC = np.empty((len(labels_R), classes), dtype=np.float32)
    for row, (places_P, label) in enumerate(zip(places, labels_R, strict=True)):
        scores_C = log_PC[places_P].sum(axis=0) + prior_C
        without_P = counts_CP[label, places_P] - 1
        rest = totals_C[label] - len(places_P) + weighed
        scores_C[label] = np.log(without_P + _SMOOTHING).sum() - len(places_P) * np.log(rest)
        scores_C[label] += np.log(rows_C[label] - 0.5)
        scores_RC[row] = scores_C / np.sqrt(max(len(places_P), 1))
    return scores_RC


def _threshold(
    doubt_R: NDArray[np.float32], random_DR: NDArray[np.float32], right: float
) -> tuple[float, float]:
    """The doubt from which on so many are right, and the share of wrong labels."""
    rows = len(doubt_R)
    doubts = np.sort(doubt_R[doubt_R > 0])
    beyond = np.arange(len(doubts), 0, -1)
    drawn = np.sort(random_DR, axis=None)
    random_beyond = rows * (1 - np.searchsorted(drawn, doubts) / len(drawn))
    tells = beyond >= max(_LEAST_BEYOND, _LEAST_SHARE_BEYOND * rows)
    tells &= random_beyond >= _LEAST_OF_RANDOM * rows
    if not tells.any():
        return float("inf"), 0.0
    share_wrong = float((beyond[tells] / random_beyond[tells]).min())
    enough = np.flatnonzero(share_wrong * random_beyond >= right * beyond)
    return float(doubts[enough[0]]), share_wrong
