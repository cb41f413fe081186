"""Which of two completions the model prefers, on the held-out pairs.

    margin            beta * ((log pi - log base)[chosen] - (log pi - log base)[rejected])
    reward_accuracy   share of pairs with margin > 0; a margin of 0 counts one half
    ranking_accuracy  share of pairs with log pi[chosen] > log pi[rejected]
    reward_margin     mean margin
    loss              mean of -(1 - s) log sigmoid(margin) - s log sigmoid(-margin)
    chosen_loss       -log pi[chosen] / tokens

log pi and log base are sums over a completion's trained tokens, under the model that is
measured and under the base; beta and s are those of the run's method. The base has no margin
over itself: its reward_accuracy is 0.5, its loss ln 2. Chosen completions may become less
likely while the margin grows: chosen_loss shows that. Sources: arXiv 2305.18290 (implicit
reward), 2405.19534 (ranking accuracy).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunesmith.contracts import Json, Metric
from tunesmith.evaluate.contracts import (
    Material,
    Measure,
    Measurement,
    Passage,
    PassageScore,
    Subject,
)
from tunesmith.evaluate.ratios import Floats, ratio

VERSION = 1
REWARD_ACCURACY = Metric(name="reward_accuracy", unit="share of pairs", higher_is_better=True)
RANKING_ACCURACY = Metric(name="ranking_accuracy", unit="share of pairs", higher_is_better=True)
REWARD_MARGIN = Metric(name="reward_margin", unit="nats times beta", higher_is_better=True)
LOSS = Metric(name="loss", unit="nats per pair", higher_is_better=False)
CHOSEN_LOSS = Metric(name="chosen_loss", unit="nats per token", higher_is_better=False)
METRICS = (REWARD_ACCURACY, RANKING_ACCURACY, REWARD_MARGIN, LOSS, CHOSEN_LOSS)
_NAME = "pairs"


def missing(material: Material) -> str:
    """It needs held-out pairs."""
    if not material.held_out:
        return "no rows are held out"
    return "" if _pairs(material) else "the rows are no pairs of answers"


def measure(subject: Subject, material: Material) -> Measurement:
    """How often and by how much the chosen completion is preferred, against the base."""
    pairs = _pairs(material)
    passages = [passage for pair in pairs for passage in pair]
    own = subject.score(_NAME, passages)
    logprobs_R2, base_R2 = (
        -np.array([score.weighted_nats for score in scores], dtype=np.float64).reshape(-1, 2)
        for scores in (own, subject.score_of_base(_NAME, passages))
    )
    beta = _option(material, "beta", 0.1)
    gains_R2 = beta * (logprobs_R2 - base_R2)
    margins_R = gains_R2[:, 0] - gains_R2[:, 1]
    figures: tuple[tuple[Metric, Floats], ...] = (
        (REWARD_ACCURACY, _share_above(margins_R)),
        (RANKING_ACCURACY, _share_above(logprobs_R2[:, 0] - logprobs_R2[:, 1])),
        (REWARD_MARGIN, margins_R),
        (LOSS, _losses(margins_R, _option(material, "label_smoothing", 0.0))),
    )
    measures = [_measure(metric, pairs, _with_ones(values)) for metric, values in figures]
    measures.append(_measure(CHOSEN_LOSS, pairs, _of_chosen(own)))
    return Measurement(measures=tuple(measures), details={"beta": beta})


def _pairs(material: Material) -> list[tuple[Passage, Passage]]:
    found = (material.encoder.pair(example) for example in material.held_out)
    return [pair for pair in found if pair is not None]


def _option(material: Material, name: str, otherwise: float) -> float:
    """An option of the run's method, where it has one of that name."""
    value: Json = material.method.options.get(name)
    return float(value) if isinstance(value, int | float) else otherwise


def _share_above(differences_R: Floats) -> Floats:
    above_R: Floats = np.where(differences_R > 0, 1.0, np.where(differences_R == 0, 0.5, 0.0))
    return above_R


def _losses(margins_R: Floats, smoothing: float) -> Floats:
    """-log sigmoid(x) is log(1 + exp(-x)), which logaddexp computes for any x."""
    right_R, wrong_R = np.logaddexp(0, -margins_R), np.logaddexp(0, margins_R)
    losses_R: Floats = (1 - smoothing) * right_R + smoothing * wrong_R
    return losses_R


def _with_ones(values_R: Floats) -> Floats:
    return np.stack([values_R, np.ones_like(values_R)], axis=1)


def _of_chosen(scores: Sequence[PassageScore]) -> Floats:
    chosen = [(score.nats, score.tokens) for score in scores[::2]]
    return np.array(chosen, dtype=np.float64).reshape(-1, 2)


def _measure(
    metric: Metric, pairs: Sequence[tuple[Passage, Passage]], statistics_R2: Floats
) -> Measure:
    return Measure(
        metric=metric,
        slice="all",
        keys=tuple(str(chosen.row.place) for chosen, _ in pairs),
        groups=tuple(chosen.group for chosen, _ in pairs),
        statistics_RK=statistics_R2,
        value=ratio,
    )
