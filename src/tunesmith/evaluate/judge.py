"""What a model makes of the trained tokens of a forest: how likely each was, and whether likeliest.

Shapes: N trained tokens, D width of the hidden states.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tunesmith.data.forest import Forest
from tunesmith.models.attention import ForestSupport
from tunesmith.models.precision import products
from tunesmith.models.score import forest_hidden
from tunesmith.models.statistics import token_statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Of each trained token, in the forest's order."""

    nats_N: NDArray[np.float64]
    """Negative log-probability, natural logarithm."""
    correct_N: NDArray[np.bool_]
    """Whether it was the likeliest of all tokens."""


@torch.no_grad()
def judge(model: nn.Module, forest: Forest, *, support: ForestSupport) -> Judgement:
    """Judge a forest's trained tokens; the full logits never exist."""
    hidden_ND = forest_hidden(model, forest, support=support)
    targets_N = torch.from_numpy(forest.target_ids_N).to(hidden_ND.device)
    with products(model):
        found = token_statistics(model, hidden_ND, targets_N)
    return Judgement(
        nats_N=-found.logprobs_N.double().cpu().numpy(),
        correct_N=(found.top_ids_NK[:, 0] == targets_N).cpu().numpy(),
    )
