"""The Transformers model inside whatever is wrapped around it."""

from __future__ import annotations

from peft import PeftModel
from torch import nn
from transformers import PreTrainedModel


def causal_model(model: nn.Module) -> PreTrainedModel:
    """The Transformers model itself, whether or not PEFT is wrapped around it."""
    inner = model.get_base_model() if isinstance(model, PeftModel) else model
    assert isinstance(inner, PreTrainedModel), f"{type(inner)} is not a Transformers model"
    return inner


def vocabulary_of(model: nn.Module) -> int:
    """How many tokens the model knows."""
    return int(causal_model(model).config.get_text_config().vocab_size)


def decoder_layers(inner: PreTrainedModel) -> nn.ModuleList | None:
    """The layers of a model that has one list of them; None for another structure."""
    lists = [child for child in inner.base_model.children() if isinstance(child, nn.ModuleList)]
    return lists[0] if len(lists) == 1 else None
