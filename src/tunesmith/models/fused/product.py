"""Linear layers of the same input, with or without low-rank corrections, on buffers.

    y_i = x W_i^T + b_i + s_i (x A_i^T) B_i^T

    dx = sum_i dy_i W_i + s_i (dy_i B_i) A_i       dW_i = dy_i^T x       db_i = sum dy_i
    dA_i = s_i (dy_i B_i)^T x                      dB_i = s_i dy_i^T (x A_i^T)

The A_i stand below one another as one matrix, so that thin products become fewer and wider.
Where many tokens pass, W_i + s_i B_i A_i is added up first: it costs as much as few tokens.
Source of the correction: arXiv 2106.09685.

Shapes: C tokens of a block, I inputs, O outputs of one layer, R rank of one layer, Z of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

WEIGHTS = 4
"""Weights that a product may have: W, b, A, B."""
MERGED_FROM = 256
"""Tokens from which it is faster to add the correction to the weight than to the outputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What a linear layer computes with, at this moment."""

    weight_OI: Tensor
    bias_O: Tensor | None = None
    down_RI: Tensor | None = None
    up_OR: Tensor | None = None
    scale: float = 1.0

    @property
    def weights(self) -> tuple[Tensor | None, ...]:
        """The weights in the order of WEIGHTS."""
        return self.weight_OI, self.bias_O, self.down_RI, self.up_OR

    def replaced(self, weights: Sequence[Tensor | None]) -> Product:
        """The same with other tensors in place of its own."""
        weight, bias, down, up = weights
        assert weight is not None, "a product has a weight"
        return Product(weight_OI=weight, bias_O=bias, down_RI=down, up_OR=up, scale=self.scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A low-rank correction of a weight: scale x up x down."""

    down_RI: Tensor
    up_OR: Tensor
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearReading:
    """What a linear layer consists of, at this moment."""

    base: nn.Module
    correction: Correction | None


def read_linear(layer: nn.Module) -> LinearReading | None:
    """The layer below a LoRA, or itself, and its correction; None where it computes otherwise.

    Otherwise is dropout before the correction, DoRA, several adapters at once.
    """
    if not isinstance(layer, LoraLayer):
        return LinearReading(base=layer, correction=None)
    base = layer.get_base_layer()
    if layer.merged:
        return None
    if layer.disable_adapters:
        return LinearReading(base=base, correction=None)
    if len(layer.active_adapters) != 1:
        return None
    (name,) = layer.active_adapters
    if name not in layer.lora_A:
        return LinearReading(base=base, correction=None)
    dropout = layer.lora_dropout[name]
    drops = isinstance(dropout, nn.Dropout) and dropout.training and dropout.p > 0
    if drops or name in layer.lora_variant or layer.lora_bias[name]:
        return None
    correction = Correction(
        down_RI=_weight(layer.lora_A[name]),
        up_OR=_weight(layer.lora_B[name]),
        scale=layer.scaling[name],
    )
    return LinearReading(base=base, correction=correction)


def product_of(layer: nn.Module) -> Product | None:
    """The product that a layer with a plain weight computes; None where it computes otherwise."""
    found = read_linear(layer)
    if found is None or type(found.base) is not nn.Linear:
        return None
    base, own = found.base, found.correction
    if own is None:
        return Product(weight_OI=base.weight, bias_O=base.bias)
    return Product(
        weight_OI=base.weight,
        bias_O=base.bias,
        down_RI=own.down_RI,
        up_OR=own.up_OR,
        scale=own.scale,
    )


def _weight(layer: nn.Module) -> Tensor:
    assert isinstance(layer, nn.Linear), "the parts of a correction are linear layers"
    return layer.weight


class ProductGroup:
    """Products of the same input: forward, and the gradients summed over blocks of tokens."""

    def __init__(self, products: Sequence[Product], *, tokens: int) -> None:
        """Take products whose inputs are the same states, of so many tokens in all."""
        self._products = products
        self._weights = [_merged(product, tokens) for product in products]
        self._separate = tokens < MERGED_FROM
        downs = [product.down_RI for product in products if product.down_RI is not None]
        self._down_ZI = torch.cat(downs) if downs else None
        self._slopes: list[list[Tensor | None]] = []
        self._down_slope_ZI: Tensor | None = None

    def forward(self, inputs_CI: Tensor, outputs: Sequence[Tensor], *, add: bool = False) -> None:
        """Write the outputs of a block into tensors (C, O), or add them to what is there."""
        for product, weight_OI, out_CO in zip(self._products, self._weights, outputs, strict=True):
            if add:
                out_CO.addmm_(inputs_CI, weight_OI.t())
            else:
                torch.mm(inputs_CI, weight_OI.t(), out=out_CO)
            if product.bias_O is not None:
                out_CO.add_(product.bias_O)
        if self._down_ZI is not None and self._separate:
            inner_CZ = inputs_CI @ self._down_ZI.t()
            for place, columns in self._corrected():
                up_OR, scale = self._products[place].up_OR, self._products[place].scale
                assert up_OR is not None
                outputs[place].addmm_(inner_CZ[:, columns], up_OR.t(), alpha=scale)

    def begin_backward(self, needed: Sequence[bool]) -> None:
        """Make room for the gradients of the weights that need one, in the order of `slopes`."""
        self._slopes = []
        for place, product in enumerate(self._products):
            wanted = needed[place * WEIGHTS : (place + 1) * WEIGHTS]
            self._slopes.append(
                [
                    _room(weight, place == 3) if need and weight is not None else None
                    for place, (weight, need) in enumerate(
                        zip(product.weights, wanted, strict=True)
                    )
                ]
            )
        if self._down_ZI is not None and any(slopes[2] is not None for slopes in self._slopes):
            self._down_slope_ZI = torch.zeros_like(self._down_ZI)

    def backward(
        self, slopes: Sequence[Tensor], inputs_CI: Tensor, into_CI: Tensor | None, *, add: bool
    ) -> None:
        """Add a block's share to the gradients.

        Args:
            slopes: gradients by the outputs, (C, O) each.
            inputs_CI: the inputs.
            into_CI: where the gradient by the inputs goes; None where nobody needs it.
            add: whether it is added to what is there.
        """
        for weight_OI, slope_CO, found in zip(self._weights, slopes, self._slopes, strict=True):
            if into_CI is not None:
                if add:
                    into_CI.addmm_(slope_CO, weight_OI)
                else:
                    torch.mm(slope_CO, weight_OI, out=into_CI)
                add = True
            weight, bias, _, _ = found
            if weight is not None:
                weight.addmm_(slope_CO.t(), inputs_CI)
            if bias is not None:
                bias.add_(slope_CO.sum(dim=0))
        if self._down_ZI is not None:
            self._backward_corrections(self._down_ZI, slopes, inputs_CI, into_CI)

    def _backward_corrections(
        self,
        down_ZI: Tensor,
        slopes: Sequence[Tensor],
        inputs_CI: Tensor,
        into_CI: Tensor | None,
    ) -> None:
        inner_CZ = inputs_CI @ down_ZI.t()
        slope_CZ = torch.empty_like(inner_CZ)
        for place, columns in self._corrected():
            product, up_slope = self._products[place], self._slopes[place][3]
            assert product.up_OR is not None
            torch.mm(slopes[place], product.up_OR, out=slope_CZ[:, columns])
            slope_CZ[:, columns].mul_(product.scale)
            if up_slope is not None:
                up_slope.addmm_(inner_CZ[:, columns].t(), slopes[place], alpha=product.scale)
        if into_CI is not None and self._separate:
            into_CI.addmm_(slope_CZ, down_ZI)
        if self._down_slope_ZI is not None:
            self._down_slope_ZI.addmm_(slope_CZ.t(), inputs_CI)

    def slopes(self) -> list[Tensor | None]:
        """The gradients of all weights, product by product; None where none is needed."""
        if self._down_slope_ZI is not None:
            for place, rows in self._corrected():
                if self._slopes[place][2] is not None:
                    self._slopes[place][2] = self._down_slope_ZI[rows]
        for found in self._slopes:
            found[3] = None if found[3] is None else found[3].t()
        return [slope for found in self._slopes for slope in found]

    def _corrected(self) -> Iterator[tuple[int, slice]]:
        """Each product with a correction, and its part of Z."""
        start = 0
        for place, product in enumerate(self._products):
            if product.down_RI is not None:
                yield place, slice(start, start + product.down_RI.shape[0])
                start += product.down_RI.shape[0]


def _room(weight: Tensor, lying: bool) -> Tensor:
    """Zeros for a gradient; that of B lies on its side, which is twice as fast to add to."""
    return weight.new_zeros(weight.t().shape if lying else weight.shape)


def _merged(product: Product, tokens: int) -> Tensor:
    """The weight with its correction, where so many tokens pass that this is worth it."""
    if product.down_RI is None or product.up_OR is None or tokens < MERGED_FROM:
        return product.weight_OI
    return torch.addmm(product.weight_OI, product.up_OR, product.down_RI, alpha=product.scale)
