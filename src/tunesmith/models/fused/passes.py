"""What a decoder layer does between its products, each in one pass over memory on a GPU.

    normed          y = x r (w + offset),   r = 1 / sqrt(mean(x^2) + eps)       arXiv 1910.07467
    turned          a head normed where it has a norm, then rotated             arXiv 2104.09864
    gated           act(g) * u                                                  arXiv 2002.05202

and their gradients. They are computed in fp32 at least and rounded once, and compiled on a GPU,
where the compiler makes one kernel of each; the number of tokens may change without compiling
again. Elsewhere they run as they stand.

Shapes: N tokens, D hidden width, H heads, W width of a head, E half of its rotated part,
F inner width.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from tunesmith.models.fused.activation import Name


def exact(states: Tensor) -> Tensor:
    """The same in fp32, or in fp64 where it is that."""
    return states.to(torch.promote_types(states.dtype, torch.float32))


def _rates(states: Tensor, epsilon: float) -> Tensor:
    return (states.square().mean(dim=-1, keepdim=True) + epsilon).rsqrt()


def normed(
    states_ND: Tensor, weight_D: Tensor, epsilon: float, offset: float, dtype: torch.dtype
) -> Tensor:
    """The normalised states, in `dtype`."""
    states = exact(states_ND)
    return (states * _rates(states, epsilon) * (exact(weight_D) + offset)).to(dtype)


def normed_slope(
    slope_ND: Tensor,
    states_ND: Tensor,
    weight_D: Tensor,
    constants: tuple[float, float],
    beside_ND: Tensor | None,
) -> Tensor:
    """The gradient by the states, of their dtype; `beside_ND` is added to it.

    Args:
        slope_ND: by the normalised states.
        states_ND: what was normalised.
        weight_D: of the norm.
        constants: its epsilon and offset.
        beside_ND: the gradient that goes around the norm.
    """
    states = exact(states_ND)
    rates = _rates(states, constants[0])
    scaled = exact(slope_ND) * (exact(weight_D) + constants[1])
    inner = (scaled * states).mean(dim=-1, keepdim=True)
    found = scaled * rates - states * (rates**3 * inner)
    return (found if beside_ND is None else found + beside_ND).to(states_ND.dtype)


def normed_weight_slope(slope_ND: Tensor, states_ND: Tensor, epsilon: float) -> Tensor:
    """The gradient by the weight of a norm, of the last dimension's size."""
    states = exact(states_ND)
    found = exact(slope_ND) * states * _rates(states, epsilon)
    return found.flatten(0, -2).sum(dim=0)


def turned(
    states_NHW: Tensor,
    weight_W: Tensor | None,
    constants: tuple[float, float],
    waves: tuple[Tensor, Tensor] | None,
) -> Tensor:
    """Heads, normed where there is a weight and rotated where there are waves (N, E)."""
    states = exact(states_NHW)
    if weight_W is not None:
        states = states * _rates(states, constants[0]) * (exact(weight_W) + constants[1])
    return _rotated(states, waves, 1.0).to(states_NHW.dtype)


def turned_slope(
    slope_NHW: Tensor,
    states_NHW: Tensor | None,
    weight_W: Tensor | None,
    constants: tuple[float, float],
    waves: tuple[Tensor, Tensor] | None,
) -> tuple[Tensor, Tensor]:
    """The gradient by the heads as they came, and by the heads as they were normed.

    The second is the first where there is no norm.
    """
    slope = _rotated(exact(slope_NHW), waves, -1.0)
    if weight_W is None or states_NHW is None:
        found = slope.to(slope_NHW.dtype).contiguous()
        return found, found
    through = normed_slope(slope, exact(states_NHW), weight_W, constants, None)
    return through.to(slope_NHW.dtype).contiguous(), slope.to(slope_NHW.dtype)


def _rotated(states: Tensor, waves: tuple[Tensor, Tensor] | None, sign: float) -> Tensor:
    if waves is None:
        return states
    cosine, sine = (exact(wave)[:, None, :] for wave in waves)
    width = cosine.shape[-1]
    first, second = states[..., :width], states[..., width : 2 * width]
    parts = [first * cosine - sign * second * sine, second * cosine + sign * first * sine]
    return torch.cat([*parts, states[..., 2 * width :]], dim=-1)


def gated(gates_NF: Tensor, ups_NF: Tensor, name: Name) -> Tensor:
    """What goes into the last product."""
    return (_active(exact(gates_NF), name) * exact(ups_NF)).to(gates_NF.dtype)


def gated_slope(
    slope_NF: Tensor, gates_NF: Tensor, ups_NF: Tensor, name: Name
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients by the gates and by the ups, and what `gated` had made."""
    slope, gates, ups = exact(slope_NF), exact(gates_NF), exact(ups_NF)
    active = _active(gates, name)
    if name == "silu":
        found = torch.ops.aten.silu_backward(slope * ups, gates)
    else:
        found = torch.ops.aten.gelu_backward(slope * ups, gates, approximate=_form(name))
    made = (found, slope * active, active * ups)
    first, second, third = (one.to(gates_NF.dtype) for one in made)
    return first, second, third


def _active(gates: Tensor, name: Name) -> Tensor:
    if name == "silu":
        return functional.silu(gates)
    return functional.gelu(gates, approximate=_form(name))


def _form(name: Name) -> str:
    return "tanh" if name == "gelu_tanh" else "none"
