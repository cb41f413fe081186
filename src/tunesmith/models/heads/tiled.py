"""Log-probabilities under a head that is one matrix, a tile of tokens and vocabulary at a time.

    z = h W^T + b        logprob[n] = z[n, t] - l[n],     l[n] = log sum_v exp(z[n, v])
    d logprob[n] / d h[n] = W[t] - sum_v exp(z[n, v] - l[n]) W[v]

A tile of scores stays in the processor's cache: its largest score, its sum of exponents and
its product with the weights join those of the tiles before (as in arXiv 1805.02867), and the
full logits never exist. Where the head is frozen, the derivative by the hidden states is made
on the way, and the backward pass is one multiplication. A trained head computes its tiles
once more in the backward pass.

Shapes: N trained tokens, C of a chunk, D width of the hidden states, V vocabulary, W of a tile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, FunctionCtx, once_differentiable

from tunesmith.models.output.reading import Head

REPEATABLE = True
_TOKENS = 512
_TILE = 1024


def suits(head: Head, hidden_ND: Tensor) -> str:
    """It takes a plain matrix in fp32 on a CPU."""
    if head.reading is None or not head.reading.plain:
        return "the head is more than a matrix"
    if {head.reading.weight_VD.dtype, hidden_ND.dtype} != {torch.float32}:
        return "it computes in fp32"
    if hidden_ND.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return "it computes on a CPU, without autocast"
    return ""


def logprobs(head: Head, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
    """Log-probability of each target, natural logarithm, fp32.

    Raises:
        IndexError: a target is not in the vocabulary.
    """
    assert head.reading is not None
    weight_VD, bias_V = head.reading.weight_VD, head.reading.bias_V
    if len(targets_N) and not 0 <= int(targets_N.min()) <= int(targets_N.max()) < len(weight_VD):
        raise IndexError(f"a target lies outside the {len(weight_VD):,} tokens of the vocabulary")
    trained = head.reading.trained
    if not torch.is_grad_enabled() or not (hidden_ND.requires_grad or trained):
        return _scored(weight_VD, bias_V, hidden_ND, targets_N, None)[0]
    kind = _Trained if trained else _Frozen
    logprobs_N = kind.apply(hidden_ND, weight_VD, bias_V, targets_N)  # type: ignore[no-untyped-call]
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
    ) -> Tensor:
        slope_ND = torch.empty_like(hidden_ND)
        logprobs_N, _ = _scored(weight_VD, bias_V, hidden_ND, targets_N, slope_ND)
        ctx.save_for_backward(slope_ND)
        return logprobs_N

    @staticmethod
    @once_differentiable
    def backward(ctx: BackwardCFunction, gradient_N: Tensor) -> tuple[Tensor, None, None, None]:
        (slope_ND,) = ctx.saved_tensors
        return gradient_N[:, None] * slope_ND, None, None, None


class _Trained(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx,
        hidden_ND: Tensor,
        weight_VD: Tensor,
        bias_V: Tensor | None,
        targets_N: Tensor,
    ) -> Tensor:
        logprobs_N, sums_N = _scored(weight_VD, bias_V, hidden_ND, targets_N, None)
        ctx.save_for_backward(hidden_ND, weight_VD, bias_V, targets_N, sums_N)  # type: ignore[arg-type]
        return logprobs_N

    @staticmethod
    @once_differentiable
    def backward(
        ctx: BackwardCFunction, gradient_N: Tensor
    ) -> tuple[Tensor | None, Tensor, Tensor | None, None]:
        saved: Sequence[Tensor] = ctx.saved_tensors
        hidden_ND, weight_VD, bias_V, targets_N, sums_N = saved
        slope_ND = gradient_N[:, None] * weight_VD[targets_N]
        weight_slope_VD = torch.zeros_like(weight_VD)
        bias_slope_V = None if bias_V is None else torch.zeros_like(bias_V)
        for chunk in _slices(len(targets_N), _TOKENS):
            for tile in _slices(weight_VD.shape[0], _TILE):
                scores_CW = _scores(weight_VD, bias_V, hidden_ND[chunk], tile)
                scores_CW.sub_(sums_N[chunk, None]).exp_().mul_(gradient_N[chunk, None])
                slope_ND[chunk].addmm_(scores_CW, weight_VD[tile], alpha=-1.0)
                weight_slope_VD[tile].addmm_(scores_CW.t(), hidden_ND[chunk], alpha=-1.0)
                if bias_slope_V is not None:
                    bias_slope_V[tile].sub_(scores_CW.sum(dim=0))
        weight_slope_VD.index_add_(0, targets_N, gradient_N[:, None] * hidden_ND)
        if bias_slope_V is not None:
            bias_slope_V.index_add_(0, targets_N, gradient_N)
        return slope_ND, weight_slope_VD, bias_slope_V, None


def _scored(
    weight_VD: Tensor,
    bias_V: Tensor | None,
    hidden_ND: Tensor,
    targets_N: Tensor,
    slope_ND: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Log-probabilities, and the logarithms of the sums; `slope_ND` is filled where given."""
    logprobs_N = hidden_ND.new_empty(len(targets_N))
    sums_N = torch.empty_like(logprobs_N)
    for chunk in _slices(len(targets_N), _TOKENS):
        hidden_CD, targets_C = hidden_ND[chunk], targets_N[chunk]
        slope_CD = None if slope_ND is None else slope_ND[chunk].zero_()
        largest_C1 = hidden_CD.new_full((len(targets_C), 1), float("-inf"))
        total_C1 = torch.zeros_like(largest_C1)
        own_C1 = torch.zeros_like(largest_C1)
        for tile in _slices(weight_VD.shape[0], _TILE):
            scores_CW = _scores(weight_VD, bias_V, hidden_CD, tile)
            # From the same product as the sum, so that errors of rounding cancel.
            place_C1 = targets_C[:, None] - tile.start
            inside_C1 = (place_C1 >= 0) & (place_C1 < scores_CW.shape[1])
            found_C1 = scores_CW.gather(1, place_C1.clamp(0, scores_CW.shape[1] - 1))
            own_C1 = torch.where(inside_C1, found_C1, own_C1)
            grown_C1 = torch.maximum(largest_C1, scores_CW.amax(dim=1, keepdim=True))
            scores_CW.sub_(grown_C1).exp_()
            shrunk_C1 = largest_C1.sub_(grown_C1).exp_()
            total_C1.mul_(shrunk_C1).add_(scores_CW.sum(dim=1, keepdim=True))
            if slope_CD is not None:
                slope_CD.mul_(shrunk_C1).addmm_(scores_CW, weight_VD[tile])
            largest_C1 = grown_C1
        sums_C = largest_C1.add_(total_C1.log())[:, 0]
        logprobs_N[chunk], sums_N[chunk] = own_C1[:, 0] - sums_C, sums_C
        if slope_CD is not None:
            slope_CD.div_(total_C1.neg_()).add_(weight_VD[targets_C])
    return logprobs_N, sums_N


def _scores(weight_VD: Tensor, bias_V: Tensor | None, hidden_CD: Tensor, tile: slice) -> Tensor:
    if bias_V is None:
        return hidden_CD @ weight_VD[tile].t()
    return torch.addmm(bias_V[tile], hidden_CD, weight_VD[tile].t())


def _slices(size: int, step: int) -> Iterator[slice]:
    for start in range(0, size, step):
        yield slice(start, min(start + step, size))
