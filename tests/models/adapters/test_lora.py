"""LoRA: what is trained, what is refused, what is saved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from pydantic import ValidationError
from safetensors.torch import load_file
from tests.models.tiny import CONFIGS, tiny_model
from torch import nn

from tunesmith.errors import ModelError, RecipeError
from tunesmith.models.adapters import lora

IDS = torch.arange(3, 30)[None]


def attached(**options: object) -> nn.Module:
    torch.manual_seed(0)
    return lora.attach(tiny_model(CONFIGS["llama"]), lora.Config.model_validate(options))


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


def scramble(model: nn.Module) -> None:
    with torch.no_grad():
        for weight in trained(model).values():
            weight.normal_(std=0.1)


@pytest.mark.parametrize(
    "options",
    [
        {"rank": 0},
        {"rank": 4097},
        {"rank": 1.5},
        {"rank": True},
        {"alpha": 0.0},
        {"alpha": -1.0},
        {"alpha": float("nan")},
        {"alpha": float("inf")},
        {"dropout": 1.0},
        {"dropout": -0.1},
        {"targets": []},
        {"targets": "q_proj"},
        {"targets": [3]},
        {"ranks": 8},
        {"dora": "yes"},
    ],
)
def test_refuses_options(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        lora.Config.model_validate(options)


def test_every_option_says_what_it_is() -> None:
    for name, field in lora.Config.model_fields.items():
        assert field.description, name


def test_only_the_corrections_are_trained_in_fp32() -> None:
    model = lora.attach(tiny_model(CONFIGS["llama"]).to(dtype=torch.bfloat16), lora.Config(rank=4))
    for name, weight in model.named_parameters():
        assert weight.requires_grad == ("lora_" in name), name
        assert weight.dtype == (torch.float32 if "lora_" in name else torch.bfloat16), name
    assert not any(module.training for module in model.modules())


def test_it_starts_as_the_base() -> None:
    expected = tiny_model(CONFIGS["llama"])(input_ids=IDS).logits
    assert torch.equal(attached()(input_ids=IDS).logits, expected)


def test_all_linear_leaves_the_head_alone() -> None:
    layers = {name.split(".lora_")[0].rsplit(".", 1)[-1] for name in trained(attached())}
    assert layers == {
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    }  # fmt: skip


def test_named_targets() -> None:
    names = trained(attached(targets=["q_proj", "v_proj"]))
    assert len(names) == 2 * 2 * 2
    assert all(".q_proj." in name or ".v_proj." in name for name in names)


def test_a_target_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(RecipeError, match=r"adapter.targets.*query") as caught:
        attached(targets=["q_proj", "query"])
    assert "gate_proj" in caught.value.hint
    assert "q_proj" in caught.value.hint


def test_the_same_seed_gives_the_same_start() -> None:
    left, right = trained(attached()), trained(attached())
    assert all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize(
    ("options", "scale"),
    [
        ({"rank": 4}, 2.0),
        ({"rank": 4, "alpha": 4.0}, 1.0),
        ({"rank": 4, "alpha": 1.0, "rslora": True}, 0.5),
    ],
)
def test_the_scale(options: dict[str, object], scale: float) -> None:
    layer = attached(**options).get_submodule("base_model.model.model.layers.0.mlp.up_proj")
    assert layer.scaling["default"] == pytest.approx(scale)


def test_dropout_trains_and_nothing_else_does() -> None:
    model = attached(dropout=0.5)
    training = [name for name, module in model.named_modules() if module.training]
    assert len(training) == 2 * 7
    assert all("lora_dropout" in name for name in training)
    scramble(model)
    assert not torch.equal(model(input_ids=IDS).logits, model(input_ids=IDS).logits)


def test_dora_trains_lengths_too() -> None:
    names = trained(attached(dora=True))
    assert any("magnitude" in name for name in names)


def test_state_goes_out_and_comes_back() -> None:
    model = attached(rank=4)
    scramble(model)
    saved = {name: weight.clone() for name, weight in lora.state(model).items()}
    expected = model(input_ids=IDS).logits
    other = attached(rank=4)
    lora.load_state(other, saved)
    assert torch.equal(other(input_ids=IDS).logits, expected)
    assert all(weight.data_ptr() for weight in lora.state(model).values())


def test_state_is_the_models_own_memory() -> None:
    model = attached(rank=4)
    scramble(model)
    own = {weight.data_ptr() for weight in trained(model).values()}
    assert {weight.data_ptr() for weight in lora.state(model).values()} == own


@pytest.mark.parametrize("fault", ["missing", "extra", "shape"])
def test_refuses_a_state(fault: str) -> None:
    model = attached(rank=4)
    state = dict(lora.state(model))
    name = sorted(state)[0]
    if fault == "missing":
        del state[name]
    elif fault == "extra":
        state["more"] = state[name]
    else:
        state[name] = torch.zeros(5, 5)
    with pytest.raises(ModelError, match="does not fit the model"):
        lora.load_state(model, state)


def test_saves_what_it_trained_and_nothing_more(tmp_path: Path) -> None:
    model = attached(rank=4, alpha=6.5, dora=True)
    scramble(model)
    lora.save(model, tmp_path)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["use_dora"]) == (4, 6.5, True)
    saved = load_file(tmp_path / "adapter_model.safetensors")
    state = lora.state(model)
    assert saved.keys() == state.keys()
    assert all(torch.equal(saved[name], state[name]) for name in saved)
    plain = PeftModel.from_pretrained(tiny_model(CONFIGS["llama"]), str(tmp_path)).eval()
    torch.testing.assert_close(plain(input_ids=IDS).logits, model(input_ids=IDS).logits)


def test_going_on_with_another_rank_is_refused(tmp_path: Path) -> None:
    lora.save(attached(rank=4), tmp_path)
    loaded = PeftModel.from_pretrained(tiny_model(CONFIGS["llama"]), str(tmp_path))
    with pytest.raises(RecipeError, match="adapter.rank is 8, but .* has 4"):
        lora.attach(loaded, lora.Config(rank=8))
    lora.attach(loaded, lora.Config(rank=4))
