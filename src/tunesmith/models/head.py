"""Log-probabilities of the trained tokens, without the full logits ever existing.

    logprob[n] = logits[n, target[n]] - log(sum(exp(logits[n])))

The head is the model's own: a copy of the causal model, sharing its modules, whose backbone
is replaced by one that hands back the hidden states it is given. So soft caps, logit scales,
biases, tied and adapted heads are whatever the model's forward makes of them.

Tokens go through in chunks. Where the head is frozen, the derivative of each token's
log-probability by its own hidden state is kept instead of the logits (N x D numbers): the
backward pass is then one multiplication. A trained head is computed again in the backward.

Shapes: N trained tokens, C of a chunk, D width of the hidden states, V vocabulary.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction, FunctionCtx
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from transformers.utils.generic import ModelOutput

from tunesmith.models.causal import causal_model, vocabulary_of
from tunesmith.models.plain_head import plain_logprobs

# On a CPU a chunk is larger than 32 MiB, up to which glibc takes memory from its heap. There the
# small results that stay keep the chunks before them from being given back: 2,048 tokens of
# 151,936 entries grew a process by 2.3 GB in chunks of 31.9 MiB, and by 0.1 GB in larger ones.
_CHUNK_BYTES = {"cpu": 33 * 2**20, "cuda": 512 * 2**20}


@dataclass
class _BackboneOutput(ModelOutput):
    """Every field that some architecture's head reads off its backbone's output."""

    last_hidden_state: Tensor | None = None
    past_key_values: None = None
    hidden_states: None = None
    attentions: None = None
    cross_attentions: None = None
    router_logits: None = None
    cache_params: None = None


class _GivenHidden(nn.Module):
    """Stands in for the backbone and returns what it is given as embeddings."""

    @property
    def decoder(self) -> _GivenHidden:
        """OPT's head calls the decoder within its backbone."""
        return self

    def forward(
        self, input_ids: None = None, *, inputs_embeds: Tensor, **ignored: object
    ) -> _BackboneOutput:
        return _BackboneOutput(last_hidden_state=inputs_embeds)


class _FrozenHead(torch.autograd.Function):
    """`_chunked` with the derivative by the hidden states taken on the way."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, hidden_ND: Tensor, head: nn.Module, targets_N: Tensor, chunk: int
    ) -> Tensor:
        logprobs, slopes = [], []
        for hidden_CD, targets_C in _chunks(hidden_ND.detach(), targets_N, chunk):
            with torch.enable_grad():
                leaf_CD = hidden_CD.requires_grad_()
                logprobs_C = _logprobs(head, leaf_CD, targets_C)
                (slope_CD,) = torch.autograd.grad(logprobs_C.sum(), leaf_CD)
            logprobs.append(logprobs_C.detach())
            slopes.append(slope_CD)
        ctx.save_for_backward(torch.cat(slopes))
        return torch.cat(logprobs)

    @staticmethod
    def backward(ctx: BackwardCFunction, gradient_N: Tensor) -> tuple[Tensor, None, None, None]:
        (slope_ND,) = ctx.saved_tensors
        return (gradient_N[:, None] * slope_ND).to(slope_ND.dtype), None, None, None


def token_logprobs(
    model: nn.Module, hidden_ND: Tensor, targets_N: Tensor, chunk: int | None = None
) -> Tensor:
    """Log-probability of each target given the hidden state that predicts it.

    Args:
        model: the causal model, with or without an adapter.
        hidden_ND: the backbone's last hidden states, after its final norm.
        targets_N: token ids.
        chunk: tokens that go through the head at once; by default as many as keep a chunk's
            logits small beside the rest (33 MB on a CPU, 512 MB on a GPU).

    Returns:
        Natural logarithms in fp32, differentiable by the hidden states and by the head.
    """
    if targets_N.numel() == 0:
        return hidden_ND.new_zeros(0, dtype=torch.float32)
    head = own_head(model)
    linear = _plain_head(model) if chunk is None else None
    if linear is not None:
        return plain_logprobs(linear, hidden_ND, targets_N)
    if chunk is None:
        chunk = chunk_length(vocabulary_of(model), hidden_ND.device.type)
    if not torch.is_grad_enabled():
        return torch.cat(
            [
                _logprobs(head, hidden_CD, targets_C)
                for hidden_CD, targets_C in _chunks(hidden_ND, targets_N, chunk)
            ]
        )
    if any(weight.requires_grad for weight in head.parameters()):
        return torch.cat(
            [
                checkpoint(
                    _logprobs,
                    head,
                    hidden_CD,
                    targets_C,
                    use_reentrant=False,
                    preserve_rng_state=False,
                )
                for hidden_CD, targets_C in _chunks(hidden_ND, targets_N, chunk)
            ]
        )
    logprobs_N = _FrozenHead.apply(hidden_ND, head, targets_N, chunk)  # type: ignore[no-untyped-call]
    assert isinstance(logprobs_N, Tensor)
    return logprobs_N


def chunk_length(vocabulary: int, device: str) -> int:
    """Tokens whose fp32 logits fill a chunk."""
    return max(16, -(-_CHUNK_BYTES.get(device, _CHUNK_BYTES["cpu"]) // (4 * vocabulary)))


def _chunks(hidden_ND: Tensor, targets_N: Tensor, chunk: int) -> Iterator[tuple[Tensor, Tensor]]:
    yield from zip(torch.split(hidden_ND, chunk), torch.split(targets_N, chunk), strict=True)


def own_head(model: nn.Module) -> nn.Module:
    """Everything that the model does after its backbone, as a module of hidden states."""
    inner = causal_model(model)
    head = copy.copy(inner)
    head._modules = dict(inner._modules)
    head._modules[inner.base_model_prefix] = _GivenHidden()
    return head


def _plain_head(model: nn.Module) -> nn.Linear | None:
    """The matrix that is all of a model's head, on a CPU in fp32; None where there is more."""
    inner = causal_model(model)
    linear: object = inner.get_output_embeddings()  # type: ignore[no-untyped-call]
    if type(linear) is not nn.Linear or linear.weight.dtype != torch.float32:
        return None
    if linear.weight.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return None
    if inner not in _proved_plain:
        _proved_plain[inner] = _is_plain(own_head(model), linear)
    return linear if _proved_plain[inner] else None


_proved_plain: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()


@torch.no_grad()
def _is_plain(head: nn.Module, linear: nn.Linear) -> bool:
    """Whether a head makes of hidden states what its matrix does, large scores included.

    A soft cap does nothing to small ones, and the weights may be small today.
    """
    probe_1CD = torch.linspace(-9, 9, 2 * linear.in_features).view(1, 2, -1)
    largest = float(functional.linear(probe_1CD, linear.weight).abs().max())
    if largest == 0:
        return False
    probe_1CD *= 1e4 / largest
    made = head(inputs_embeds=probe_1CD, use_cache=False).logits
    plain = functional.linear(probe_1CD, linear.weight, linear.bias)
    return made.shape == plain.shape and float((made - plain).norm()) <= 1e-5 * float(plain.norm())


def _logprobs(head: nn.Module, hidden_CD: Tensor, targets_C: Tensor) -> Tensor:
    logits_CV = head(inputs_embeds=hidden_CD[None], use_cache=False).logits[0]
    return -functional.cross_entropy(logits_CV.float(), targets_C, reduction="none")
