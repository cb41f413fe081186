"""Root mean square normalisation (arXiv 1910.07467) on buffers.

    y = w x r,    r = 1 / sqrt(mean(x^2) + eps)
    dx = r w dy - x r^3 mean(x w dy),     dw = sum x r dy

Gemma keeps w - 1: `offset` is what is added to the weight.

Shapes: C tokens of a block, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """The weight and constants of a norm."""

    weight_D: Tensor
    epsilon: float
    offset: float = 0.0

    def scales(self) -> Tensor:
        """What the normalised states are multiplied by."""
        return self.weight_D + self.offset if self.offset else self.weight_D

    def forward(self, states_CD: Tensor, out_CD: Tensor) -> Tensor:
        """Write the normalised states of a block; r as `(C, 1)`."""
        torch.mul(states_CD, states_CD, out=out_CD)
        rates_C1 = out_CD.mean(dim=1, keepdim=True).add_(self.epsilon).rsqrt_()
        torch.mul(states_CD, rates_C1, out=out_CD)
        out_CD.mul_(self.scales())
        return rates_C1

    def backward(
        self, slope_CD: Tensor, states_CD: Tensor, rates_C1: Tensor, weight_slope_D: Tensor | None
    ) -> Tensor:
        """The gradient by the states; `slope_CD` is used up, `weight_slope_D` is added to."""
        if weight_slope_D is not None:
            weight_slope_D.add_((slope_CD * states_CD * rates_C1).sum(dim=0))
        slope_CD.mul_(self.scales())
        inner_C1 = (slope_CD * states_CD).mean(dim=1, keepdim=True)
        inner_C1.mul_(rates_C1.pow(3))
        return slope_CD.mul_(rates_C1).addcmul_(states_CD, inner_C1, value=-1.0)
