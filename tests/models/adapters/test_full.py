"""Full training: all weights in fp32, saved in the precision of the run, ties kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from tests.models.tiny import CONFIGS, random_rows, tiny_model
from transformers import AutoModelForCausalLM

from tunesmith.data.forest import Packing, build_forests
from tunesmith.errors import ModelError
from tunesmith.models.adapters import full
from tunesmith.models.attention import enable_forest
from tunesmith.models.score import forest_scores

IDS = torch.arange(3, 30)[None]


def test_all_is_trained_and_nothing_drops_out() -> None:
    model = full.attach(tiny_model(CONFIGS["llama"]).to(dtype=torch.bfloat16), full.Config())
    assert all(weight.requires_grad for weight in model.parameters())
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert not any(module.training for module in model.modules())


@pytest.mark.parametrize("name", ["llama", "llama_tied", "gpt2"])
def test_saved_and_loaded_by_transformers(name: str, tmp_path: Path) -> None:
    model = full.attach(tiny_model(CONFIGS[name]), full.Config())
    with torch.no_grad():
        model.get_input_embeddings().weight.add_(0.1)
    full.save(model, tmp_path)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert torch.equal(plain(input_ids=IDS).logits, model(input_ids=IDS).logits)
    tied = plain.get_input_embeddings().weight is plain.get_output_embeddings().weight
    assert tied == (name != "llama")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".json", ".safetensors"]


def test_a_bf16_run_is_saved_in_bf16(tmp_path: Path) -> None:
    frozen = tiny_model(CONFIGS["llama_tied"]).to(dtype=torch.bfloat16)
    frozen.config.dtype = torch.bfloat16
    model = full.attach(frozen, full.Config())
    full.save(model, tmp_path)
    with safe_open(tmp_path / "model.safetensors", framework="pt") as file:
        names = list(file.keys())
        assert {file.get_slice(name).get_dtype() for name in names} == {"BF16"}
    assert "lm_head.weight" not in names, "tied weights are saved once"
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}, "training goes on"


def test_a_bf16_run_computes_in_bf16_with_fp32_gradients() -> None:
    frozen = tiny_model(CONFIGS["llama"], scale=1.0).to(dtype=torch.bfloat16)
    frozen.config.dtype = torch.bfloat16
    model = full.attach(frozen, full.Config())
    support = enable_forest(model)
    assert support.supported, support.reason
    kinds = set()
    model.lm_head.register_forward_hook(lambda module, given, output: kinds.add(output.dtype))
    (forest,) = build_forests(list(enumerate(random_rows(9, 5))), Packing(tokens_per_forest=64))
    scores = forest_scores(model, forest, support=support)
    scores.logprobs_N.sum().backward()
    assert kinds == {torch.bfloat16}
    assert scores.logprobs_N.dtype == torch.float32
    gradients = {weight.grad.dtype for weight in model.parameters() if weight.grad is not None}
    assert gradients == {torch.float32}


def test_state_goes_out_and_comes_back() -> None:
    model = full.attach(tiny_model(CONFIGS["llama_tied"]), full.Config())
    state = {name: weight.clone() for name, weight in full.state(model).items()}
    assert "lm_head.weight" not in state, "tied weights are saved once"
    expected = model(input_ids=IDS).logits
    other = full.attach(tiny_model(CONFIGS["llama_tied"], seed=1), full.Config())
    full.load_state(other, state)
    assert torch.equal(other(input_ids=IDS).logits, expected)


@pytest.mark.parametrize("fault", ["missing", "shape"])
def test_refuses_a_state(fault: str) -> None:
    model = full.attach(tiny_model(CONFIGS["llama"]), full.Config())
    state = dict(full.state(model))
    if fault == "missing":
        del state["model.norm.weight"]
    else:
        state["model.norm.weight"] = torch.zeros(5)
    with pytest.raises(ModelError, match=r"do not fit the model: model.norm.weight"):
        full.load_state(model, state)
