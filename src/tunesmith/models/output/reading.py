"""What a model's head computes, read from the model and proven.

    logits = cap tanh(scale (h W^T + b) / cap)          without a cap: scale (h W^T + b)

The head is the model's own: a copy of the causal model, sharing its modules, whose backbone
is replaced by one that hands back the hidden states it is given. So soft caps, logit scales,
biases, tied and adapted heads are whatever the model's forward makes of them.

Whether a formula is all of it is proven on a narrow matrix of as many entries, which stands
in for the model's: small scores, usual ones, and such as any cap would bend. What is not
proven (an adapted head, one that masks entries) has no reading.

Shapes: N trained tokens, C of a chunk, D width of the hidden states, V vocabulary.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.utils.generic import ModelOutput

from tunesmith.models.causal import causal_model, vocabulary_of

# On a CPU a chunk is larger than 32 MiB, up to which glibc takes memory from its heap. There the
# small results that stay keep the chunks before them from being given back: 2,048 tokens of
# 151,936 entries grew a process by 2.3 GB in chunks of 31.9 MiB, and by 0.1 GB in larger ones.
# On a GPU it is 1,024 tokens of 128k entries: by then a product is as fast as it gets (each
# number that it reads is used a thousand times), and twice as many would only take twice the room.
CHUNK_BYTES = {"cpu": 33 * 2**20, "cuda": 512 * 2**20}
"""fp32 logits that exist at once."""

_WIDTH = 8
_LARGEST = (1e-2, 1.0, 30.0, 1e4, -1e4)
"""Scores on which a formula is proven; a soft cap does nothing to small ones."""
_AS_CLOSE = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadReading:
    """A head that is one matrix and what is done to its scores."""

    weight_VD: Tensor
    bias_V: Tensor | None
    scale: float = 1.0
    cap: float | None = None

    @property
    def plain(self) -> bool:
        """Whether nothing is done to the scores."""
        return self.scale == 1.0 and self.cap is None

    @property
    def trained(self) -> bool:
        """Whether the matrix or its bias gets a gradient."""
        bias = self.bias_V is not None and self.bias_V.requires_grad
        return self.weight_VD.requires_grad or bias


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """A head as the ways of computing it are given it."""

    own: nn.Module
    """What the model does after its backbone: called with `inputs_embeds`, has `logits`."""
    vocabulary: int
    reading: HeadReading | None
    """None where no formula is proven."""


class Way(Protocol):
    """A file of `models/heads`."""

    REPEATABLE: bool
    """Whether it gives the same bits twice."""

    def suits(self, head: Head, hidden_ND: Tensor) -> str:
        """Why it cannot take this head on these hidden states; empty where it can."""
        ...

    def logprobs(self, head: Head, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
        """Natural logarithms in fp32, differentiable by the hidden states and by the head."""
        ...


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


def own_head(model: nn.Module) -> nn.Module:
    """Everything that the model does after its backbone, as a module of hidden states."""
    inner = causal_model(model)
    head = copy.copy(inner)
    head._modules = dict(inner._modules)
    head._modules[inner.base_model_prefix] = _GivenHidden()
    return head


def read_head(model: nn.Module) -> Head:
    """The head of a causal model, with or without an adapter, and what is proven of it."""
    inner = causal_model(model)
    return Head(own=own_head(model), vocabulary=vocabulary_of(model), reading=_reading(inner))


def autocast_precision(hidden_ND: Tensor) -> torch.dtype | None:
    """In what autocast multiplies these hidden states; None where it is off."""
    device = hidden_ND.device.type
    if device in ("cpu", "cuda") and torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return None


def chunk_length(vocabulary: int, device: str) -> int:
    """Tokens whose fp32 logits fill a chunk."""
    return max(16, -(-CHUNK_BYTES.get(device, CHUNK_BYTES["cpu"]) // (4 * vocabulary)))


def chunks(hidden_ND: Tensor, targets_N: Tensor, chunk: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Both, cut after every `chunk` tokens."""
    yield from zip(torch.split(hidden_ND, chunk), torch.split(targets_N, chunk), strict=True)


def _reading(inner: PreTrainedModel) -> HeadReading | None:
    linear: object = inner.get_output_embeddings()  # type: ignore[no-untyped-call]
    # Not a subclass: quantised, adapted and sharded layers compute something else.
    if type(linear) is not nn.Linear or linear._forward_hooks or linear._forward_pre_hooks:
        return None
    if inner not in _proved:
        _proved[inner] = _formula(inner, linear)
    formula = _proved[inner]
    if formula is None:
        return None
    return HeadReading(
        weight_VD=linear.weight, bias_V=linear.bias, scale=formula[0], cap=formula[1]
    )


_Formula = tuple[float, float | None]
_proved: WeakKeyDictionary[nn.Module, _Formula | None] = WeakKeyDictionary()


def _formula(inner: PreTrainedModel, linear: nn.Linear) -> _Formula | None:
    """Scale and cap of a head; None where no formula that its configuration names is all of it."""
    places = [name for name, module in inner._modules.items() if module is linear]
    others = (
        module
        for name, module in inner._modules.items()
        if module is not None and name not in (*places, inner.base_model_prefix)
    )
    if len(places) != 1 or any(list(other.parameters()) for other in others):
        return None
    generator = torch.Generator().manual_seed(0)
    narrow = nn.Linear(_WIDTH, linear.out_features, bias=linear.bias is not None, device="meta")
    narrow = narrow.to_empty(device="cpu").requires_grad_(False)
    for weight in narrow.parameters():
        weight.normal_(generator=generator)
    head = own_head(inner)
    head._modules[places[0]] = narrow
    return next((one for one in _named(inner) if _is_all(head, narrow, one)), None)


def _named(inner: PreTrainedModel) -> Iterator[_Formula]:
    """What the configuration may mean by the keys that architectures have for this."""
    yield 1.0, None
    config = inner.config.get_text_config().to_dict()
    cap, divided = config.get("final_logit_softcapping"), config.get("logits_scaling")
    if isinstance(cap, int | float) and cap > 0:
        yield 1.0, float(cap)
    if isinstance(divided, int | float) and divided:
        yield 1 / divided, None
    for key in ("logit_scale", "lm_head_multiplier"):
        scale = config.get(key)
        if isinstance(scale, int | float):
            yield float(scale), None


@torch.no_grad()
def _is_all(head: nn.Module, narrow: nn.Linear, formula: _Formula) -> bool:
    """Whether a head makes of hidden states what the formula does, at every size of score."""
    scale, cap = formula
    direction_1D = torch.linspace(-1, 1, _WIDTH)[None]
    slope = functional.linear(direction_1D, narrow.weight).abs().max()
    sizes_P1 = torch.tensor(_LARGEST)[:, None] / slope
    probe_1PD = (sizes_P1 * direction_1D)[None]
    with torch.autocast("cpu", enabled=False):
        try:
            made_1PV = head(inputs_embeds=probe_1PD, use_cache=False).logits
        except (RuntimeError, IndexError):  # it does something to certain entries, or elsewhere
            return False
        plain_1PV = functional.linear(probe_1PD, narrow.weight, narrow.bias) * scale
    if cap is not None:
        plain_1PV = torch.tanh(plain_1PV / cap) * cap
    if made_1PV.shape != plain_1PV.shape:
        return False
    error_1P = (made_1PV - plain_1PV).norm(dim=-1)
    return bool((error_1P <= _AS_CLOSE * plain_1PV.norm(dim=-1)).all())
