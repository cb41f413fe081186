"""Log-probabilities of the trained tokens, without the full logits ever existing.

    logprob[n] = logits[n, target[n]] - log(sum(exp(logits[n])))

There are several ways to compute them, a file each in `models/heads`; all give the same, to
rounding. A run on a GPU has its way chosen by measuring (`models/choice.py`); without that:

    tiled        on a CPU: a plain matrix in fp32
    chunked      elsewhere: a matrix, scaled and capped or not, in fp32 or bf16, where it proves to
                 be right
    general      every other head: adapted, masked, in another precision

Shapes: N trained tokens, D width of the hidden states.
"""

from __future__ import annotations

from typing import cast
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from tunesmith import plugins
from tunesmith.models.causal import causal_model
from tunesmith.models.output.agreement import disagreement
from tunesmith.models.output.reading import Head, Way, read_head

_ON_A_CPU = ("tiled", "general")
_ELSEWHERE = ("chunked", "general")
_TESTED = ("cpu", "meta")
"""Where the project's tests have proven every way; on other devices it is done at first use."""
_chosen: WeakKeyDictionary[nn.Module, str] = WeakKeyDictionary()
_proofs: WeakKeyDictionary[nn.Module, dict[str, str]] = WeakKeyDictionary()


def way_called(name: str) -> Way:
    """A file of `models/heads`."""
    return cast(Way, plugins.load("heads", name))


def token_logprobs(model: nn.Module, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
    """Log-probability of each target given the hidden state that predicts it.

    Args:
        model: the causal model, with or without an adapter.
        hidden_ND: the backbone's last hidden states, after its final norm.
        targets_N: token ids.

    Returns:
        Natural logarithms in fp32, differentiable by the hidden states and by the head.
    """
    if targets_N.numel() == 0:
        return hidden_ND.new_zeros(0, dtype=torch.float32)
    head = read_head(model)
    return _way_for(model, head, hidden_ND).logprobs(head, hidden_ND, targets_N)


def use_way(model: nn.Module, name: str) -> None:
    """From now on compute the model's head like this, wherever that way can take it.

    Raises:
        RecipeError: there is no such way.
    """
    way_called(name)
    _chosen[causal_model(model)] = name


def why_not(model: nn.Module, name: str, hidden_ND: Tensor) -> str:
    """Why a way cannot compute the model's head on such hidden states; empty where it can.

    On a GPU it has to prove itself, once for each model and precision.
    """
    return _why_not(model, read_head(model), name, hidden_ND)


def _way_for(model: nn.Module, head: Head, hidden_ND: Tensor) -> Way:
    chosen = _chosen.get(causal_model(model))
    names: tuple[str, ...] = _ON_A_CPU if hidden_ND.device.type == "cpu" else _ELSEWHERE
    if chosen is not None:
        names = (chosen, *names)
    return next(way_called(name) for name in names if not _why_not(model, head, name, hidden_ND))


def _why_not(model: nn.Module, head: Head, name: str, hidden_ND: Tensor) -> str:
    way = way_called(name)
    unsuited = way.suits(head, hidden_ND)
    if unsuited or hidden_ND.device.type in _TESTED or name == "general":
        return unsuited
    proofs = _proofs.setdefault(causal_model(model), {})
    autocast = torch.is_autocast_enabled("cuda")
    trained = head.reading is not None and head.reading.trained
    case = f"{name} {hidden_ND.device} {hidden_ND.dtype} {autocast} {trained}"
    if case not in proofs:
        proofs[case] = disagreement(way, head, way_called("general"), hidden_ND)
    return proofs[case]
