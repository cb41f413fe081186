"""Whether a way of computing a head gives what the head gives.

A few random tokens, on the device and in the precision of the training to come, against the
formula in fp64: log-probabilities and slopes may be no farther from it than those of the
model's own head are, but for rounding. The gradient of a trained matrix is compared in its
first rows, to rounding.

Shapes: N tokens, D width of the hidden states, V vocabulary, R rows of the matrix.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tunesmith.models.compiled import compile_faults, said
from tunesmith.models.output.reading import Head, HeadReading, Way, autocast_precision

_TOKENS = 19
_ROWS = 2_048
_FARTHER = 1.25
"""Times as far from fp64 as the model's own head; two ways of rounding differ by chance."""
_LEAST = {torch.float32: 1e-5, torch.bfloat16: 2e-3}
"""Errors, as shares of the norm, that are rounding in any case."""
_ROUNDING = {torch.float32: 1e-4, torch.bfloat16: 2e-2}
"""Of a gradient by the weights, ditto."""


def failures() -> tuple[type[Exception], ...]:
    """What a compiler, a driver or another package raises where something is missing."""
    return (*compile_faults(), ValueError)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sample:
    hidden_ND: Tensor
    targets_N: Tensor
    slopes_N: Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Made:
    logprobs_N: Tensor
    slope_ND: Tensor
    rows_RD: Tensor | None = None
    """Gradient of the first rows of the matrix, where it is trained."""


@torch.no_grad()
def disagreement(way: Way, head: Head, stock: Way, like_ND: Tensor) -> str:
    """In what a way differs from the head, or how it fails; empty where it agrees.

    Args:
        way: takes this head.
        head: has a reading.
        stock: the model's own head.
        like_ND: hidden states of the device and precision to come.
    """
    reading = head.reading
    assert reading is not None, "only formulas are compared"
    sample = _sample(reading, like_ND)
    exact = _exact(reading, sample)
    own = _made(stock, replace(head, reading=None), sample)
    try:
        found = _made(way, replace(head, reading=_leaves(reading)), sample)
    except failures() as error:
        return f"it fails here: {said(error)}"
    precision = autocast_precision(like_ND) or like_ND.dtype
    least, rounding = _LEAST[precision], _ROUNDING[precision]
    for name, mine, theirs, true in (
        ("log-probabilities", found.logprobs_N, own.logprobs_N, exact.logprobs_N),
        ("slopes", found.slope_ND, own.slope_ND, exact.slope_ND),
    ):
        off, limit = _error(mine, true), max(_FARTHER * _error(theirs, true), least)
        if not off <= limit:  # or not a number
            return f"its {name} are {off:.1e} from fp64, the model's own head {limit:.1e}"
    if found.rows_RD is not None and exact.rows_RD is not None:
        off = _error(found.rows_RD, exact.rows_RD)
        if not off <= rounding:
            return f"its gradient of the weights is {off:.1e} from fp64"
    return ""


def _sample(reading: HeadReading, like_ND: Tensor) -> _Sample:
    """Hidden states on which the usual score is some units large."""
    generator = torch.Generator().manual_seed(0)
    vocabulary, width = reading.weight_VD.shape
    hidden_ND = torch.randn(_TOKENS, width, generator=generator)
    typical = reading.weight_VD[:256].float().norm(dim=1).mean().cpu().clamp(min=1e-6)
    targets_N = torch.randint(vocabulary, (_TOKENS,), generator=generator)
    targets_N[::3] %= min(vocabulary, _ROWS)
    targets_N[-1] = vocabulary - 1
    return _Sample(
        hidden_ND=(hidden_ND * 4 / typical / abs(reading.scale)).to(like_ND),
        targets_N=targets_N.to(like_ND.device),
        slopes_N=torch.linspace(-1, 2, _TOKENS).to(like_ND.device),
    )


def _leaves(reading: HeadReading) -> HeadReading:
    """The same weights, of which a gradient can be asked without touching the model's."""
    bias = reading.bias_V
    return replace(
        reading,
        weight_VD=reading.weight_VD.detach().requires_grad_(reading.weight_VD.requires_grad),
        bias_V=None if bias is None else bias.detach().requires_grad_(bias.requires_grad),
    )


@torch.enable_grad()
def _made(way: Way, head: Head, sample: _Sample) -> _Made:
    hidden_ND = sample.hidden_ND.clone().requires_grad_()
    leaves = [hidden_ND]
    if head.reading is not None and head.reading.weight_VD.requires_grad:
        leaves.append(head.reading.weight_VD)
    logprobs_N = way.logprobs(head, hidden_ND, sample.targets_N)
    slopes = torch.autograd.grad(logprobs_N, leaves, sample.slopes_N)
    rows_RD = slopes[1][:_ROWS] if len(slopes) > 1 else None
    return _Made(logprobs_N=logprobs_N.detach(), slope_ND=slopes[0], rows_RD=rows_RD)


def _exact(reading: HeadReading, sample: _Sample) -> _Made:
    """The formula, a part of the vocabulary at a time."""
    hidden_ND = sample.hidden_ND.double()
    parts = torch.split(reading.weight_VD.detach(), _ROWS)
    scores_NV = torch.cat([hidden_ND @ part_RD.double().t() for part_RD in parts], dim=1)
    if reading.bias_V is not None:
        scores_NV += reading.bias_V.detach().double()
    with torch.enable_grad():
        leaf_NV = scores_NV.requires_grad_()
        z_NV = leaf_NV * reading.scale
        if reading.cap is not None:
            z_NV = torch.tanh(z_NV / reading.cap) * reading.cap
        logprobs_N = z_NV.log_softmax(dim=-1).gather(1, sample.targets_N[:, None])[:, 0]
        (change_NV,) = torch.autograd.grad(logprobs_N, leaf_NV, sample.slopes_N.double())
    slope_ND = torch.zeros_like(hidden_ND)
    for change_NR, part_RD in zip(torch.split(change_NV, _ROWS, dim=1), parts, strict=True):
        slope_ND += change_NR @ part_RD.double()
    return _Made(
        logprobs_N=logprobs_N.detach(),
        slope_ND=slope_ND,
        rows_RD=change_NV[:, :_ROWS].t() @ hidden_ND,
    )


def _error(found: Tensor, true: Tensor) -> float:
    return float((found.double() - true).norm() / true.norm())
