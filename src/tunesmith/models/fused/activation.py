"""The gate's activation and its derivative.

    silu(g) = g / (1 + exp(-g))         gelu(g) = g Phi(g), or its tanh form

Shapes: C tokens of a block, F inner width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Name = Literal["silu", "gelu", "gelu_tanh"]
NAMES: tuple[Name, ...] = ("silu", "gelu_tanh", "gelu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """One of NAMES."""

    name: Name

    def forward(self, gates_CF: Tensor, out_CF: Tensor) -> Tensor:
        """Write the activated gates, and return them."""
        if self.name == "silu":
            torch.ops.aten.silu.out(gates_CF, out=out_CF)
        else:
            torch.ops.aten.gelu.out(gates_CF, approximate=self._form, out=out_CF)
        return out_CF

    def backward(self, slope_CF: Tensor, gates_CF: Tensor) -> Tensor:
        """The gradient by the gates, in the place of the gradient by what they became."""
        if self.name == "silu":
            torch.ops.aten.silu_backward.grad_input(slope_CF, gates_CF, grad_input=slope_CF)
        else:
            torch.ops.aten.gelu_backward.grad_input(
                slope_CF, gates_CF, approximate=self._form, grad_input=slope_CF
            )
        return slope_CF

    @property
    def _form(self) -> str:
        return "tanh" if self.name == "gelu_tanh" else "none"
