"""Any head: the model's own forward in chunks of tokens, with autograd's gradients.

    logprob[n] = logits[n, target[n]] - log(sum(exp(logits[n])))

Where the head is frozen, the derivative of each token's log-probability by its own hidden
state is kept instead of the logits (N x D numbers): the backward pass is then one
multiplication. A trained head is computed again in the backward.

Shapes: N trained tokens, C of a chunk, D width of the hidden states, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction, FunctionCtx
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from tunesmith.models.output.reading import Head, chunk_length, chunks

REPEATABLE = True


def suits(head: Head, hidden_ND: Tensor) -> str:
    """It takes every head."""
    return ""


def logprobs(head: Head, hidden_ND: Tensor, targets_N: Tensor, chunk: int | None = None) -> Tensor:
    """Log-probability of each target, natural logarithm, fp32; `chunk` tokens at once."""
    if chunk is None:
        chunk = chunk_length(head.vocabulary, hidden_ND.device.type)
    if not torch.is_grad_enabled():
        return torch.cat(
            [
                _logprobs(head.own, hidden_CD, targets_C)
                for hidden_CD, targets_C in chunks(hidden_ND, targets_N, chunk)
            ]
        )
    if any(weight.requires_grad for weight in head.own.parameters()):
        return torch.cat(
            [
                checkpoint(
                    _logprobs,
                    head.own,
                    hidden_CD,
                    targets_C,
                    use_reentrant=False,
                    preserve_rng_state=False,
                )
                for hidden_CD, targets_C in chunks(hidden_ND, targets_N, chunk)
            ]
        )
    logprobs_N = _Frozen.apply(hidden_ND, head.own, targets_N, chunk)  # type: ignore[no-untyped-call]
    assert isinstance(logprobs_N, Tensor)
    return logprobs_N


class _Frozen(torch.autograd.Function):
    """The derivative by the hidden states is taken on the way."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, hidden_ND: Tensor, head: nn.Module, targets_N: Tensor, chunk: int
    ) -> Tensor:
        found, slopes = [], []
        for hidden_CD, targets_C in chunks(hidden_ND.detach(), targets_N, chunk):
            with torch.enable_grad():
                leaf_CD = hidden_CD.requires_grad_()
                logprobs_C = _logprobs(head, leaf_CD, targets_C)
                (slope_CD,) = torch.autograd.grad(logprobs_C.sum(), leaf_CD)
            found.append(logprobs_C.detach())
            slopes.append(slope_CD)
        ctx.save_for_backward(torch.cat(slopes))
        return torch.cat(found)

    @staticmethod
    def backward(ctx: BackwardCFunction, gradient_N: Tensor) -> tuple[Tensor, None, None, None]:
        (slope_ND,) = ctx.saved_tensors
        return (gradient_N[:, None] * slope_ND).to(slope_ND.dtype), None, None, None


def _logprobs(head: nn.Module, hidden_CD: Tensor, targets_C: Tensor) -> Tensor:
    logits_CV = head(inputs_embeds=hidden_CD[None], use_cache=False).logits[0]
    return -functional.cross_entropy(logits_CV.float(), targets_C, reduction="none")
