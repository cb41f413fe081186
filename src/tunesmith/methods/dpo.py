"""Direct preference optimisation: chosen completions become more likely than rejected ones.

    gain[r]   = sum over the trained tokens of row r of  w (log pi - log ref)
    margin[p] = gain[chosen row of p] - gain[rejected row of p]
    loss[p]   = -(1 - s) log sigmoid(beta margin[p]) - s log sigmoid(-beta margin[p])

summed over the pairs p and divided by their number; w is a token's weight (1 unless the data
gives another), ref the model as training begins, s the label smoothing. Sources: arXiv
2305.18290 (DPO, s = 0) and ericmitchell.ai/cdpo.pdf (s above 0).

Shapes: N trained tokens of a forest, whose pairs take the first of N places.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from tunesmith import contracts
from tunesmith.contracts import Consumes, Scores

CONSUMES: Consumes = "preferences"
REFERENCE = True


class Config(contracts.Config):
    """How far the model may move, and how far the pairs are trusted."""

    beta: Annotated[float, Field(gt=0, le=100)] = 0.1
    """How closely the model is held to what it was before; less lets it go further."""
    label_smoothing: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Share of pairs that are taken to be the wrong way round."""


def loss(scores: Scores, config: contracts.Config) -> Tensor:
    """The sum of the pairs' losses."""
    assert isinstance(config, Config), "the recipe gives each method its own options"
    margins_N, filled_N = margins(scores)
    logits_N = config.beta * margins_N
    right_N, wrong_N = functional.logsigmoid(logits_N), functional.logsigmoid(-logits_N)
    smoothing = config.label_smoothing
    losses_N = (1 - smoothing) * right_N + smoothing * wrong_N
    return -torch.where(filled_N, losses_N, 0.0).sum()


def margins(scores: Scores) -> tuple[Tensor, Tensor]:
    """By how much each pair's chosen completion has gained on its rejected one, in nats.

    Returns:
        The margins in the order of the pairs, and which of the places hold one. There are as
        many places as tokens: to learn how many pairs there are, the host would have to wait
        for the device.
    """
    assert scores.reference_N is not None, "the method asks for a reference"
    pairs_N = torch.div(scores.rows_N, 2, rounding_mode="floor")
    signs_N = 1 - 2 * (scores.rows_N - 2 * pairs_N)
    gains_N = signs_N * scores.weights_N * (scores.logprobs_N - scores.reference_N)
    ascending_N, order_N = pairs_N.sort()
    new_N = ascending_N.diff(prepend=ascending_N[:1]) != 0
    places_N = torch.empty_like(order_N).scatter(0, order_N, new_N.cumsum(0))
    filled_N = torch.zeros_like(new_N).index_fill(0, places_N, True)
    return torch.zeros_like(gains_N).index_add(0, places_N, gains_N), filled_N


def denominator(weights: Sequence[NDArray[np.float32]]) -> float:
    """The number of pairs of the step."""
    return len(weights) / 2
