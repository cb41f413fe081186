"""A copy of a layer in fp32, its matrices plain ones: what it computes without any rounding."""

from __future__ import annotations

import copy

import torch
from torch import nn

from tunesmith.models.fp8 import Fp8Linear
from tunesmith.models.nf4 import dense_values


def in_fp32(layer: nn.Module) -> nn.Module:
    """The copy; layers in 8 or 4 bits become linear layers of the values that they stand for."""
    plain: dict[int, nn.Module] = {}
    for module in layer.modules():
        values = module.values if isinstance(module, Fp8Linear) else dense_values(module)
        if values is not None:
            assert isinstance(module, nn.Linear), "quantised layers are linear ones"
            plain[id(module)] = _linear(values().float(), module.bias)
    # What the memo holds is taken for the copy.
    copied: nn.Module = copy.deepcopy(layer, dict[int, object](plain))
    return copied.float()


def _linear(weight_OI: torch.Tensor, bias_O: torch.Tensor | None) -> nn.Linear:
    outputs, inputs = weight_OI.shape
    made = nn.Linear(inputs, outputs, bias=bias_O is not None, device="meta")
    made.weight = nn.Parameter(weight_OI, requires_grad=False)
    if bias_O is not None:
        made.bias = nn.Parameter(bias_O.detach().float(), requires_grad=False)
    return made
