"""chrF: F-score of character n-grams over the whole corpus (Popović 2015), 0 to 100.

For each n from 1 to 6, over all rows together:

    precision[n] = common[n] / answer[n]        recall[n] = common[n] / reference[n]
    chrF = 100 * 5 P R / (4 P + R)              P, R: means over the n that occur in both

The same figure as sacrebleu's CHRF (beta 2, white space left out); kept as 18 sums so that
any set of rows can be scored again, which the bootstrap needs.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from tunesmith.contracts import Metric
from tunesmith.evaluate.ratios import Floats, divide

METRIC = Metric(name="chrf", unit="0 to 100", higher_is_better=True)
_ORDERS = range(1, 7)
_BETA_SQUARED = 4.0


def statistics(answer: str, reference: str) -> tuple[float, ...]:
    """For each order: n-grams of the answer, of the reference, and common ones."""
    given, wanted = "".join(answer.split()), "".join(reference.split())
    numbers: list[float] = []
    for order in _ORDERS:
        given_grams, wanted_grams = _grams(given, order), _grams(wanted, order)
        common = (given_grams & wanted_grams).total()
        numbers += [given_grams.total() if wanted_grams else 0, wanted_grams.total(), common]
    return tuple(float(number) for number in numbers)


def value(sums: Floats) -> Floats:
    """The corpus chrF of summed statistics (..., 18)."""
    orders = sums.reshape(*sums.shape[:-1], len(_ORDERS), 3)
    given, wanted, common = orders[..., 0], orders[..., 1], orders[..., 2]
    counted = (given > 0) & (wanted > 0)
    number = counted.sum(axis=-1).astype(np.float64)
    precision = _mean(divide(common, given), counted, number)
    recall = _mean(divide(common, wanted), counted, number)
    score = divide((1 + _BETA_SQUARED) * precision * recall, _BETA_SQUARED * precision + recall)
    # Nothing in common, or an empty answer, is 0; no reference text at all is undefined.
    return np.where(np.isnan(score) & (wanted.sum(axis=-1) > 0), 0.0, 100.0 * score)


def _mean(shares: Floats, counted: np.ndarray, number: Floats) -> Floats:
    return divide(np.where(counted, shares, 0.0).sum(axis=-1), number)


def _grams(text: str, order: int) -> Counter[str]:
    return Counter(text[start : start + order] for start in range(len(text) - order + 1))
