"""ROUGE-L: the longest common subsequence of words, as an F-measure (Lin 2004).

    P = LCS / words of the answer      R = LCS / words of the reference      F = 2 P R / (P + R)

Words are Unicode words, so that it works in every script; in plain English without stemming
the figure is that of the package rouge-score.
"""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import Metric
from tunesmith.evaluate.ratios import ratio as value
from tunesmith.evaluate.words import words

__all__ = ["METRIC", "longest_common", "statistics", "value"]

METRIC = Metric(name="rouge_l", unit="0 to 1", higher_is_better=True)


def statistics(answer: str, reference: str) -> tuple[float, ...]:
    """(ROUGE-L of the pair, 1); two texts without words match."""
    given, wanted = words(answer), words(reference)
    total = len(given) + len(wanted)
    return (2 * longest_common(given, wanted) / total if total else 1.0, 1.0)


def longest_common(left: Sequence[str], right: Sequence[str]) -> int:
    """Length of the longest common subsequence.

    Row by row in the bits of whole numbers (Hyyrö 2004): bit j of `open_bits` is 0 where the
    subsequence up to word j of `left` grows by that word.
    """
    places: dict[str, int] = {}
    for index, word in enumerate(left):
        places[word] = places.get(word, 0) | 1 << index
    everything = (1 << len(left)) - 1
    open_bits = everything
    for word in right:
        matches = open_bits & places.get(word, 0)
        open_bits = ((open_bits + matches) | (open_bits - matches)) & everything
    return len(left) - open_bits.bit_count()
