"""What a model makes of the trained tokens: how likely each, how sure it was, what else.

    entropy[n] = - sum_v p[n, v] log p[n, v]        in nats

As in `head`, tokens go through the model's own head in chunks, and the full logits never exist.

Shapes: N trained tokens, C of a chunk, K likeliest tokens, D width of the hidden states, V
vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tunesmith.models.causal import vocabulary_of
from tunesmith.models.output.reading import chunk_length, own_head


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStatistics:
    """Of each trained token, in the order given; natural logarithms, fp32."""

    logprobs_N: Tensor
    top_logprobs_NK: Tensor
    """Of the K likeliest tokens in its place, the likeliest first."""
    top_ids_NK: Tensor
    entropy_N: Tensor | None = None
    """Where it was asked for."""


@torch.no_grad()
def token_statistics(
    model: nn.Module,
    hidden_ND: Tensor,
    targets_N: Tensor,
    *,
    top: int = 1,
    entropy: bool = False,
    chunk: int | None = None,
) -> TokenStatistics:
    """Statistics of each target given the hidden state that predicts it; no gradients.

    Args:
        model: the causal model, with or without an adapter.
        hidden_ND: the backbone's last hidden states, after its final norm.
        targets_N: token ids.
        top: how many of the likeliest tokens to name; at least 1.
        entropy: whether to measure the entropy of each distribution.
        chunk: tokens at once; by default as `reading.chunk_length` has it.
    """
    head = own_head(model)
    if chunk is None:
        chunk = chunk_length(vocabulary_of(model), hidden_ND.device.type)
    logprobs, tops, ids, entropies = [], [], [], []
    for hidden_CD, targets_C in zip(
        torch.split(hidden_ND, chunk), torch.split(targets_N, chunk), strict=True
    ):
        logits_CV = head(inputs_embeds=hidden_CD[None], use_cache=False).logits[0].float()
        logprobs_CV = logits_CV.log_softmax(dim=-1)
        del logits_CV
        logprobs.append(logprobs_CV.gather(1, targets_C[:, None])[:, 0])
        likeliest = logprobs_CV.topk(top, dim=-1)
        tops.append(likeliest.values)
        ids.append(likeliest.indices)
        if entropy:
            # entr(p) = -p log p, and 0 where a token has no chance.
            entropies.append(torch.special.entr(logprobs_CV.exp_()).sum(dim=-1))
    return TokenStatistics(
        logprobs_N=torch.cat(logprobs),
        top_logprobs_NK=torch.cat(tops),
        top_ids_NK=torch.cat(ids),
        entropy_N=torch.cat(entropies) if entropy else None,
    )
