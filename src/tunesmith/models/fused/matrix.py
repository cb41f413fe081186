"""The matrices of linear layers, however they are kept, and products with all tokens at once.

    dense       y = x W^T               dx = dy W            dW = dy^T x
    fp8         the same with W, x and dy rounded to 8 bits (`models.fp8`); W is frozen
    nf4         the same with W put together from 4 bits, each time (`models.nf4`); W is frozen

States that several matrices multiply are rounded once.

Shapes: N tokens, I inputs, O outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from tunesmith.models.fp8 import Fp8Linear, Fp8Weight, Rounded, round_states
from tunesmith.models.nf4 import dense_values


class Inputs:
    """States (N, I) that are multiplied, rounded when the first product asks for it."""

    def __init__(self, states_NI: Tensor) -> None:
        """Take the states in the precision of the products."""
        self.states_NI = states_NI
        self._rounded: Rounded | None = None

    def rounded(self) -> Rounded:
        """In 8 bits."""
        if self._rounded is None:
            self._rounded = round_states(self.states_NI)
        return self._rounded


class Matrix(Protocol):
    """W of a linear layer."""

    @property
    def trained(self) -> Tensor | None:
        """The weight (O, I) that a gradient may be asked for; None where it is frozen for good."""
        ...

    @property
    def outputs(self) -> int:
        """O."""
        ...

    def forward(self, inputs: Inputs, onto_NO: Tensor | None) -> Tensor:
        """`(N, O)` in the precision of the inputs, added to `onto_NO` in that of the latter."""
        ...

    def backward(self, slope_NO: Tensor, onto_NI: Tensor | None) -> Tensor:
        """The gradient by the inputs, `(N, I)`, added to `onto_NI`, which may be used up."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """A matrix as it is, rounded to the precision of the products where it is kept finer."""

    weight_OI: Tensor

    @property
    def trained(self) -> Tensor | None:
        """The weight."""
        return self.weight_OI

    @property
    def outputs(self) -> int:
        """O."""
        return self.weight_OI.shape[0]

    def forward(self, inputs: Inputs, onto_NO: Tensor | None) -> Tensor:
        """As `Matrix` says."""
        return _multiplied(
            inputs.states_NI, self.weight_OI.to(inputs.states_NI.dtype).t(), onto_NO, spend=False
        )

    def backward(self, slope_NO: Tensor, onto_NI: Tensor | None) -> Tensor:
        """As `Matrix` says."""
        return _multiplied(slope_NO, self.weight_OI.to(slope_NO.dtype), onto_NI, spend=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fp8:
    """A matrix in 8 bits."""

    layer: Fp8Linear

    @property
    def trained(self) -> Tensor | None:
        """It is frozen."""
        return None

    @property
    def outputs(self) -> int:
        """O."""
        return self.layer.out_features

    def forward(self, inputs: Inputs, onto_NO: Tensor | None) -> Tensor:
        """As `Matrix` says."""
        if not self.layer.rounds_inputs:
            weight_OI = self.layer.values().to(inputs.states_NI.dtype)
            return Dense(weight_OI=weight_OI).forward(inputs, onto_NO)
        made = self._weight().product(inputs.rounded(), inputs.states_NI.dtype)
        return made if onto_NO is None else onto_NO + made

    def backward(self, slope_NO: Tensor, onto_NI: Tensor | None) -> Tensor:
        """As `Matrix` says."""
        if not self.layer.rounds_inputs:
            return Dense(weight_OI=self.layer.values()).backward(slope_NO, onto_NI)
        made = self._weight().slope(slope_NO)
        return made if onto_NI is None else onto_NI.add_(made)

    def _weight(self) -> Fp8Weight:
        return Fp8Weight(values_OI=self.layer.weight, scale_O=self.layer.scale_O)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nf4:
    """A matrix in 4 bits."""

    values: Callable[[], Tensor]
    """Puts it together, (O, I)."""
    outputs_O: int

    @property
    def trained(self) -> Tensor | None:
        """It is frozen."""
        return None

    @property
    def outputs(self) -> int:
        """O."""
        return self.outputs_O

    def forward(self, inputs: Inputs, onto_NO: Tensor | None) -> Tensor:
        """As `Matrix` says."""
        return Dense(weight_OI=self.values()).forward(inputs, onto_NO)

    def backward(self, slope_NO: Tensor, onto_NI: Tensor | None) -> Tensor:
        """As `Matrix` says."""
        return Dense(weight_OI=self.values()).backward(slope_NO, onto_NI)


def matrix_of(layer: nn.Module) -> Matrix | None:
    """The matrix of a linear layer without correction; None for one that is not known."""
    if type(layer) is nn.Linear:
        return Dense(weight_OI=layer.weight)
    if type(layer) is Fp8Linear:
        return Fp8(layer=layer)
    values = dense_values(layer)
    if values is not None:
        assert isinstance(layer, nn.Linear), "4-bit layers are"
        return Nf4(values=values, outputs_O=layer.out_features)
    return None


def _multiplied(
    left_MK: Tensor, right_KN: Tensor, onto_MN: Tensor | None, *, spend: bool
) -> Tensor:
    if onto_MN is None:
        return left_MK @ right_KN
    if onto_MN.dtype != left_MK.dtype:
        return onto_MN + left_MK @ right_KN
    if spend:
        return onto_MN.addmm_(left_MK, right_KN)
    return torch.addmm(onto_MN, left_MK, right_KN)


def exact_product(left_MK: Tensor, right_KN: Tensor) -> Tensor:
    """The product in fp32 of factors that may be coarser: gradients of what is kept in fp32."""
    if left_MK.dtype not in (torch.bfloat16, torch.float16):
        return left_MK @ right_KN
    if left_MK.is_cuda:
        return torch.mm(left_MK, right_KN, out_dtype=torch.float32)
    return left_MK.float() @ right_KN.float()
