"""Models with random weights, the same for every contestant, in the shapes that are measured."""

from __future__ import annotations

import copy
import re
import zlib
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    PretrainedConfig,
    PreTrainedModel,
    Qwen3Config,
)

from benchmarks.gpu.part import Part

RANK = 16
SHAPES = {
    "llama-1b": LlamaConfig(
        vocab_size=128256, hidden_size=2048, num_hidden_layers=16, num_attention_heads=32,
        num_key_value_heads=8, intermediate_size=8192, tie_word_embeddings=True,
        max_position_embeddings=8192, pad_token_id=0,
    ),
    "llama-8b": LlamaConfig(
        vocab_size=128256, hidden_size=4096, num_hidden_layers=32, num_attention_heads=32,
        num_key_value_heads=8, intermediate_size=14336, max_position_embeddings=8192,
        pad_token_id=0,
    ),
    "qwen3-1.7b": Qwen3Config(
        vocab_size=151936, hidden_size=2048, num_hidden_layers=28, num_attention_heads=16,
        num_key_value_heads=8, head_dim=128, intermediate_size=6144, tie_word_embeddings=True,
        max_position_embeddings=8192, pad_token_id=0,
    ),
    "qwen3-8b": Qwen3Config(
        vocab_size=151936, hidden_size=4096, num_hidden_layers=36, num_attention_heads=32,
        num_key_value_heads=8, head_dim=128, intermediate_size=12288, max_position_embeddings=8192,
        pad_token_id=0,
    ),
}  # fmt: skip
_TINY = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 8195}
_TINY |= {"num_key_value_heads": 2, "intermediate_size": 96, "head_dim": 16}
_LORA = re.compile(r"(layers\.\d+\..+)\.lora_([AB])\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is trained, and where."""

    shape: str
    config: PretrainedConfig
    adapter: str
    device: str
    dtype: torch.dtype
    """Of the base. A tiny case is in fp32, where losses agree to their last digits."""
    tiny: bool


def case_of(part: Part) -> Case:
    """The model that the part names; a small one where the part is tiny."""
    shape, adapter = part.words
    config = SHAPES[shape]
    if part.tiny:
        config = type(config)(**_TINY, max_position_embeddings=1024, pad_token_id=0)
    return Case(
        shape=shape,
        config=config,
        adapter=adapter,
        device=part.device,
        dtype=torch.float32 if part.tiny else torch.bfloat16,
        tiny=part.tiny,
    )


def base_of(case: Case) -> PreTrainedModel:
    """Random weights, made where they are needed; the same in every call."""
    torch.manual_seed(0)
    with torch.device(case.device):
        # A copy: what a contestant chooses stays in the model's own configuration.
        config = copy.deepcopy(case.config)
        model = AutoModelForCausalLM.from_config(config, dtype=case.dtype)
    model.config.dtype = case.dtype
    return model.requires_grad_(False).eval()


def bytes_needed(case: Case) -> float:
    """Least memory of weights, gradients and AdamW's state, without activations."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(case.config)
    weights = sum(weight.numel() for weight in model.parameters())
    return 16.0 * weights if case.adapter == "full" else 2.0 * weights


def trained_weights(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Those that are trained, by name."""
    return [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]


@torch.no_grad()
def put_start(model: nn.Module, case: Case) -> None:
    """Give what is trained the values that every contestant begins with.

    Of an adapter, A is drawn by the layer's name and B is zero; all weights are those of the base.
    """
    if case.adapter == "full":
        own = [weight for _, weight in trained_weights(model)]
        for weight, start in zip(own, base_of(case).parameters(), strict=True):
            weight.copy_(start)
        return
    for name, weight in trained_weights(model):
        found = _LORA.search(name)
        assert found is not None, f"{name} is trained, and is not LoRA's"
        layer, matrix = found.groups()
        weight.copy_(_drawn(layer, weight.shape) if matrix == "A" else torch.zeros(()))


def _drawn(layer: str, shape: torch.Size) -> Tensor:
    """As PEFT draws A: uniform in +-1 / sqrt(inputs)."""
    random = torch.Generator().manual_seed(zlib.crc32(layer.encode()))
    return (2 * torch.rand(shape, generator=random) - 1) / shape[1] ** 0.5
