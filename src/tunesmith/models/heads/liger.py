"""A matrix as head by Liger's kernel (the extra `liger`), for chunks of a size that it chooses.

It makes the derivative by the scores in place of the scores, and the slopes of the tokens on
the way; a trained head is computed once more in the backward pass. It waits for the device
once a call. Source: arXiv 2410.10989, and `liger_kernel.ops.fused_linear_cross_entropy`.

Shapes: N trained tokens, D width of the hidden states, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, FunctionCtx, once_differentiable

from tunesmith.models.output.reading import Head, autocast_precision

REPEATABLE = True
_Forward = Callable[..., Sequence[Tensor | None]]


def suits(head: Head, hidden_ND: Tensor) -> str:
    """It takes a matrix, capped or not, in fp32 or bf16, on a GPU."""
    if head.reading is None or head.reading.scale != 1.0:
        return "the head is more than a matrix with a cap"
    given = {hidden_ND.dtype, head.reading.weight_VD.dtype}
    if given not in ({torch.float32}, {torch.bfloat16}) or autocast_precision(hidden_ND):
        return "it computes in fp32 and bf16, without autocast"
    if hidden_ND.device.type != "cuda":
        return "it computes on a GPU"
    return "" if _kernel() is not None else "liger-kernel is not installed"


def logprobs(head: Head, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
    """Log-probability of each target, natural logarithm, fp32."""
    reading = head.reading
    assert reading is not None
    bias_V, trained = reading.bias_V, reading.trained
    if not torch.is_grad_enabled() or not (hidden_ND.requires_grad or trained):
        given = (hidden_ND.detach(), reading.weight_VD.detach(), bias_V)
        return _losses(*given, targets_N, {"softcap": reading.cap})[0].neg()
    kind = _Trained if trained else _Frozen
    logprobs_N = kind.apply(hidden_ND, reading.weight_VD, bias_V, targets_N, reading.cap)  # type: ignore[no-untyped-call]
    assert isinstance(logprobs_N, Tensor)
    return logprobs_N


class _Frozen(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx,
        hidden_ND: Tensor,
        weight_VD: Tensor,
        bias_V: Tensor | None,
        targets_N: Tensor,
        cap: float | None,
    ) -> Tensor:
        how = {"softcap": cap, "compute_gradients": True, "weight_requires_grad": False}
        loss_N, slope_ND, _, _ = _losses(hidden_ND, weight_VD, bias_V, targets_N, how)
        assert slope_ND is not None
        ctx.save_for_backward(slope_ND)
        return loss_N.neg()

    @staticmethod
    @once_differentiable
    def backward(ctx: BackwardCFunction, gradient_N: Tensor) -> tuple[Tensor | None, ...]:
        (slope_ND,) = ctx.saved_tensors
        return (-gradient_N[:, None] * slope_ND).to(slope_ND.dtype), None, None, None, None


class _Trained(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx,
        hidden_ND: Tensor,
        weight_VD: Tensor,
        bias_V: Tensor | None,
        targets_N: Tensor,
        cap: float | None,
    ) -> Tensor:
        ctx.save_for_backward(hidden_ND, weight_VD, bias_V, targets_N)  # type: ignore[arg-type]
        ctx.cap = cap  # type: ignore[attr-defined]
        how = {"softcap": cap, "compute_gradients": False}
        return _losses(hidden_ND, weight_VD, bias_V, targets_N, how)[0].neg()

    @staticmethod
    @once_differentiable
    def backward(ctx: BackwardCFunction, gradient_N: Tensor) -> tuple[Tensor | None, ...]:
        saved: Sequence[Tensor] = ctx.saved_tensors
        hidden_ND, weight_VD, bias_V, targets_N = saved
        how = {
            "softcap": ctx.cap,  # type: ignore[attr-defined]
            "token_grad_output": -gradient_N,
            "compute_gradients": True,
            "weight_requires_grad": True,
            "accum_dtype": torch.float32,
        }
        _, *slopes = _losses(hidden_ND.detach(), weight_VD.detach(), bias_V, targets_N, how)
        return *slopes, None, None


def _losses(
    hidden_ND: Tensor,
    weight_VD: Tensor,
    bias_V: Tensor | None,
    targets_N: Tensor,
    how: Mapping[str, object],
) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]:
    """The losses of the tokens, and gradients by hidden states, weights and bias."""
    kernel = _kernel()
    assert kernel is not None, "asked before"
    bias_V = None if bias_V is None else bias_V.detach()
    made = kernel(hidden_ND, weight_VD, targets_N, bias=bias_V, reduction="none", **how)
    loss_N, slopes = made[0], made[-3:]  # between them lies what was not asked for
    assert loss_N is not None
    return loss_N, slopes[0], slopes[1], slopes[2]


@cache
def _kernel() -> _Forward | None:
    try:  # here: an optional package
        from liger_kernel.ops.fused_linear_cross_entropy import fused_linear_cross_entropy_forward
    except ImportError:
        return None
    found: _Forward = fused_linear_cross_entropy_forward
    return found
