"""NF4 through bitsandbytes, on the CPU: loads, packs into forests, trains its adapter."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig

from tests.models.tiny import random_rows, tiny_model
from tunesmith.base import BaseFolder, locate_base
from tunesmith.data.forest import Packing, build_forests
from tunesmith.errors import RecipeError
from tunesmith.models.adapters import full, lora
from tunesmith.models.attention import enable_forest
from tunesmith.models.load import load_model, load_tuned
from tunesmith.models.score import forest_scores

bitsandbytes = pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed")
IDS = torch.arange(3, 30)[None]


@pytest.fixture
def base(tmp_path: Path) -> BaseFolder:
    config = LlamaConfig(
        vocab_size=97, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    tiny_model(config, scale=2.0).save_pretrained(tmp_path / "base")
    return locate_base(str(tmp_path / "base"))


def test_a_quantized_base_takes_forests_and_trains(base: BaseFolder, tmp_path: Path) -> None:
    model = load_model(base, device="cpu", dtype="fp32", quantize="nf4")
    layer = model.get_submodule("model.layers.0.mlp.up_proj")
    assert isinstance(layer, bitsandbytes.nn.Linear4bit)
    assert layer.weight.dtype == torch.uint8
    model = lora.attach(model, lora.Config(rank=4))
    support = enable_forest(model)
    assert support.supported, support.reason
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    assert {weight.dtype for weight in trained} == {torch.float32}
    optimizer = torch.optim.AdamW(trained, lr=1e-2)
    losses = []
    for _ in range(6):
        (forest,) = build_forests(
            list(enumerate(random_rows(9, 14))), Packing(tokens_per_forest=64)
        )
        with torch.no_grad():  # as measuring does between steps
            forest_scores(model, forest, support=support)
        loss = -forest_scores(model, forest, support=support).logprobs_N.mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 0.3
    lora.save(model, tmp_path / "adapter")
    again = load_tuned(tmp_path / "adapter", base, device="cpu", dtype="fp32", quantize="nf4")
    assert torch.equal(
        again(input_ids=IDS).logits, load_tuned(
            tmp_path / "adapter", base, device="cpu", dtype="fp32", quantize="nf4"
        )(input_ids=IDS).logits
    )  # fmt: skip


def test_full_training_of_a_quantized_base_is_refused(base: BaseFolder) -> None:
    model = load_model(base, device="cpu", dtype="fp32", quantize="nf4")
    with pytest.raises(RecipeError, match="cannot train a quantised base"):
        full.attach(model, full.Config())


def test_gradients_are_those_of_the_dequantized_weights(base: BaseFolder) -> None:
    """After a pass without gradients too, which on some CPUs repacks the weights."""
    model = load_model(base, device="cpu", dtype="fp32", quantize="nf4").eval()
    layer = model.get_submodule("model.layers.0.mlp.up_proj")
    inputs = torch.randn(5, 64)
    with torch.no_grad():
        dense = layer(torch.eye(64)).T
        layer(inputs)
    leaf = inputs.clone().requires_grad_()
    slopes = torch.randn(5, 128)
    (layer(leaf) * slopes).sum().backward()
    torch.testing.assert_close(leaf.grad, slopes @ dense, atol=1e-4, rtol=1e-4)
