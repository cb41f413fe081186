"""ROUGE-L: the longest common subsequence of words, as an F-measure (Lin 2004).

Computed by rouge-score; words are Unicode words, so that it works in every script.
"""

from __future__ import annotations

from rouge_score.rouge_scorer import RougeScorer

from tunesmith.contracts import Metric
from tunesmith.evaluate.ratios import ratio as value
from tunesmith.evaluate.words import words

__all__ = ["METRIC", "statistics", "value"]

METRIC = Metric(name="rouge_l", unit="0 to 1", higher_is_better=True)


class _Words:
    """The tokenizer that rouge-score asks for."""

    def tokenize(self, text: str) -> list[str]:
        """Lower-case Unicode words."""
        return list(words(text))


_SCORER = RougeScorer(["rougeL"], tokenizer=_Words())


def statistics(answer: str, reference: str) -> tuple[float, ...]:
    """(ROUGE-L of the pair, 1); two texts without words match."""
    if not words(answer) and not words(reference):
        return (1.0, 1.0)
    return (float(_SCORER.score(reference, answer)["rougeL"].fmeasure), 1.0)
