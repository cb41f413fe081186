"""F1 of words: the harmonic mean of precision and recall of the words, each as often as it occurs.

    F1 = 2 * common / (words of the answer + words of the reference)

As in SQuAD (Rajpurkar et al. 2016), but articles count, so that no language is favoured.
"""

from __future__ import annotations

from collections import Counter

from tunesmith.contracts import Metric
from tunesmith.evaluate.ratios import ratio as value
from tunesmith.evaluate.words import words

__all__ = ["METRIC", "statistics", "value"]

METRIC = Metric(name="f1", unit="0 to 1", higher_is_better=True)


def statistics(answer: str, reference: str) -> tuple[float, ...]:
    """(F1 of the pair, 1); two texts without words match."""
    given, wanted = Counter(words(answer)), Counter(words(reference))
    total = given.total() + wanted.total()
    return (2 * (given & wanted).total() / total if total else 1.0, 1.0)
