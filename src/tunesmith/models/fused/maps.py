"""Linear layers of the same input, with or without low-rank corrections, for all tokens at once.

    y_i = x W_i^T + b_i + s_i (x A_i^T) B_i^T

    dx = sum_i dy_i W_i + s_i (dy_i B_i) A_i       dW_i = dy_i^T x       db_i = sum dy_i
    dA_i = s_i (dy_i B_i)^T x                      dB_i = s_i dy_i^T (x A_i^T)

The corrections run in the precision of the products, and are added in place: of them only
x A^T is kept, R numbers a token. Gradients of what is trained are summed in fp32. The same as
`product`, which is for blocks of tokens that stay in a processor's cache.

Shapes: N tokens, I inputs, O outputs of one layer, R rank of one layer, Z of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tunesmith.models.fused.matrix import Inputs, Matrix, exact_product, matrix_of
from tunesmith.models.fused.product import WEIGHTS, Correction, read_linear


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearMap:
    """What a linear layer computes with, at this moment."""

    matrix: Matrix
    bias_O: Tensor | None = None
    correction: Correction | None = None

    @property
    def weights(self) -> tuple[Tensor | None, ...]:
        """What a gradient may be asked for: W, b, A, B."""
        own = self.correction
        corrected = (None, None) if own is None else (own.down_RI, own.up_OR)
        return (self.matrix.trained, self.bias_O, *corrected)


def map_of(layer: nn.Module) -> LinearMap | None:
    """The map that a layer computes; None where it computes something else."""
    found = read_linear(layer)
    matrix = None if found is None else matrix_of(found.base)
    if found is None or matrix is None:
        return None
    bias = found.base.bias
    assert bias is None or isinstance(bias, Tensor), "linear layers have one or none"
    return LinearMap(matrix=matrix, bias_O=bias, correction=found.correction)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """What maps made of their input, and what their backward pass wants to know of it."""

    outputs: list[Tensor]
    inner_NZ: Tensor | None


class MapGroup:
    """Maps of the same input, in the precision of the products."""

    def __init__(self, maps: Sequence[LinearMap], dtype: torch.dtype) -> None:
        """Round the corrections to `dtype`."""
        self._maps = maps
        self._corrections = [one.correction for one in maps]
        downs = [own.down_RI for own in self._corrections if own is not None]
        self._down_ZI = torch.cat(downs).to(dtype) if downs else None
        self._ups = [
            None if own is None else (own.up_OR * own.scale).to(dtype) for own in self._corrections
        ]

    def forward(self, inputs: Inputs, onto_NO: Tensor | None = None) -> Mapped:
        """The outputs; that of a single map added to `onto_NO`, in the latter's precision."""
        inner_NZ = None
        if self._down_ZI is not None:
            inner_NZ = inputs.states_NI @ self._down_ZI.t()
        outputs = []
        for place, (one, columns) in enumerate(zip(self._maps, self._columns(), strict=True)):
            made_NO = one.matrix.forward(inputs, onto_NO)
            up_OR = self._ups[place]
            if up_OR is not None and inner_NZ is not None:
                part_NR = inner_NZ[:, columns]
                if made_NO.dtype == part_NR.dtype:
                    made_NO.addmm_(part_NR, up_OR.t())
                else:
                    made_NO.add_(part_NR @ up_OR.t())
            if one.bias_O is not None:
                made_NO.add_(one.bias_O)
            outputs.append(made_NO)
        return Mapped(outputs=outputs, inner_NZ=inner_NZ)

    def backward(
        self, slopes: Sequence[Tensor], *, onwards: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """The gradient by the input where `onwards`, and that by what the corrections saw of it.

        Args:
            slopes: gradients by the outputs, (N, O) each, in the precision of the products.
            onwards: whether somebody needs the first.

        Returns:
            `(N, I)` and `(N, Z)`.
        """
        into_NI = None
        if onwards:
            for one, slope_NO in zip(self._maps, slopes, strict=True):
                into_NI = one.matrix.backward(slope_NO, into_NI)
        if self._down_ZI is None:
            return into_NI, None
        parts = [
            slope_NO @ up_OR
            for slope_NO, up_OR in zip(slopes, self._ups, strict=True)
            if up_OR is not None
        ]
        slope_NZ = torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]
        if into_NI is not None:
            into_NI.addmm_(slope_NZ, self._down_ZI)
        return into_NI, slope_NZ

    def weight_slopes(
        self,
        slopes: Sequence[Tensor],
        states_NI: Tensor,
        inner: tuple[Tensor | None, Tensor | None],
        needed: Sequence[bool],
    ) -> list[Tensor | None]:
        """Gradients of W, b, A and B, map by map; None where none is needed.

        Args:
            slopes: gradients by the outputs.
            states_NI: the input.
            inner: what `forward` and `backward` gave, (N, Z) each.
            needed: which weights need one.
        """
        inner_NZ, slope_NZ = inner
        found: list[Tensor | None] = [None] * (WEIGHTS * len(self._maps))
        for place, columns in enumerate(self._columns()):
            first = place * WEIGHTS
            weight, bias, down, up = needed[first : first + WEIGHTS]
            slope_NO, own = slopes[place], self._corrections[place]
            if weight:
                found[first] = exact_product(slope_NO.t(), states_NI)
            if bias:
                found[first + 1] = slope_NO.sum(dim=0, dtype=_exact(slope_NO.dtype))
            if own is None or inner_NZ is None or slope_NZ is None:
                continue
            if down:
                found[first + 2] = exact_product(slope_NZ[:, columns].t(), states_NI)
            if up:
                found[first + 3] = exact_product(slope_NO.t(), inner_NZ[:, columns]) * own.scale
        return found

    def _columns(self) -> Iterator[slice]:
        """The part of Z that belongs to each map."""
        start = 0
        for own in self._corrections:
            rank = 0 if own is None else own.down_RI.shape[0]
            yield slice(start, start + rank)
            start += rank


def _exact(dtype: torch.dtype) -> torch.dtype:
    return torch.promote_types(dtype, torch.float32)
