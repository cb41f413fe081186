"""Figures from summed statistics: means, and their logarithmic relatives.

    statistics of two rows   (3.0, 2), (1.0, 2)   ->   sums (4.0, 4)   ->   ratio 1.0

Shapes: sums (..., K) with numerator and denominator as the first two of K; figures (...).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def ratio(sums: Floats) -> Floats:
    """Numerator / denominator; NaN where the denominator is 0."""
    return divide(sums[..., 0], sums[..., 1])


def exponential(sums: Floats) -> Floats:
    """exp(numerator / denominator): the perplexity of nats per token."""
    figures: Floats = np.exp(np.minimum(ratio(sums), 700.0))
    return figures


def bits(sums: Floats) -> Floats:
    """Numerator / denominator / ln 2: nats become bits."""
    figures: Floats = ratio(sums) / np.log(2.0)
    return figures


def divide(numerator: Floats, denominator: Floats) -> Floats:
    """Division that gives NaN, without a warning, where the denominator is 0."""
    quotient = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0)
    return quotient
