"""What is said to be kept, against what layers keep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.models.tiny import CONFIGS, random_rows, tiny_model
from torch import nn
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen3Config

from tunesmith.base import locate_base
from tunesmith.data.forest import Packing, build_forests
from tunesmith.models.adapters import full, lora
from tunesmith.models.attention import enable_forest
from tunesmith.models.causal import decoder_layers
from tunesmith.models.fused import install
from tunesmith.models.precision import products
from tunesmith.models.recompute import recompute_layers
from tunesmith.models.score import forest_scores
from tunesmith.plan.activations import Kept, shape_of

SIZES = {
    "hidden_size": 64, "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 16,
    "intermediate_size": 160, "vocab_size": 97, "max_position_embeddings": 128,
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}  # fmt: skip
TOKENS = 96
REFUSED = {"gemma3", "opt"}
"""Their configurations, as Transformers writes them, hold keys that are refused."""
KINDS = {"llama": LlamaConfig, "qwen3": Qwen3Config}


def model_of(kind: str, layers: int, adapter: str, dtype: torch.dtype) -> nn.Module:
    torch.manual_seed(0)
    config = KINDS[kind](**SIZES, num_hidden_layers=layers, dtype=dtype)
    base = AutoModelForCausalLM.from_config(config).to(dtype)
    way = lora if adapter == "lora" else full
    return way.attach(base, lora.Config(rank=2) if adapter == "lora" else full.Config())


def kept_bytes(model: nn.Module, *, forest: bool, again: int = 0) -> int:
    """Bytes that a forward pass keeps, each piece of memory once, weights left out."""
    pieces: dict[int, int] = {}
    weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    alive = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            pieces[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    rows = list(enumerate(random_rows(TOKENS)))
    (one,) = build_forests(rows, Packing(tokens_per_forest=TOKENS))
    support = enable_forest(model) if forest else None
    recompute_layers(model, again)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        if support is not None:
            forest_scores(model, one, support=support)
        else:
            with products(model):
                model(input_ids=torch.as_tensor(rows[0][1].ids_T)[None].long(), use_cache=False)
    return sum(pieces.values())


def of_a_layer(kind: str, adapter: str, dtype: torch.dtype, *, forest: bool) -> float:
    few, more = (
        kept_bytes(model_of(kind, layers, adapter, dtype), forest=forest) for layers in (2, 4)
    )
    return (more - few) / 2 / (TOKENS - 1 if forest else TOKENS)  # a row's last is not computed


def counted(folder: Path, kind: str, adapter: str, dtype: torch.dtype, *, fused: bool) -> Kept:
    model_of(kind, 2, "full", torch.float32).save_pretrained(folder)
    size = 4.0 if dtype == torch.float32 else 2.0
    return Kept(
        shape=shape_of(locate_base(str(folder))),
        size=size,
        between=size if adapter == "lora" else 4.0,
        fused=fused,
        casts=adapter == "lora" and size == 2,
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("adapter", ["lora", "full"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_layers_of_transformers(
    tmp_path: Path, kind: str, adapter: str, dtype: torch.dtype
) -> None:
    kept = counted(tmp_path, kind, adapter, dtype, fused=False)
    found = of_a_layer(kind, adapter, dtype, forest=False)
    assert found <= kept.layer <= 1.4 * found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("adapter", ["lora", "full"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_layers_that_are_fused_as_on_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, adapter: str, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(install, "takes_whole", lambda inner: True)
    kept = counted(tmp_path, kind, adapter, dtype, fused=True)
    found = of_a_layer(kind, adapter, dtype, forest=True)
    # FlexAttention takes queries and keys as they are; here a second Q is not needed.
    assert found <= kept.layer <= 1.25 * found


def test_layers_that_are_computed_again(tmp_path: Path) -> None:
    kept = counted(tmp_path, "llama", "lora", torch.float32, fused=True)
    few, more = (
        kept_bytes(model_of("llama", layers, "lora", torch.float32), forest=True, again=layers)
        for layers in (2, 5)
    )
    assert (more - few) / 3 / (TOKENS - 1) == kept.input
    # One layer is whole again, and one layer's gradients are beside it.
    assert kept.here(0, offloaded=False) == (2 + 1) * kept.layer
    assert kept.here(2, offloaded=False) == (1 + 1) * kept.layer + 2 * kept.input


def test_inputs_that_wait_in_main_memory(tmp_path: Path) -> None:
    kept = counted(tmp_path, "llama", "lora", torch.float32, fused=True)
    many = replace(kept, shape=replace(kept.shape, layers=9))
    stays, leaves = (many.here(9, offloaded=offloaded) for offloaded in (False, True))
    assert stays - leaves == (9 - 3) * kept.input
    assert many.away(9) == 2 * 8 * kept.input, "the last layer's stays"
    assert many.away(1) == many.away(0) == 0


def test_what_may_be_fused_is_read_off_the_names_of_weights(tmp_path: Path) -> None:
    """The same as `models.fused` reads off the modules."""
    found = {}
    for name in set(CONFIGS) - REFUSED:
        folder = tmp_path / name
        model = tiny_model(CONFIGS[name])
        model.save_pretrained(folder)
        found[name] = shape_of(locate_base(str(folder))).fusible
        layers = decoder_layers(model)
        parts = set() if layers is None else {part for part, _ in layers[0].named_children()}
        if found[name]:
            assert parts == {"self_attn", "mlp", "input_layernorm", "post_attention_layernorm"}
    assert {name for name, fusible in found.items() if fusible} >= {
        "llama", "llama_tied", "qwen2", "qwen3", "mistral", "gemma", "smollm3",
    }  # fmt: skip
    assert not {name for name, fusible in found.items() if fusible} & {
        "gpt_neox", "gemma2", "cohere", "phi3", "olmo2", "qwen3_moe", "gpt2",
    }  # fmt: skip
