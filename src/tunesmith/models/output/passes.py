"""What lies between a head's products: one pass over a chunk of scores on a GPU.

    z = scale (s + b)                         with a cap: z = cap tanh(z / cap)
    l[n] = log sum_v exp(z[n, v])             logprob[n] = z[n, t] - l[n]
    d logprob[n] / d s[n, v] = scale z'[n, v] ([v = t] - exp(z[n, v] - l[n]))

Computed in fp32 whatever the precision of the scores s. On CUDA each is compiled into one
kernel, for any number of tokens; elsewhere it runs as it stands.

Shapes: C tokens, V entries of the vocabulary, or some of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor
from torch._dynamo import maybe_mark_dynamic

from tunesmith.models.compiled import compiled_apart, switches

Given = ParamSpec("Given")
Made = TypeVar("Made")
Formula = tuple[float, float | None]
"""Scale and cap."""
_COMPILED_ON = "cuda"


def summed(
    scores_CV: Tensor, bias_V: Tensor | None, tokens_C: tuple[Tensor], formula: Formula
) -> tuple[Tensor, Tensor]:
    """Log-probabilities of the targets, which are all of `tokens_C`, and the l: both (C)."""
    z_CV, _ = _bent(scores_CV, bias_V, formula)
    return _logprobs(z_CV, tokens_C[0])


def derived(
    scores_CV: Tensor,
    bias_V: Tensor | None,
    tokens_C: tuple[Tensor],
    formula: Formula,
    dtype: torch.dtype,
) -> tuple[Tensor, Tensor, Tensor]:
    """The same, and the derivative (C, V) by the scores, in `dtype`."""
    (targets_C,) = tokens_C
    z_CV, bend_CV = _bent(scores_CV, bias_V, formula)
    logprobs_C, sums_C = _logprobs(z_CV, targets_C)
    change_CV = _change(z_CV, targets_C, sums_C)
    return logprobs_C, sums_C, _by_scores(change_CV, bend_CV, formula).to(dtype)


def changed(
    scores_CV: Tensor,
    bias_V: Tensor | None,
    tokens_C: tuple[Tensor, Tensor, Tensor],
    formula: Formula,
    dtype: torch.dtype,
) -> Tensor:
    """The derivative (C, V) alone, times the slope of each token.

    Args:
        scores_CV: of some entries of the vocabulary.
        bias_V: of the same entries.
        tokens_C: targets, counted from the first of these entries, though they may lie
            outside; the l over all entries; slopes.
        formula: scale and cap.
        dtype: of the result.
    """
    targets_C, sums_C, slopes_C = tokens_C
    z_CV, bend_CV = _bent(scores_CV, bias_V, formula)
    change_CV = _change(z_CV, targets_C, sums_C) * slopes_C.float()[:, None]
    return _by_scores(change_CV, bend_CV, formula).to(dtype)


def one_pass(function: Callable[Given, Made], scores_CV: Tensor) -> Callable[Given, Made]:
    """One of these functions as it runs fastest on the device of the scores."""
    # The compiler takes a single token, or entry, for a case of its own.
    if scores_CV.device.type != _COMPILED_ON or 1 in scores_CV.shape:
        return function
    return compiled(function)


@cache
def compiled(
    function: Callable[Given, Made], backend: str | Callable[..., object] = "inductor"
) -> Callable[Given, Made]:
    """Compiled when it is first called, for any number of tokens."""
    known: dict[object, Callable[Given, Made]] = {}

    def call(*given: Given.args, **named: Given.kwargs) -> Made:
        scores_CV, bias_V, tokens_C = given[:3]
        assert isinstance(scores_CV, Tensor) and isinstance(tokens_C, tuple)
        in_parts = len(tokens_C) > 1  # of the vocabulary, and the last may be narrower
        width = None if in_parts else scores_CV.shape[1]
        case = (switches(), scores_CV.dtype, width, bias_V is None, given[3:])
        made = known.get(case)
        if made is None:
            made = known[case] = compiled_apart(function, backend)
        for tensor in (scores_CV, *tokens_C):
            maybe_mark_dynamic(tensor, 0)
        if in_parts:
            maybe_mark_dynamic(scores_CV, 1)
            if isinstance(bias_V, Tensor):
                maybe_mark_dynamic(bias_V, 0)
        return made(*given, **named)

    return call


def _bent(
    scores_CV: Tensor, bias_V: Tensor | None, formula: Formula
) -> tuple[Tensor, Tensor | None]:
    """The z, and with a cap their derivative by what is capped."""
    scale, cap = formula
    z_CV = scores_CV.float()
    if bias_V is not None:
        z_CV = z_CV + bias_V.float()
    if scale != 1.0:
        z_CV = z_CV * scale
    if cap is None:
        return z_CV, None
    ratio_CV = torch.tanh(z_CV / cap)
    return ratio_CV * cap, 1.0 - ratio_CV * ratio_CV


def _logprobs(z_CV: Tensor, targets_C: Tensor) -> tuple[Tensor, Tensor]:
    largest_C1 = z_CV.amax(dim=1, keepdim=True)
    total_C1 = (z_CV - largest_C1).exp().sum(dim=1, keepdim=True)
    sums_C = (largest_C1 + total_C1.log())[:, 0]
    # From the same scores as the sum, so that errors of rounding cancel.
    return z_CV.gather(1, targets_C[:, None])[:, 0] - sums_C, sums_C


def _change(z_CV: Tensor, targets_C: Tensor, sums_C: Tensor) -> Tensor:
    entries_V = torch.arange(z_CV.shape[1], device=z_CV.device)
    own_CV = entries_V == targets_C[:, None]
    return own_CV.float() - (z_CV - sums_C[:, None]).exp()


def _by_scores(change_CV: Tensor, bend_CV: Tensor | None, formula: Formula) -> Tensor:
    if bend_CV is not None:
        change_CV = change_CV * bend_CV
    return change_CV if formula[0] == 1.0 else change_CV * formula[0]
