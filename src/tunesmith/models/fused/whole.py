"""The two halves of a pre-norm decoder layer around attention, all tokens at once: for GPUs.

    q, k, v = rotated(norm(x) W)                              attention_inputs
    z = x + o W_o,   y = z + (act(norm(z) W_g) * norm(z) W_u) W_d    attention_outputs

Products run in the precision that the layer was loaded for, the passes between them in fp32
(`passes`). Kept for the backward pass are x, o, z, the two inputs of the activation, and a few
numbers a token of each low-rank correction; norms and activations are computed again. The same
as `halves`, which is for a processor's cache.

Shapes: N tokens, D hidden width, F inner width, Q width of all queries, K of all keys, W of a
head, E half of its rotated part, Z ranks of all corrections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, FunctionCtx, once_differentiable

from tunesmith.models.compiled import one_pass
from tunesmith.models.fused import passes
from tunesmith.models.fused.activation import Name
from tunesmith.models.fused.maps import LinearMap, MapGroup
from tunesmith.models.fused.matrix import Inputs
from tunesmith.models.fused.norm import Norm
from tunesmith.models.fused.product import WEIGHTS

Waves = tuple[Tensor, Tensor]
Kept = Sequence[Tensor | None]
Given = ParamSpec("Given")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeInputHalf:
    """What stands before attention."""

    norm: Norm
    maps: tuple[LinearMap, LinearMap, LinearMap]
    """To queries, keys, values."""
    head_norms: tuple[Norm, Norm] | None
    """Of queries and keys, a head at a time (Qwen3)."""
    width: int
    """Of a head."""
    dtype: torch.dtype
    """Of the products."""
    waves: Waves | None
    """Cosines and sines (N, E) of the positions; None where they are not rotated."""

    def weights(self) -> list[Tensor | None]:
        """Every weight that may need a gradient."""
        head_norms = [norm.weight_D for norm in self.head_norms or ()]
        return [self.norm.weight_D, *_flat(self.maps), *head_norms]


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeOutputHalf:
    """What stands after attention."""

    norm: Norm
    output: LinearMap
    gated: tuple[LinearMap, LinearMap]
    """To the gates and to what they let through."""
    down: LinearMap
    activation: Name
    dtype: torch.dtype
    """Of the products."""

    def weights(self) -> list[Tensor | None]:
        """Every weight that may need a gradient."""
        return [self.norm.weight_D, *_flat((self.output, *self.gated, self.down))]


def whole_attention_inputs(half: WholeInputHalf, states_ND: Tensor) -> tuple[Tensor, ...]:
    """Queries (N, H, W), keys (N, G, W) and values (N, G, W) of a layer."""
    made: tuple[Tensor, ...] = _Inputs.apply(states_ND, half, *half.weights())  # type: ignore[no-untyped-call]
    return made


def whole_attention_outputs(
    half: WholeOutputHalf, states_ND: Tensor, attended_NQ: Tensor
) -> Tensor:
    """What comes out of a layer, (N, D), given what went in and what attention made of it."""
    made = _Outputs.apply(states_ND, attended_NQ, half, *half.weights())  # type: ignore[no-untyped-call]
    assert isinstance(made, Tensor)
    return made


def _without_autocast(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """Precision is chosen here product by product, and not by autocast."""

    @wraps(function)
    def call(*given: Given.args, **named: Given.kwargs) -> Made:
        kind = next(one.device.type for one in given if isinstance(one, Tensor))
        with torch.autocast("cpu" if kind == "meta" else kind, enabled=False):
            return function(*given, **named)

    return call


class _Inputs(torch.autograd.Function):
    @staticmethod
    @_without_autocast
    def forward(
        ctx: FunctionCtx, states_ND: Tensor, half: WholeInputHalf, *weights: Tensor | None
    ) -> tuple[Tensor, ...]:
        inputs = Inputs(_normed(half.norm, states_ND, half.dtype))
        group = MapGroup(half.maps, half.dtype)
        made = group.forward(inputs)
        raw = [one.view(one.shape[0], -1, half.width) for one in made.outputs]
        turned = [_turned(half, place, raw[place]) for place in range(2)]
        kept = [one if half.head_norms is not None else None for one in raw[:2]]
        ctx.save_for_backward(states_ND, made.inner_NZ, *kept)  # type: ignore[arg-type]
        ctx.half, ctx.group = half, group  # type: ignore[attr-defined]
        return (*turned, raw[2])

    @staticmethod
    @once_differentiable
    @_without_autocast
    def backward(ctx: BackwardCFunction, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        saved: Kept = ctx.saved_tensors
        states_ND, inner_NZ, *raw = saved
        half: WholeInputHalf = ctx.half  # type: ignore[attr-defined]
        needed: Sequence[bool] = ctx.needs_input_grad
        assert states_ND is not None
        own, norm_slopes = [], []
        for place in range(2):
            found, slope = _turned_back(half, place, slopes[place], raw[place], needed[-2 + place])
            own.append(found)
            norm_slopes.append(slope)
        own.append(slopes[2].flatten(1))
        group: MapGroup = ctx.group  # type: ignore[attr-defined]
        normed_ND = _normed(half.norm, states_ND, half.dtype)
        onwards = needed[0] or needed[2]
        into_ND, slope_NZ = group.backward(own, onwards=onwards)
        found_slopes = group.weight_slopes(own, normed_ND, (inner_NZ, slope_NZ), needed[3:])
        into, norm_slope = _through(
            half.norm, into_ND, states_ND, None, needed=(needed[0], needed[2])
        )
        heads = norm_slopes if half.head_norms is not None else []
        return into, None, norm_slope, *found_slopes, *heads


class _Outputs(torch.autograd.Function):
    @staticmethod
    @_without_autocast
    def forward(
        ctx: FunctionCtx,
        states_ND: Tensor,
        attended_NQ: Tensor,
        half: WholeOutputHalf,
        *weights: Tensor | None,
    ) -> Tensor:
        groups = _groups(half)
        output, gated, down = groups
        first = output.forward(Inputs(attended_NQ), states_ND)
        middle_ND = first.outputs[0]
        second = gated.forward(Inputs(_normed(half.norm, middle_ND, half.dtype)))
        gates_NF, ups_NF = second.outputs
        active_NF = one_pass(passes.gated, gates_NF)(gates_NF, ups_NF, half.activation)
        third = down.forward(Inputs(active_NF), middle_ND)
        inner = [one.inner_NZ for one in (first, second, third)]
        ctx.save_for_backward(attended_NQ, middle_ND, gates_NF, ups_NF, *inner)  # type: ignore[arg-type]
        ctx.half, ctx.groups = half, groups  # type: ignore[attr-defined]
        return third.outputs[0]

    @staticmethod
    @once_differentiable
    @_without_autocast
    def backward(ctx: BackwardCFunction, slope_ND: Tensor) -> tuple[Tensor | None, ...]:
        saved: Kept = ctx.saved_tensors
        attended_NQ, middle_ND, gates_NF, ups_NF, *inner = saved
        half: WholeOutputHalf = ctx.half  # type: ignore[attr-defined]
        needed: Sequence[bool] = ctx.needs_input_grad
        assert attended_NQ is not None and middle_ND is not None
        assert gates_NF is not None and ups_NF is not None
        output, gated, down = ctx.groups  # type: ignore[attr-defined]
        first, second, third = (4 + WEIGHTS * place for place in (0, 1, 3))
        last_ND = slope_ND.to(half.dtype)
        slope_NF, last_NZ = down.backward([last_ND], onwards=True)
        assert slope_NF is not None
        gates_slope, ups_slope, active_NF = one_pass(passes.gated_slope, gates_NF)(
            slope_NF, gates_NF, ups_NF, half.activation
        )
        down_slopes = down.weight_slopes([last_ND], active_NF, (inner[2], last_NZ), needed[third:])
        del slope_NF, active_NF
        own = [gates_slope, ups_slope]
        into_ND, own_NZ = gated.backward(own, onwards=True)
        normed_ND = _normed(half.norm, middle_ND, half.dtype)
        gated_slopes = gated.weight_slopes(own, normed_ND, (inner[1], own_NZ), needed[second:])
        del own, gates_slope, ups_slope, normed_ND
        middle_slope, norm_slope = _through(
            half.norm, into_ND, middle_ND, slope_ND, needed=(True, needed[3])
        )
        assert middle_slope is not None
        rounded_ND = middle_slope.to(half.dtype)
        into_NQ, first_NZ = output.backward([rounded_ND], onwards=needed[1])
        output_slopes = output.weight_slopes(
            [rounded_ND], attended_NQ, (inner[0], first_NZ), needed[first:]
        )
        slopes = [*output_slopes, *gated_slopes, *down_slopes]
        return middle_slope if needed[0] else None, into_NQ, None, norm_slope, *slopes


def _groups(half: WholeOutputHalf) -> tuple[MapGroup, MapGroup, MapGroup]:
    groups = (MapGroup(maps, half.dtype) for maps in ([half.output], half.gated, [half.down]))
    first, second, third = groups
    return first, second, third


def _normed(norm: Norm, states_ND: Tensor, dtype: torch.dtype) -> Tensor:
    call = one_pass(passes.normed, states_ND)
    return call(states_ND, norm.weight_D, norm.epsilon, norm.offset, dtype)


def _through(
    norm: Norm,
    slope_ND: Tensor | None,
    states_ND: Tensor,
    beside_ND: Tensor | None,
    *,
    needed: tuple[bool, bool],
) -> tuple[Tensor | None, Tensor | None]:
    """The gradients by what was normalised and by the norm's weight, where they are needed."""
    if slope_ND is None:
        return None, None
    into, weight_slope = None, None
    if needed[0]:
        into = one_pass(passes.normed_slope, states_ND)(
            slope_ND, states_ND, norm.weight_D, (norm.epsilon, norm.offset), beside_ND
        )
    if needed[1]:
        call = one_pass(passes.normed_weight_slope, states_ND)
        weight_slope = call(slope_ND, states_ND, norm.epsilon).to(norm.weight_D.dtype)
    return into, weight_slope


def _turned(half: WholeInputHalf, place: int, raw_NHW: Tensor) -> Tensor:
    weight, constants = _head_norm(half, place)
    if weight is None and half.waves is None:
        return raw_NHW
    return one_pass(passes.turned, raw_NHW)(raw_NHW, weight, constants, half.waves)


def _turned_back(
    half: WholeInputHalf, place: int, slope_NHW: Tensor, raw_NHW: Tensor | None, trained: bool
) -> tuple[Tensor, Tensor | None]:
    """The gradient by the queries or keys as the product made them, and by their norm's weight."""
    weight, constants = _head_norm(half, place)
    call = one_pass(passes.turned_slope, slope_NHW)
    found, normed = call(slope_NHW, raw_NHW, weight, constants, half.waves)
    weight_slope = None
    if weight is not None and raw_NHW is not None and trained:
        again = one_pass(passes.normed_weight_slope, slope_NHW)
        weight_slope = again(normed, raw_NHW, constants[0]).to(weight.dtype)
    return found.flatten(1), weight_slope


def _head_norm(half: WholeInputHalf, place: int) -> tuple[Tensor | None, tuple[float, float]]:
    if half.head_norms is None:
        return None, (0.0, 0.0)
    norm = half.head_norms[place]
    return norm.weight_D, (norm.epsilon, norm.offset)


def _flat(maps: Sequence[LinearMap]) -> list[Tensor | None]:
    return [weight for one in maps for weight in one.weights]
