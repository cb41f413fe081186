"""Loading: exactly what the files say, or an error for people."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers.utils import logging as transformers_logging

from tests.models.tiny import CONFIGS, tiny_model
from tunesmith.base import BaseFolder, locate_base
from tunesmith.errors import ModelError
from tunesmith.models.adapters import full, lora
from tunesmith.models.load import adapter_switched_off, load_model, load_tuned

IDS = torch.arange(3, 30)[None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny_model(CONFIGS["llama"]).save_pretrained(tmp_path / "base")
    return tmp_path / "base"


def load(base: BaseFolder, **options: Path) -> torch.nn.Module:
    return load_model(base, device="cpu", dtype="fp32", **options)


def rewrite(folder: Path, **weights: torch.Tensor | None) -> None:
    """Replace, add or (None) remove tensors of the model's file."""
    path = folder / "model.safetensors"
    content = load_file(path)
    for name, weight in weights.items():
        key = name.replace("__", ".")
        content.pop(key, None)
        if weight is not None:
            content[key] = weight
    save_file(content, path, metadata={"format": "pt"})


def test_a_model_is_what_its_files_say(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = locate_base(str(folder))
    model = load(base)
    expected = tiny_model(CONFIGS["llama"])(input_ids=IDS).logits
    assert torch.equal(model(input_ids=IDS).logits, expected)
    assert not model.training
    assert not any(weight.requires_grad for weight in model.parameters())
    assert model.name_or_path == base.name
    shown = capsys.readouterr()
    assert shown.out == "", "stdout is for data"
    assert "Loading" not in shown.err, "no progress bars but ours"


def test_logging_is_put_back(folder: Path) -> None:
    transformers_logging.set_verbosity(logging.WARNING)
    load(locate_base(str(folder)))
    assert transformers_logging.get_verbosity() == logging.WARNING


def test_bf16(folder: Path) -> None:
    model = load_model(locate_base(str(folder)), device="cpu", dtype="bf16")
    assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}


FAULTS: list[tuple[str, dict[str, torch.Tensor | None], str]] = [
    ("missing", {"model__norm__weight": None}, "lack weights"),
    ("left over", {"model__extra__weight": torch.zeros(3)}, "does not know: model.extra.weight"),
    ("shape", {"model__layers__0__mlp__up_proj__weight": torch.zeros(40, 32)}, "another shape"),
]


@pytest.mark.parametrize(
    ("weights", "says"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_refuses_weights(folder: Path, weights: dict[str, torch.Tensor | None], says: str) -> None:
    rewrite(folder, **weights)
    with pytest.raises(ModelError, match=says) as caught:
        load(locate_base(str(folder)))
    assert caught.value.hint
    assert str(folder) in str(caught.value)


def test_buffers_of_old_checkpoints_are_no_fault(folder: Path) -> None:
    rewrite(folder, model__layers__0__self_attn__rotary_emb__inv_freq=torch.zeros(4))
    load(locate_base(str(folder)))


@pytest.mark.parametrize(
    "changes",
    [{"model_type": "no_such_model"}, {"hidden_size": 33}, {"num_attention_heads": "four"}],
    ids=["type", "odd size", "text"],
)
def test_refuses_a_configuration(folder: Path, changes: dict[str, object]) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(ModelError) as caught:
        load(locate_base(str(folder)))
    assert str(folder) in str(caught.value)


def test_refuses_a_bomb_without_allocating(folder: Path) -> None:
    """A key that the quick check does not know: 2**31 wide heads."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"head_dim": 2**31}))
    with pytest.raises(ModelError, match="asks for"):
        load(locate_base(str(folder)))


@pytest.fixture
def adapter(folder: Path, tmp_path: Path) -> Path:
    model = lora.attach(load(locate_base(str(folder))), lora.Config(rank=4))
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.normal_(std=0.1)
    lora.save(model, tmp_path / "adapter")
    return tmp_path / "adapter"


def test_an_adapter_and_its_base(folder: Path, adapter: Path) -> None:
    base = locate_base(str(folder))
    tuned = load_tuned(adapter, base, device="cpu", dtype="fp32")
    plain = load(base)
    assert not any(weight.requires_grad for weight in tuned.parameters())
    assert not torch.allclose(tuned(input_ids=IDS).logits, plain(input_ids=IDS).logits, atol=1e-2)
    with adapter_switched_off(tuned):
        assert torch.equal(tuned(input_ids=IDS).logits, plain(input_ids=IDS).logits)
    with adapter_switched_off(plain):
        pass
    written = json.loads((adapter / "adapter_config.json").read_text())
    assert written["base_model_name_or_path"] == base.name


def test_training_goes_on_with_a_loaded_adapter(folder: Path, adapter: Path) -> None:
    base = locate_base(str(folder))
    model = lora.attach(load(base, adapter=adapter), lora.Config())
    names = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert names
    assert all("lora_" in name for name in names)
    tuned = load_tuned(adapter, base, device="cpu", dtype="fp32")
    assert torch.equal(model(input_ids=IDS).logits, tuned(input_ids=IDS).logits)
    merged = full.attach(load(base, adapter=adapter), full.Config())
    torch.testing.assert_close(merged(input_ids=IDS).logits, tuned(input_ids=IDS).logits)


def test_a_full_result_stands_alone(folder: Path, tmp_path: Path) -> None:
    base = locate_base(str(folder))
    model = full.attach(load(base), full.Config())
    with torch.no_grad():
        model.lm_head.weight.add_(0.5)
    full.save(model, tmp_path / "full")
    tuned = load_tuned(tmp_path / "full", base, device="cpu", dtype="fp32")
    assert torch.equal(tuned(input_ids=IDS).logits, model(input_ids=IDS).logits)


@pytest.mark.parametrize("missing", ["adapter_config.json", "adapter_model.safetensors"])
def test_refuses_an_incomplete_adapter(folder: Path, adapter: Path, missing: str) -> None:
    (adapter / missing).unlink()
    with pytest.raises(ModelError, match=f"no {missing}"):
        load(locate_base(str(folder)), adapter=adapter)


def test_refuses_an_adapter_of_another_base(adapter: Path, tmp_path: Path) -> None:
    other = CONFIGS["gpt_neox"]
    tiny_model(other).save_pretrained(tmp_path / "other")
    with pytest.raises(ModelError, match="does not fit this base"):
        load(locate_base(str(tmp_path / "other")), adapter=adapter)


@pytest.mark.parametrize("content", ["{", '{"peft_type": "NO_SUCH"}', "[]"])
def test_refuses_a_damaged_adapter_configuration(folder: Path, adapter: Path, content: str) -> None:
    (adapter / "adapter_config.json").write_text(content)
    with pytest.raises(ModelError, match="adapter"):
        load(locate_base(str(folder)), adapter=adapter)


def test_refuses_damaged_adapter_weights(folder: Path, adapter: Path) -> None:
    path = adapter / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ModelError, match="adapter"):
        load(locate_base(str(folder)), adapter=adapter)


def test_refuses_an_adapter_that_lacks_weights(folder: Path, adapter: Path) -> None:
    path = adapter / "adapter_model.safetensors"
    content = load_file(path)
    content.pop(sorted(content)[0])
    save_file(content, path)
    with pytest.raises(ModelError, match="lacks"):
        load(locate_base(str(folder)), adapter=adapter)
