"""Direct preference optimisation: chosen completions become more likely than rejected ones.

    gain[r]   = sum over the trained tokens of row r of  w (log pi - log ref)
    margin[p] = gain[chosen row of p] - gain[rejected row of p]
    loss[p]   = -(1 - s) log sigmoid(beta margin[p]) - s log sigmoid(-beta margin[p])

summed over the pairs p and divided by their number; w is a token's weight (1 unless the data
gives another), ref the model as training begins, s the label smoothing. Sources: arXiv
2305.18290 (DPO, s = 0) and ericmitchell.ai/cdpo.pdf (s above 0).

Shapes: N trained tokens of a forest, P pairs in it.
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
    logits_P = config.beta * margins(scores)
    right_P, wrong_P = functional.logsigmoid(logits_P), functional.logsigmoid(-logits_P)
    smoothing = config.label_smoothing
    return -((1 - smoothing) * right_P + smoothing * wrong_P).sum()


def margins(scores: Scores) -> Tensor:
    """By how much each pair's chosen completion has gained on its rejected one, in nats (P)."""
    assert scores.reference_N is not None, "the method asks for a reference"
    pairs_N = torch.div(scores.rows_N, 2, rounding_mode="floor")
    names_P, places_N = torch.unique(pairs_N, return_inverse=True)
    signs_N = 1 - 2 * (scores.rows_N - 2 * pairs_N)
    gains_N = signs_N * scores.weights_N * (scores.logprobs_N - scores.reference_N)
    return gains_N.new_zeros(names_P.numel()).index_add(0, places_N, gains_N)


def denominator(weights: Sequence[NDArray[np.float32]]) -> float:
    """The number of pairs of the step."""
    return len(weights) / 2
