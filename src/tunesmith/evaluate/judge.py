"""What a model makes of the trained tokens of a forest: how likely each was, and whether likeliest.

Shapes: N trained tokens, C of a chunk, D width of the hidden states, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from tunesmith.data.forest import Forest
from tunesmith.models.attention import ForestSupport
from tunesmith.models.causal import causal_model, vocabulary_of
from tunesmith.models.head import chunk_length, own_head
from tunesmith.models.precision import products
from tunesmith.models.score import forest_hidden


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
    targets_N = torch.from_numpy(forest.target_ids_N).to(causal_model(model).device)
    head = own_head(model)
    chunk = chunk_length(vocabulary_of(model), hidden_ND.device.type)
    nats, correct = [], []
    with products(model):
        for start in range(0, len(targets_N), chunk):
            hidden_CD = hidden_ND[start : start + chunk]
            targets_C = targets_N[start : start + chunk]
            logits_CV = head(inputs_embeds=hidden_CD[None], use_cache=False).logits[0].float()
            nats.append(functional.cross_entropy(logits_CV, targets_C, reduction="none"))
            correct.append(logits_CV.argmax(dim=-1) == targets_C)
    return Judgement(
        nats_N=torch.cat(nats).double().cpu().numpy(),
        correct_N=torch.cat(correct).cpu().numpy(),
    )
