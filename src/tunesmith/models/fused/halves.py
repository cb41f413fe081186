"""The two halves of a pre-norm decoder layer around attention, a block of tokens at a time.

    q, k, v = rotated(norm(x) W)                              attention_inputs
    z = x + o W_o,   y = z + (act(norm(z) W_g) * norm(z) W_u) W_d    attention_outputs

All that a block needs on the way stays in the processor's cache; kept for the backward pass
are x, o, z and the two inputs of the activation, and the rest is computed again.

Shapes: N tokens, C of a block, D hidden width, F inner width, Q width of all queries, K of
all keys, E half of a head's rotated part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, FunctionCtx, once_differentiable

from tunesmith.models.fused.activation import Activation
from tunesmith.models.fused.norm import Norm
from tunesmith.models.fused.product import WEIGHTS, Product, ProductGroup
from tunesmith.models.fused.rotary import rotate

_BLOCK_NUMBERS = 1_000_000
"""Numbers of a block's widest states: they stay in a core's cache and still fill its products."""

Weights = Sequence[Tensor | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputHalf:
    """What stands before attention."""

    norm: Norm
    products: tuple[Product, Product, Product]
    head_norms: tuple[Norm, Norm] | None
    """Of queries and keys, a head at a time (Qwen3)."""
    width: int
    """Of a head."""

    def weights(self) -> list[Tensor | None]:
        """Every weight that may need a gradient."""
        head_norms = [norm.weight_D for norm in self.head_norms or ()]
        return [self.norm.weight_D, *_flat(self.products), *head_norms]

    def replaced(self, weights: Weights) -> InputHalf:
        """The same with other tensors in place of its weights."""
        first, second, third = _replaced(self.products, weights[1:])
        head_norms = self.head_norms
        if head_norms is not None:
            head_norms = (_with(head_norms[0], weights[-2]), _with(head_norms[1], weights[-1]))
        return replace(
            self,
            norm=_with(self.norm, weights[0]),
            products=(first, second, third),
            head_norms=head_norms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputHalf:
    """What stands after attention."""

    norm: Norm
    products: tuple[Product, Product, Product, Product]
    """Attention's output, gate, up, down."""
    activation: Activation

    def weights(self) -> list[Tensor | None]:
        """Every weight that may need a gradient."""
        return [self.norm.weight_D, *_flat(self.products)]

    def replaced(self, weights: Weights) -> OutputHalf:
        """The same with other tensors in place of its weights."""
        output, gate, up, down = _replaced(self.products, weights[1:])
        return replace(self, norm=_with(self.norm, weights[0]), products=(output, gate, up, down))


def attention_inputs(
    half: InputHalf, states_ND: Tensor, waves: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries (N, Q), keys (N, K) and values (N, K) of a layer.

    Args:
        half: its weights.
        states_ND: what comes into the layer.
        waves: cosines and sines (N, E) of the positions; None where they are not rotated.
    """
    made = _Inputs.apply(states_ND, waves, half, torch.is_grad_enabled(), *half.weights())  # type: ignore[no-untyped-call]
    query, key, value = made
    return query, key, value


def attention_outputs(half: OutputHalf, states_ND: Tensor, attended_NQ: Tensor) -> Tensor:
    """What comes out of a layer, (N, D), given what went in and what attention made of it."""
    made = _Outputs.apply(  # type: ignore[no-untyped-call]
        states_ND, attended_NQ, half, torch.is_grad_enabled(), *half.weights()
    )
    assert isinstance(made, Tensor)
    return made


class _Inputs(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx,
        states_ND: Tensor,
        waves: tuple[Tensor, Tensor] | None,
        half: InputHalf,
        keep: bool,
        *weights: Tensor | None,
    ) -> tuple[Tensor, ...]:
        half = half.replaced(weights)
        group = ProductGroup(half.products, tokens=states_ND.shape[0])
        outputs = [
            states_ND.new_empty(states_ND.shape[0], product.weight_OI.shape[0])
            for product in half.products
        ]
        before = [torch.empty_like(one) for one in outputs[:2]] if half.head_norms else []
        raw = [*before, outputs[2]] if before else outputs
        for block, normed_CD in _blocks(states_ND, half.products):
            half.norm.forward(states_ND[block], normed_CD)
            group.forward(normed_CD, [one[block] for one in raw])
            for norm, given, out in zip(half.head_norms or (), before, outputs, strict=False):
                norm.forward(given[block].view(-1, half.width), out[block].view(-1, half.width))
            if waves is not None:
                for out in outputs[:2]:
                    _rotate(out[block], waves, block, half.width, back=False)
        if keep:
            ctx.save_for_backward(states_ND, *before, *weights)  # type: ignore[arg-type]
            ctx.half, ctx.waves, ctx.raws = half, waves, len(before)  # type: ignore[attr-defined]
        return tuple(outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: BackwardCFunction, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        saved: Sequence[Tensor] = ctx.saved_tensors
        states_ND, *kept = saved
        raws: int = ctx.raws  # type: ignore[attr-defined]
        before, weights = kept[:raws], kept[raws:]
        half: InputHalf = ctx.half.replaced(weights)  # type: ignore[attr-defined]
        waves: tuple[Tensor, Tensor] | None = ctx.waves  # type: ignore[attr-defined]
        needed: Sequence[bool] = ctx.needs_input_grad
        group = ProductGroup(half.products, tokens=states_ND.shape[0])
        group.begin_backward(needed[5:])
        norms = _room(weights, needed[4:], places=(0, *range(len(weights) - raws, len(weights))))
        onwards = needed[0] or norms[0] is not None
        into_ND = torch.empty_like(states_ND) if onwards else None
        for block, normed_CD in _blocks(states_ND, half.products):
            rates_C1 = half.norm.forward(states_ND[block], normed_CD)
            own = [slope[block] for slope in slopes]
            for place in range(2 if waves is not None or raws else 0):
                own[place] = own[place].clone(memory_format=torch.contiguous_format)
                if waves is not None:
                    _rotate(own[place], waves, block, half.width, back=True)
                if half.head_norms is not None:
                    norm, raw = half.head_norms[place], before[place][block]
                    own[place] = _through(norm, own[place], raw, half.width, norms[1 + place])
            into_CD = None if into_ND is None else into_ND[block]
            group.backward(own, normed_CD, into_CD, add=False)
            if into_CD is not None:
                half.norm.backward(into_CD, states_ND[block], rates_C1, norms[0])
        into_ND = into_ND if needed[0] else None
        return into_ND, None, None, None, norms[0], *group.slopes(), *norms[1:]


class _Outputs(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx,
        states_ND: Tensor,
        attended_NQ: Tensor,
        half: OutputHalf,
        keep: bool,
        *weights: Tensor | None,
    ) -> Tensor:
        half = half.replaced(weights)
        output, gated, down = _grouped(half, states_ND.shape[0])
        count, inner = states_ND.shape[0], half.products[1].weight_OI.shape[0]
        made_ND = torch.empty_like(states_ND)
        rows = count if keep else min(_block_rows(half.products), count)
        gates_NF, ups_NF = (states_ND.new_empty(rows, inner) for _ in range(2))
        middle_ND = torch.empty_like(states_ND) if keep else made_ND
        active_RF = gates_NF.new_empty(min(_block_rows(half.products), count), inner)
        for block, normed_CD in _blocks(states_ND, half.products):
            # Without a backward pass the same buffers serve every block.
            own = block if keep else slice(0, block.stop - block.start)
            middle_CD, made_CD = middle_ND[block], made_ND[block]
            middle_CD.copy_(states_ND[block])
            output.forward(attended_NQ[block], [middle_CD], add=True)
            half.norm.forward(middle_CD, normed_CD)
            gated.forward(normed_CD, [gates_NF[own], ups_NF[own]])
            active_CF = half.activation.forward(gates_NF[own], active_RF[: normed_CD.shape[0]])
            active_CF.mul_(ups_NF[own])
            if keep:
                made_CD.copy_(middle_CD)
            down.forward(active_CF, [made_CD], add=True)
        if keep:
            saved = (attended_NQ, middle_ND, gates_NF, ups_NF)
            ctx.save_for_backward(*saved, *weights)  # type: ignore[arg-type]
            ctx.half = half  # type: ignore[attr-defined]
        return made_ND

    @staticmethod
    @once_differentiable
    def backward(ctx: BackwardCFunction, slope_ND: Tensor) -> tuple[Tensor | None, ...]:
        saved: Sequence[Tensor] = ctx.saved_tensors
        attended_NQ, middle_ND, gates_NF, ups_NF, *weights = saved
        half: OutputHalf = ctx.half.replaced(weights)  # type: ignore[attr-defined]
        needed: Sequence[bool] = ctx.needs_input_grad
        output, gated, down = _grouped(half, middle_ND.shape[0])
        output.begin_backward(needed[5:])
        gated.begin_backward(needed[5 + WEIGHTS :])
        down.begin_backward(needed[5 + 3 * WEIGHTS :])
        (norm_slope_D,) = _room(weights, needed[4:], places=(0,))
        into_ND = torch.empty_like(middle_ND)
        into_NQ = torch.empty_like(attended_NQ) if needed[1] else None
        rows = min(_block_rows(half.products), gates_NF.shape[0])
        buffers = [gates_NF.new_empty(rows, gates_NF.shape[1]) for _ in range(3)]
        for block, normed_CD in _blocks(middle_ND, half.products):
            gates_CF, ups_CF, into_CD = gates_NF[block], ups_NF[block], into_ND[block]
            rates_C1 = half.norm.forward(middle_ND[block], normed_CD)
            active_CF, slope_CF, inner_CF = (one[: gates_CF.shape[0]] for one in buffers)
            half.activation.forward(gates_CF, active_CF)
            torch.mul(active_CF, ups_CF, out=inner_CF)
            down.backward([slope_ND[block]], inner_CF, slope_CF, add=False)
            ups_slope_CF = active_CF.mul_(slope_CF)
            gates_slope_CF = half.activation.backward(slope_CF.mul_(ups_CF), gates_CF)
            gated.backward([gates_slope_CF, ups_slope_CF], normed_CD, into_CD, add=False)
            half.norm.backward(into_CD, middle_ND[block], rates_C1, norm_slope_D)
            into_CD.add_(slope_ND[block])
            into_CQ = None if into_NQ is None else into_NQ[block]
            output.backward([into_CD], attended_NQ[block], into_CQ, add=False)
        slopes = [*output.slopes(), *gated.slopes(), *down.slopes()]
        return into_ND, into_NQ, None, None, norm_slope_D, *slopes


def _grouped(half: OutputHalf, tokens: int) -> tuple[ProductGroup, ProductGroup, ProductGroup]:
    output, gate, up, down = half.products
    first, second, third = (
        ProductGroup(group, tokens=tokens) for group in ([output], [gate, up], [down])
    )
    return first, second, third


def _block_rows(products: Sequence[Product]) -> int:
    widest = max(product.weight_OI.shape[0] for product in products)
    return max(64, min(1024, _BLOCK_NUMBERS // widest))


def _blocks(states_ND: Tensor, products: Sequence[Product]) -> Iterator[tuple[slice, Tensor]]:
    """Each block of tokens, with a buffer of its shape that serves all of them."""
    count, rows = states_ND.shape[0], _block_rows(products)
    buffer_CD = states_ND.new_empty(min(rows, count), states_ND.shape[1])
    for start in range(0, count, rows):
        end = min(start + rows, count)
        yield slice(start, end), buffer_CD[: end - start]


def _rotate(
    states_CQ: Tensor, waves: tuple[Tensor, Tensor], block: slice, width: int, *, back: bool
) -> None:
    states_CHW = states_CQ.view(states_CQ.shape[0], -1, width)
    rotate(states_CHW, waves[0][block], waves[1][block], back=back)


def _through(
    norm: Norm, slope_CQ: Tensor, raw_CQ: Tensor, width: int, weight_slope: Tensor | None
) -> Tensor:
    """The gradient behind a norm of every head."""
    raw, slope = raw_CQ.view(-1, width), slope_CQ.view(-1, width)
    rates = norm.forward(raw, torch.empty_like(raw))
    return norm.backward(slope, raw, rates, weight_slope).view(slope_CQ.shape)


def _with(norm: Norm, weight: Tensor | None) -> Norm:
    assert weight is not None, "a norm has a weight"
    return replace(norm, weight_D=weight)


def _flat(products: Sequence[Product]) -> list[Tensor | None]:
    return [weight for product in products for weight in product.weights]


def _replaced(products: Sequence[Product], weights: Weights) -> list[Product]:
    return [
        product.replaced(weights[place * WEIGHTS : (place + 1) * WEIGHTS])
        for place, product in enumerate(products)
    ]


def _room(
    weights: Weights, needed: Sequence[bool], *, places: Sequence[int]
) -> list[Tensor | None]:
    """Zeros for the gradients of some weights; None where none is needed."""
    found: list[Tensor | None] = []
    for place in places:
        weight = weights[place]
        found.append(torch.zeros_like(weight) if needed[place] and weight is not None else None)
    return found
