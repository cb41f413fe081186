"""Supervised fine-tuning: the answers of the data become more likely.

    loss = - sum_n weight[n] * log p(token[n] | tokens before)   over the step's trained tokens,
    divided by the sum of their weights

Shapes: N trained tokens of a forest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tunesmith import contracts
from tunesmith.contracts import Consumes, Scores

CONSUMES: Consumes = "answers"
REFERENCE = False


class Config(contracts.Config):
    """The method has no options."""


def loss(scores: Scores, config: contracts.Config) -> Tensor:
    """The weighted sum of negative log-probabilities, in nats."""
    return -(scores.weights_N * scores.logprobs_N).sum()


def denominator(weights: Sequence[NDArray[np.float32]]) -> float:
    """The sum of the weights of the step's tokens, summed in float64."""
    return float(sum(float(row.sum(dtype=np.float64)) for row in weights))
