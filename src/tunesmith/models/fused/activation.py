"""The gate's activation and its derivative.

    silu(g) = g / (1 + exp(-g))         gelu(g) = g Phi(g), or its tanh form

Shapes: C tokens of a block, F inner width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Name = Literal["silu", "gelu", "gelu_tanh"]
NAMES: tuple[Name, ...] = ("silu", "gelu_tanh", "gelu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """One of NAMES."""

    name: Name

    def forward(self, gates_CF: Tensor) -> Tensor:
        """The activated gates, in a new tensor."""
        if self.name == "silu":
            return functional.silu(gates_CF)
        return functional.gelu(gates_CF, approximate=self._form)

    def backward(self, slope_CF: Tensor, gates_CF: Tensor) -> Tensor:
        """The gradient by the gates."""
        if self.name == "silu":
            slope = torch.ops.aten.silu_backward(slope_CF, gates_CF)
        else:
            slope = torch.ops.aten.gelu_backward(slope_CF, gates_CF, approximate=self._form)
        assert isinstance(slope, Tensor)
        return slope

    @property
    def _form(self) -> str:
        return "tanh" if self.name == "gelu_tanh" else "none"
