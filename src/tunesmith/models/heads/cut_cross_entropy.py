"""A matrix as head by Apple's kernel (the extra `cut-cross-entropy`): no score leaves the chip.

Scores are computed once more in the backward pass, where several blocks add up a token's slope
in the order in which they finish: the last bits differ from call to call. Here it skips no
small probabilities. It waits for the device once a call. Source: arXiv 2411.09009.

Shapes: N trained tokens, D width of the hidden states.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from tunesmith.models.output.reading import Head, autocast_precision

REPEATABLE = False


def suits(head: Head, hidden_ND: Tensor) -> str:
    """It takes a matrix without a bias, capped or not, in bf16, on a GPU."""
    reading = head.reading
    if reading is None or reading.scale != 1.0 or reading.bias_V is not None:
        return "the head is more than a matrix with a cap"
    given = {hidden_ND.dtype, reading.weight_VD.dtype}
    if given != {torch.bfloat16} or autocast_precision(hidden_ND):
        return "it computes in bf16, without autocast"
    if hidden_ND.device.type != "cuda":
        return "it computes on a GPU"
    return "" if _kernel() is not None else "cut-cross-entropy is not installed"


def logprobs(head: Head, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
    """Log-probability of each target, natural logarithm, fp32."""
    reading, kernel = head.reading, _kernel()
    assert reading is not None and kernel is not None, "asked before"
    loss_N = kernel(
        hidden_ND,
        reading.weight_VD,
        targets_N,
        softcap=reading.cap,
        reduction="none",
        filter_eps=None,
    )
    return -loss_N.float()


@cache
def _kernel() -> Callable[..., Tensor] | None:
    try:  # here: an optional package
        from cut_cross_entropy import linear_cross_entropy
    except ImportError:
        return None
    found: Callable[..., Tensor] = linear_cross_entropy
    return found
