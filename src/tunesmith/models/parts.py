"""Attention over a forest in parts that need no mask, joined by their normalisers.

Every segment attends to itself, causally; and the tokens that descend from a segment, which
lie one after the other, attend to the whole of it. Each part is one call of the fused CPU
kernel, and the parts of a token are joined with the logarithms of their sums of exponents:

    out = sum_p exp(l_p - l) out_p,      l = log sum_p exp(l_p)

The backward pass of each part takes the joined `out` and `l`: then its weights are already
those of the whole softmax, and its gradients are exact. (Dao et al., arXiv 2205.14135, write
the kernel; Liu et al., arXiv 2310.01889, join its parts.)

Shapes: S tokens of the forest, H heads, G heads of keys and values, D width of a head.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, FunctionCtx, once_differentiable

if TYPE_CHECKING:
    from tunesmith.models.segments import Layout

_forward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default
_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward.default


class _Parts(torch.autograd.Function):
    """Attention by parts, with the gradients written out."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        query_SHD: Tensor,
        key_SGD: Tensor,
        value_SGD: Tensor,
        layout: Layout,
        scale: float,
    ) -> Tensor:
        output_SHD = query_SHD.new_empty(query_SHD.shape)
        exact = torch.promote_types(query_SHD.dtype, torch.float32)
        sums_SH = query_SHD.new_empty(query_SHD.shape[:2], dtype=exact)
        for start, end, _ in _own(layout):
            own = slice(start, end)
            part, sums = _forward(
                _heads(query_SHD[own]),
                _heads(key_SGD[own]),
                _heads(value_SGD[own]),
                0.0,
                True,
                scale=scale,
            )
            output_SHD[own] = part[0].transpose(0, 1)
            sums_SH[own] = sums[0].transpose(0, 1)
        for start, end, last in _above(layout):
            below = slice(end, last)
            part, sums = _forward(
                _heads(query_SHD[below]),
                _heads(key_SGD[start:end]),
                _heads(value_SGD[start:end]),
                0.0,
                False,
                scale=scale,
            )
            _join(output_SHD[below], sums_SH[below], part[0].transpose(0, 1), sums[0].t())
        ctx.save_for_backward(query_SHD, key_SGD, value_SGD, output_SHD, sums_SH)
        ctx.layout, ctx.scale = layout, scale  # type: ignore[attr-defined]
        return output_SHD

    @staticmethod
    @once_differentiable
    def backward(ctx: BackwardCFunction, slope_SHD: Tensor) -> tuple[Tensor | None, ...]:
        saved: Sequence[Tensor] = ctx.saved_tensors
        slope_SHD = _dense(slope_SHD)
        query_SHD, key_SGD, value_SGD, output_SHD, sums_SH = saved
        layout, scale = ctx.layout, ctx.scale  # type: ignore[attr-defined]
        groups = key_SGD.shape[1]
        # The kernel gives each thread whole heads of keys: where those do not go round, it gets
        # as many as there are queries' heads.
        repeats = query_SHD.shape[1] // groups if groups % torch.get_num_threads() else 1
        slopes = tuple(one.new_empty(one.shape) for one in (query_SHD, key_SGD, value_SGD))

        def part(rows: slice, keys: slice, *, causal: bool) -> tuple[Tensor, Tensor, Tensor]:
            query, key, value = _backward(
                _heads(slope_SHD[rows]),
                _heads(query_SHD[rows]),
                _heads(key_SGD[keys].repeat_interleave(repeats, dim=1)),
                _heads(value_SGD[keys].repeat_interleave(repeats, dim=1)),
                _heads(output_SHD[rows]),
                sums_SH[rows].t()[None],
                0.0,
                causal,
                scale=scale,
            )
            return query[0].transpose(0, 1), _summed(key, repeats), _summed(value, repeats)

        for start, end, _ in _own(layout):
            own = slice(start, end)
            for slope, found in zip(slopes, part(own, own, causal=True), strict=True):
                slope[own] = found
        for start, end, last in _above(layout):
            keys, below = slice(start, end), slice(end, last)
            query, key, value = part(below, keys, causal=False)
            slopes[0][below] += query
            slopes[1][keys] += key
            slopes[2][keys] += value
        return (*slopes, None, None)


def attend_by_parts(
    query_SHD: Tensor, key_SGD: Tensor, value_SGD: Tensor, layout: Layout, scale: float
) -> Tensor:
    """Attention of every token over its ancestors and itself: `(S, H, D)`, contiguous.

    Args:
        query_SHD: queries on a CPU.
        key_SGD: keys, where G divides H.
        value_SGD: values, of the keys' shape.
        layout: the forest.
        scale: of the scores.
    """
    states = (_dense(query_SHD), _dense(key_SGD), _dense(value_SGD))
    output = _Parts.apply(*states, layout, scale)  # type: ignore[no-untyped-call]
    assert isinstance(output, Tensor)
    return output


def _own(layout: Layout) -> Iterator[tuple[int, int, int]]:
    """Start and end of each segment, and where its descendants end."""
    for segment in layout.segments:
        yield segment.start, segment.start + segment.length, segment.descendants_end


def _above(layout: Layout) -> Iterator[tuple[int, int, int]]:
    """Those of them that have descendants."""
    return (bounds for bounds in _own(layout) if bounds[2] > bounds[1])


def _dense(states_SHD: Tensor) -> Tensor:
    """The kernel takes it for granted that the numbers of a head lie one after the other."""
    return states_SHD if states_SHD.stride(-1) == 1 else states_SHD.contiguous()


def _summed(slope_1HSD: Tensor, repeats: int) -> Tensor:
    """The gradient by keys or values (S, G, D) from that by their repeats."""
    slope_HSD = slope_1HSD[0]
    if repeats > 1:
        slope_HSD = slope_HSD.reshape(-1, repeats, *slope_HSD.shape[1:]).sum(dim=1)
    return slope_HSD.transpose(0, 1)


def _heads(states_SHD: Tensor) -> Tensor:
    return states_SHD.transpose(0, 1)[None]


def _join(output_SHD: Tensor, sums_SH: Tensor, part_SHD: Tensor, part_sums_SH: Tensor) -> None:
    """Add a part to what there is, in place."""
    whole_SH = torch.logaddexp(sums_SH, part_sums_SH)
    output_SHD.mul_(torch.exp(sums_SH - whole_SH)[..., None])
    output_SHD.addcmul_(part_SHD, torch.exp(part_sums_SH - whole_SH)[..., None])
    sums_SH.copy_(whole_SH)
