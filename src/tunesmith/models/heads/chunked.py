"""A matrix as head, on any device, in fp32 or bf16: products, and one pass over the scores.

    z = scale (h W^T + b)       with a cap: z = cap tanh(z / cap)
    l[n] = log sum_v exp(z[n, v])             logprob[n] = z[n, t] - l[n]
    d logprob[n] / d (h W^T)[n, v] = scale z'[n, v] ([v = t] - exp(z[n, v] - l[n]))

Tokens go through in chunks. The pass over a chunk's scores makes the log-probabilities and,
in the precision of the product, the derivative; on CUDA it is compiled into one kernel, for
chunks of any length. With a frozen head the derivative is multiplied with the weights at once
and each token's slope is kept, so that the backward pass is one multiplication. A trained head
keeps the l and computes its scores once more in the backward pass, there over all of many
tokens and a part of the vocabulary: so a part of the weights' gradient is written once.

On CUDA a bf16 product leaves its sums as they are, in fp32: rounded to bf16 a score of 20
is off by 0.06. It costs 2 bytes an entry to write and to read, some hundredths of the products.

Nothing here waits for the device.

Shapes: N trained tokens, C of a chunk, D width of the hidden states, V vocabulary, W of a part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, FunctionCtx, once_differentiable

from tunesmith.models.output.passes import Formula, changed, derived, one_pass, summed
from tunesmith.models.output.reading import (
    CHUNK_BYTES,
    Head,
    HeadReading,
    autocast_precision,
    chunk_length,
)

REPEATABLE = True
_PRECISIONS = (torch.float32, torch.bfloat16)
_TOKENS = 8_192
"""Tokens whose slopes a trained head adds up in fp32 at once: 128 MB for a width of 4,096."""


def suits(head: Head, hidden_ND: Tensor) -> str:
    """It takes a matrix, scaled and capped or not, in fp32 or bf16."""
    if head.reading is None:
        return "the head is more than a matrix with a scale and a cap"
    autocast, given = autocast_precision(hidden_ND), {hidden_ND.dtype, head.reading.weight_VD.dtype}
    if not {autocast or hidden_ND.dtype, *given} <= set(_PRECISIONS):
        return "it computes in fp32 and bf16"
    if autocast is None and len(given) > 1:
        return "hidden states and weights differ in precision"
    return ""


def logprobs(head: Head, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
    """Log-probability of each target, natural logarithm, fp32."""
    reading = head.reading
    assert reading is not None
    precision = autocast_precision(hidden_ND) or hidden_ND.dtype
    if not torch.is_grad_enabled() or not (hidden_ND.requires_grad or reading.trained):
        return _scored(reading, hidden_ND, targets_N, precision, None)[0]
    if reading.trained:
        given = (hidden_ND, reading.weight_VD, reading.bias_V, targets_N)
        logprobs_N = _Trained.apply(*given, ((reading.scale, reading.cap), precision))  # type: ignore[no-untyped-call]
    else:
        logprobs_N = _Frozen.apply(hidden_ND, reading, targets_N, precision)  # type: ignore[no-untyped-call]
    assert isinstance(logprobs_N, Tensor)
    return logprobs_N


class _Frozen(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx,
        hidden_ND: Tensor,
        reading: HeadReading,
        targets_N: Tensor,
        precision: torch.dtype,
    ) -> Tensor:
        slope_ND = torch.empty_like(hidden_ND, dtype=precision)
        logprobs_N, _ = _scored(reading, hidden_ND, targets_N, precision, slope_ND)
        ctx.save_for_backward(slope_ND)
        ctx.dtype = hidden_ND.dtype  # type: ignore[attr-defined]
        return logprobs_N

    @staticmethod
    @once_differentiable
    def backward(ctx: BackwardCFunction, gradient_N: Tensor) -> tuple[Tensor, None, None, None]:
        (slope_ND,) = ctx.saved_tensors
        return (gradient_N[:, None] * slope_ND).to(ctx.dtype), None, None, None  # type: ignore[attr-defined]


class _Trained(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx,
        hidden_ND: Tensor,
        weight_VD: Tensor,
        bias_V: Tensor | None,
        targets_N: Tensor,
        how: tuple[Formula, torch.dtype],
    ) -> Tensor:
        formula, precision = how
        reading = HeadReading(weight_VD=weight_VD, bias_V=bias_V, scale=formula[0], cap=formula[1])
        logprobs_N, sums_N = _scored(reading, hidden_ND, targets_N, precision, None)
        ctx.save_for_backward(hidden_ND, weight_VD, bias_V, targets_N, sums_N)  # type: ignore[arg-type]
        ctx.how = how  # type: ignore[attr-defined]
        return logprobs_N

    @staticmethod
    @once_differentiable
    def backward(ctx: BackwardCFunction, gradient_N: Tensor) -> tuple[Tensor | None, ...]:
        saved: Sequence[Tensor] = ctx.saved_tensors
        hidden_ND, weight_VD, bias_V, targets_N, sums_N = saved
        formula, precision = ctx.how  # type: ignore[attr-defined]
        product_VD = weight_VD.to(precision)
        slope_ND = torch.empty_like(hidden_ND)
        weight_slope_VD, bias_slope_V = _zeros(weight_VD), _zeros(bias_V)
        for rows in _parts(len(targets_N), _TOKENS):
            hidden_CD = hidden_ND[rows].to(precision)
            total_CD = torch.zeros_like(hidden_CD, dtype=torch.float32)
            room = CHUNK_BYTES.get(hidden_ND.device.type, CHUNK_BYTES["cpu"])
            for part in _parts(len(weight_VD), max(16, room // (4 * len(hidden_CD)))):
                scores_CW = _product(hidden_CD, product_VD[part].t())
                tokens = (targets_N[rows] - part.start, sums_N[rows], gradient_N[rows])
                bias_W = None if bias_V is None else bias_V[part]
                change_CW = one_pass(changed, scores_CW)(
                    scores_CW, bias_W, tokens, formula, precision
                )
                del scores_CW
                _add_product(total_CD, change_CW, product_VD[part])
                if weight_slope_VD is not None:
                    _add_product(weight_slope_VD[part], change_CW.t(), hidden_CD)
                if bias_slope_V is not None:
                    bias_slope_V[part] += change_CW.sum(dim=0, dtype=torch.float32)
            slope_ND[rows] = total_CD
        return (
            slope_ND,
            _rounded(weight_slope_VD, weight_VD),
            _rounded(bias_slope_V, bias_V),
            None,
            None,
        )


def _scored(
    reading: HeadReading,
    hidden_ND: Tensor,
    targets_N: Tensor,
    precision: torch.dtype,
    slope_ND: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Log-probabilities, and the logarithms of the sums; `slope_ND` is filled where given."""
    weight_VD = reading.weight_VD.detach().to(precision)
    # Not as a parameter: the compiler knows those by whether they are trained.
    bias_V = None if reading.bias_V is None else reading.bias_V.detach()
    formula = (reading.scale, reading.cap)
    logprobs_N = hidden_ND.new_empty(len(targets_N), dtype=torch.float32)
    sums_N = torch.empty_like(logprobs_N)
    for chunk in _parts(len(targets_N), chunk_length(len(weight_VD), hidden_ND.device.type)):
        tokens = (targets_N[chunk],)
        scores_CV = _product(hidden_ND[chunk].to(precision), weight_VD.t())
        if slope_ND is None:
            pass_over = one_pass(summed, scores_CV)
            logprobs_N[chunk], sums_N[chunk] = pass_over(scores_CV, bias_V, tokens, formula)
        else:
            found = one_pass(derived, scores_CV)(scores_CV, bias_V, tokens, formula, precision)
            del scores_CV  # before the next chunk's
            logprobs_N[chunk], sums_N[chunk] = found[0], found[1]
            torch.mm(found[2], weight_VD, out=slope_ND[chunk])
    return logprobs_N, sums_N


def _product(left_MK: Tensor, right_KN: Tensor) -> Tensor:
    """The product, on a GPU in fp32; elsewhere in the precision of what is multiplied."""
    if left_MK.is_cuda and left_MK.dtype == torch.bfloat16:
        return torch.mm(left_MK, right_KN, out_dtype=torch.float32)
    return left_MK @ right_KN


def _add_product(total_MN: Tensor, left_MK: Tensor, right_KN: Tensor) -> None:
    """Add a product to numbers in fp32, without rounding it first."""
    if left_MK.is_cuda and left_MK.dtype == torch.bfloat16:
        torch.addmm(total_MN, left_MK, right_KN, out_dtype=torch.float32, out=total_MN)
    else:
        total_MN.addmm_(left_MK.float(), right_KN.float())


def _parts(size: int, most: int) -> Iterator[slice]:
    """As few parts as there can be, of one length but for the last."""
    length = -(-size // -(-size // most)) if size else 1
    for start in range(0, size, length):
        yield slice(start, min(start + length, size))


def _zeros(like: Tensor | None) -> Tensor | None:
    """To add up the gradient in, where one is wanted."""
    if like is None or not like.requires_grad:
        return None
    return torch.zeros_like(like, dtype=torch.float32)


def _rounded(total: Tensor | None, like: Tensor | None) -> Tensor | None:
    return None if total is None or like is None else total.to(like.dtype)
