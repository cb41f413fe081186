"""Put fused layers where they prove to compute what the stock layers do, gradients included.

What is proved in fp32 is the formula: of a layer in another precision, or of one whose weights
are kept in fewer bits, a copy in fp32 is asked. Then the layer itself is, in its own precision
and by its own kernels; one that fails there stays as it was, and the reason is told.

Shapes: N tokens of the proof, D hidden width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from transformers import PreTrainedModel

from tunesmith.models.causal import decoder_layers
from tunesmith.models.compiled import as_it_stands, compile_faults, said
from tunesmith.models.fused.exact_copy import in_fp32
from tunesmith.models.fused.layer import FusedLayer
from tunesmith.models.fused.reading import Reading, looks_alike, read_layer
from tunesmith.models.precision import products
from tunesmith.models.segments import AttentionCall, Layout
from tunesmith.models.stand_in import StandIn

_CLOSE = 1e-5
"""Largest difference, relative by norm, of an output or a gradient in fp32."""
_ROUGH = 0.05
"""The same where both are rounded to bf16 on their ways."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    """What came of it."""

    layers: int
    """How many are fused now."""
    why_not: str = ""
    """On a GPU: what layers failed by that look as if they could be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """With what a layer was called."""

    states_1ND: Tensor
    named: dict[str, object]


def fuse_layers(inner: PreTrainedModel, layout: Layout, forward: Callable[[], object]) -> Fused:
    """Replace the decoder layers that can be.

    Args:
        inner: a model that attends over forests.
        layout: the forest of a proof.
        forward: runs the backbone over that forest.
    """
    stack = decoder_layers(inner)
    whole = takes_whole(inner)
    blocked = inner.device.type == "cpu" and inner.dtype == torch.float32
    # Layers that lie in parts on several processes are replaced before they are divided, or not.
    divided = any(isinstance(weight, DTensor) for weight in inner.parameters())
    if stack is None or divided or not (whole or blocked):
        return Fused(layers=0)
    with torch.no_grad(), _watched(stack) as seen:
        forward()
    why_not, unlike = "", False
    for place, layer in enumerate(stack):
        if isinstance(layer, StandIn) or place not in seen:
            continue
        last = place == len(stack) - 1
        if not looks_alike(layer) or layer.get_submodule("self_attn") not in layout.calls:
            continue
        with as_it_stands():
            reading = _proved(layer, layout.calls, seen[place], whole=whole)
        if reading is None:
            unlike = True
            continue
        found = FusedLayer(layer, reading, last=last, whole=whole)
        if whole:
            with products(inner):
                why_not = _failing(found, seen[place])
        if why_not:
            break
        stack[place] = found
    if whole and unlike and not why_not:
        why_not = "in fp32 they give other numbers when fused"
    return Fused(layers=sum(_is_fused(layer) for layer in stack), why_not=why_not)


def takes_whole(inner: PreTrainedModel) -> bool:
    """Whether all tokens go through a layer at once, as a GPU has it."""
    return inner.device.type == "cuda"


def _is_fused(layer: nn.Module) -> bool:
    while isinstance(layer, StandIn) and not isinstance(layer, FusedLayer):
        layer = layer.stock
    return isinstance(layer, FusedLayer)


@contextmanager
def _watched(stack: nn.ModuleList) -> Iterator[dict[int, _Seen]]:
    """Notes with what each layer is called."""
    seen: dict[int, _Seen] = {}

    def note(place: int) -> Callable[..., None]:
        def hook(module: nn.Module, given: tuple[object, ...], named: dict[str, object]) -> None:
            if len(given) == 1 and isinstance(given[0], Tensor):
                seen[place] = _Seen(states_1ND=given[0], named=dict(named))

        return hook

    handles = [
        layer.register_forward_pre_hook(note(place), with_kwargs=True)
        for place, layer in enumerate(stack)
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _proved(
    layer: nn.Module, calls: Mapping[nn.Module, AttentionCall], seen: _Seen, *, whole: bool
) -> Reading | None:
    """How a layer computes, if a fused one that computes so does the same."""
    call = calls[layer.get_submodule("self_attn")]
    if whole:
        layer, seen = in_fp32(layer), _in_fp32(seen)
    # What a layer adds may be little beside what comes into it, and a fault in it less: so it is
    # also asked about small states.
    small = replace(seen, states_1ND=seen.states_1ND * (0.01 / _size(seen.states_1ND)))
    expected = [_made(layer, seen), _made(layer, small, slopes=False)]
    # Positions reach a fused layer only as waves. Ministral 3 scales by them as well, from far on.
    far = _made(layer, _moved(small), slopes=False)
    if not _same(far, expected[1]):
        return None
    for rotated in (True, False):
        reading = read_layer(layer, call, rotated=rotated)
        if reading is None:
            return None
        candidate = FusedLayer(layer, reading, last=False, whole=whole)
        if not candidate.reads_products:
            return None
        if _same(_made(candidate, small, slopes=False), expected[1]) and _same(
            _made(candidate, seen), expected[0]
        ):
            return reading
    return None


def _failing(candidate: FusedLayer, seen: _Seen) -> str:
    """Why a layer cannot be fused in its own precision, by its own kernels; empty if it can."""
    if not candidate.reads_products:
        return "its linear layers are kept in a form that is not known"
    try:
        found = _made(candidate, seen)
    except compile_faults() as error:  # kernels are compiled here for the first time
        return said(error)
    if _same(found, _made(candidate.stock, seen), limit=_ROUGH):
        return ""
    return "fused in its own precision a layer gives other numbers"


def _in_fp32(seen: _Seen) -> _Seen:
    """The same call in fp32, its attention by segment."""
    named = {name: _raised(value) for name, value in seen.named.items()}
    return _Seen(states_1ND=seen.states_1ND.float(), named=named)


def _raised(value: object) -> object:
    if isinstance(value, Tensor):
        return value.float() if value.is_floating_point() else value
    if isinstance(value, tuple):
        return tuple(_raised(one) for one in value)
    if isinstance(value, Layout):
        return replace(value, flexible=False, masks={}, tables={}, calls={})
    return value


def _moved(seen: _Seen) -> _Seen:
    """The same call, said to be a million positions further on; its waves stay."""
    named = dict(seen.named)
    positions = named.get("position_ids")
    if isinstance(positions, Tensor):
        named["position_ids"] = positions + 2**20
    return replace(seen, named=named)


def _size(states: Tensor) -> float:
    return float(states.square().mean().sqrt()) or 1.0


def _same(
    found: list[Tensor | None] | None,
    expected: list[Tensor | None] | None,
    limit: float = _CLOSE,
) -> bool:
    """Whether outputs and gradients agree, and the same ones are there."""
    if found is None or expected is None:
        return False
    return len(found) == len(expected) and all(
        theirs is None
        if mine is None
        else theirs is not None
        and mine.shape == theirs.shape
        and float((mine - theirs).norm()) <= limit * float(theirs.norm()) + 1e-12
        for mine, theirs in zip(found, expected, strict=True)
    )


def _made(layer: nn.Module, seen: _Seen, *, slopes: bool = True) -> list[Tensor | None] | None:
    """Output and gradients of a layer; None where it does not make one tensor of one.

    A gradient is None where the layer does not use the weight.
    """
    if not slopes:
        with torch.no_grad():
            output = layer(seen.states_1ND, **seen.named)
        return [output] if isinstance(output, Tensor) else None
    states = seen.states_1ND.detach().clone().requires_grad_()
    weights = [weight for weight in layer.parameters() if weight.requires_grad]
    with torch.enable_grad():
        output = layer(states, **seen.named)
        if not isinstance(output, Tensor) or output.shape != states.shape:
            return None
        slope = torch.linspace(-1, 1, output.numel(), device=output.device).view(output.shape)
        slope = slope.to(output.dtype)
        found = torch.autograd.grad(output, [states, *weights], slope, allow_unused=True)
    return [output.detach(), *found]
