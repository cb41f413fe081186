"""Figures of teacher-forced passages, and which of their statistics each needs.

    loss             sum(weight * nats) / sum(weight)        nats per trained token
    perplexity       exp(sum(nats) / tokens)
    bits_per_byte    sum(nats) / ln 2 / bytes                of the trained text in UTF-8
    token_accuracy   correct / tokens

The sums run over all passages, so long rows weigh more, as they do in training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tunesmith.contracts import Metric
from tunesmith.evaluate.contracts import Measure, Passage, PassageScore
from tunesmith.evaluate.ratios import Floats, bits, exponential, ratio

LOSS = Metric(name="loss", unit="nats per token", higher_is_better=False)
PERPLEXITY = Metric(name="perplexity", unit="per token", higher_is_better=False)
BITS_PER_BYTE = Metric(name="bits_per_byte", unit="bits per byte", higher_is_better=False)
TOKEN_ACCURACY = Metric(name="token_accuracy", unit="share of tokens", higher_is_better=True)

_Pair = Callable[[Passage, PassageScore], tuple[float, float]]
_STATISTICS: dict[str, tuple[_Pair, Callable[[Floats], Floats]]] = {
    "loss": (lambda passage, score: (score.weighted_nats, score.weight), ratio),
    "perplexity": (lambda passage, score: (score.nats, score.tokens), exponential),
    "bits_per_byte": (lambda passage, score: (score.nats, passage.size), bits),
    "token_accuracy": (lambda passage, score: (score.correct, score.tokens), ratio),
}


def passage_measures(
    metrics: Sequence[Metric], passages: Sequence[Passage], scores: Sequence[PassageScore]
) -> tuple[Measure, ...]:
    """Each metric over all passages and, where there are several parts, over each of them."""
    parts = sorted({passage.part for passage in passages} - {"all"})
    measures = []
    for metric in metrics:
        for part in ("all", *(parts if len(parts) > 1 else ())):
            chosen = [
                (passage, score)
                for passage, score in zip(passages, scores, strict=True)
                if part in ("all", passage.part)
            ]
            measures.append(_measure(metric, part, chosen))
    return tuple(measures)


def _measure(metric: Metric, part: str, chosen: Sequence[tuple[Passage, PassageScore]]) -> Measure:
    pair, value = _STATISTICS[metric.name]
    statistics = [pair(passage, score) for passage, score in chosen]
    return Measure(
        metric=metric,
        slice=part,
        keys=tuple(str(passage.row.place) for passage, _ in chosen),
        groups=tuple(passage.group for passage, _ in chosen),
        statistics_RK=np.array(statistics, dtype=np.float64).reshape(-1, 2),
        value=value,
    )
