"""How a decoder layer of Transformers is built, read off its modules.

What is read is a guess until the proof (`install`) has compared the layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tunesmith.models.fused.activation import NAMES, Activation
from tunesmith.models.fused.norm import Norm
from tunesmith.models.segments import AttentionCall

_LAYER = {"self_attn", "mlp", "input_layernorm", "post_attention_layernorm"}
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
HEAD_NORMS = ("q_norm", "k_norm")
INNER = ("gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a layer's structure says of how it computes."""

    call: AttentionCall
    activation: Activation
    offset: float
    """Added to the weights of its norms."""
    rotated: bool
    head_norms: bool


def norm_of(module: nn.Module, offset: float) -> Norm:
    """The numbers of a norm."""
    epsilon = vars(module).get("variance_epsilon", vars(module).get("eps"))
    assert isinstance(epsilon, float) and isinstance(module.weight, Tensor), "it was checked"
    return Norm(weight_D=module.weight, epsilon=epsilon, offset=offset)


def looks_alike(layer: nn.Module) -> bool:
    """Whether a layer has the parts, by name, that a fused one computes with."""
    children = dict(layer.named_children())
    if set(children) != _LAYER:
        return False
    attention, inner = children["self_attn"], children["mlp"]
    if any(list(module.parameters(recurse=False)) for module in (layer, attention, inner)):
        return False
    names = {name for name, _ in attention.named_children()}
    inside = {name for name, _ in inner.named_children()}
    if names not in ({*ATTENTION}, {*ATTENTION, *HEAD_NORMS}) or inside - {"act_fn"} != set(INNER):
        return False
    return isinstance(vars(attention).get("head_dim"), int) and "act_fn" in {*inside, *vars(inner)}


def read_layer(layer: nn.Module, call: AttentionCall, *, rotated: bool) -> Reading | None:
    """How a layer seems to compute; None where its structure is another.

    Args:
        layer: of a Transformers model.
        call: what it asked of attention.
        rotated: whether its positions are rotated; the proof shows which is true.
    """
    if not looks_alike(layer):
        return None
    attention, inner = layer.get_submodule("self_attn"), layer.get_submodule("mlp")
    head_norms = len(dict(attention.named_children())) > len(ATTENTION)
    activation = _activation(inner.act_fn)
    norms = [
        layer.get_submodule("input_layernorm"),
        layer.get_submodule("post_attention_layernorm"),
    ]
    norms += [attention.get_submodule(name) for name in HEAD_NORMS if head_norms]
    offsets = {_offset(norm) for norm in norms}
    if activation is None or None in offsets or len(offsets) != 1:
        return None
    (offset,) = offsets
    assert offset is not None
    return Reading(
        call=call, activation=activation, offset=offset, rotated=rotated, head_norms=head_norms
    )


def _activation(module: object) -> Activation | None:
    if not callable(module):
        return None
    probe = torch.linspace(-4, 4, 64)
    made = module(probe)
    for name in NAMES:
        candidate = Activation(name=name)
        if torch.allclose(
            candidate.forward(probe, torch.empty_like(probe)), made, rtol=1e-6, atol=1e-6
        ):
            return candidate
    return None


@torch.no_grad()
def _offset(norm: nn.Module) -> float | None:
    """What is added to a norm's weight; None where it is not such a norm."""
    epsilon = vars(norm).get("variance_epsilon", vars(norm).get("eps"))
    parameters = dict(norm.named_parameters())
    if not isinstance(epsilon, float) or set(parameters) != {"weight"}:
        return None
    size = parameters["weight"].numel()
    weight = parameters["weight"]
    probe = torch.linspace(-2, 3, 2 * size, dtype=weight.dtype, device=weight.device).view(2, size)
    # So small that half of what they are divided by is epsilon.
    probe = torch.cat([probe, probe * epsilon**0.5])
    made = norm(probe)
    for offset in (0.0, 1.0):
        out = torch.empty_like(probe)
        norm_of(norm, offset).forward(probe, out)
        if torch.allclose(out, made, rtol=1e-5, atol=1e-6):
            return offset
    return None
