"""Exact match: 1 where the answer is the reference, ignoring case and white space.

"Yes,  from 10." and "yes, from 10." match; "Yes." does not.
"""

from __future__ import annotations

from tunesmith.contracts import Metric
from tunesmith.evaluate.ratios import ratio as value
from tunesmith.evaluate.words import normalised

__all__ = ["METRIC", "statistics", "value"]

METRIC = Metric(name="exact_match", unit="share of answers", higher_is_better=True)


def statistics(answer: str, reference: str) -> tuple[float, ...]:
    """(1 or 0, 1)."""
    return (float(normalised(answer) == normalised(reference)), 1.0)
