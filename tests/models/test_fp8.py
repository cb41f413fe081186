"""FP8: rounding within its bounds, products and gradients of what the numbers stand for.

torch's scaled product has a CPU kernel, so that what a GPU would be asked is asked here too.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers import GPT2Config, LlamaConfig

from tests.models.tiny import random_rows, tiny_model
from tunesmith.base import BaseFolder, locate_base
from tunesmith.data.forest import Packing, build_forests
from tunesmith.errors import ModelError, RecipeError
from tunesmith.methods import sft
from tunesmith.models import fp8
from tunesmith.models.adapters import full, lora
from tunesmith.models.attention import enable_forest
from tunesmith.models.fp8 import Fp8Linear, give_back_fp8, inputs_unrounded, rounded_rows
from tunesmith.models.load import load_model, load_tuned
from tunesmith.models.score import forest_scores

IDS = torch.arange(3, 30)[None]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseFolder:
    folder = tmp_path_factory.mktemp("base")
    config = LlamaConfig(
        vocab_size=97, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    tiny_model(config, scale=2.0).save_pretrained(folder)
    return locate_base(str(folder))


def layer_of(
    inputs: int = 64, outputs: int = 48, *, bias: bool = False
) -> tuple[nn.Linear, Fp8Linear]:
    torch.manual_seed(0)
    plain = nn.Linear(inputs, outputs, bias=bias)
    return plain, Fp8Linear(plain, CPU)


def far(found: Tensor, wanted: Tensor) -> float:
    return float(((found - wanted).norm() / wanted.norm()).detach())


@given(st.integers(0, 2**31), st.floats(-20, 20))
def test_rounding_is_within_its_bounds(seed: int, size: float) -> None:
    """Half a step: 2^-4 of a number, and 2^-10 of the scale where numbers are small."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(7, 33, generator=generator) * 2.0**size
    values[1] *= 1e-3  # a small row has a scale of its own
    values[2, 1:] *= 1e-4
    rounded, scale = rounded_rows(values)
    assert rounded.dtype == torch.float8_e4m3fn and scale.shape == (7, 1)
    off = (rounded.float() * scale - values).abs()
    assert bool((off <= values.abs() * 2**-4 + scale * 2**-10).all())
    largest = values.abs().argmax(dim=1, keepdim=True)
    exact = (rounded.float() * scale).gather(1, largest)
    torch.testing.assert_close(exact, values.gather(1, largest), rtol=1e-6, atol=0)


def test_rows_of_zeros_and_rows_that_are_no_numbers() -> None:
    values = torch.ones(4, 16)
    values[0], values[1, 3], values[2, 3] = 0.0, float("nan"), float("inf")
    rounded, scale = rounded_rows(values)
    found = rounded.float() * scale
    assert torch.equal(found[0], torch.zeros(16))
    assert bool(found[1].isnan().any()) and not bool(found[2].isfinite().all())
    torch.testing.assert_close(found[3], values[3], rtol=1e-6, atol=0)


@pytest.mark.parametrize("bias", [False, True])
def test_a_layer_multiplies_with_what_its_numbers_stand_for(bias: bool) -> None:
    plain, layer = layer_of(bias=bias)
    assert layer.weight.dtype == torch.float8_e4m3fn
    assert not any(weight.requires_grad for weight in layer.parameters())
    inputs = torch.randn(2, 9, 64)
    expected = nn.functional.linear(inputs, layer.values(), plain.bias)
    with inputs_unrounded(nn.Sequential(layer)):
        torch.testing.assert_close(layer(inputs), expected, rtol=1e-5, atol=1e-6)
    assert 1e-3 < far(layer(inputs), expected) < 0.04
    assert 1e-3 < far(layer.values(), plain.weight) < 0.04
    assert layer(inputs.bfloat16()).dtype == torch.bfloat16
    assert far(layer(inputs.bfloat16()).float(), expected) < 0.04


def test_the_gradient_by_the_input_is_that_of_the_dequantised_layer() -> None:
    _, layer = layer_of()
    inputs, slope = torch.randn(9, 64), torch.randn(9, 48)
    slope[:, ::3] *= 30  # slopes are rounded with the weights' scales, each row by itself
    slope[3] *= 1e-6

    def gradient(forward: nn.Module | None) -> Tensor:
        leaf = inputs.clone().requires_grad_()
        made = nn.functional.linear(leaf, layer.values()) if forward is None else forward(leaf)
        return torch.autograd.grad(made, leaf, slope)[0]

    expected = gradient(None)
    with inputs_unrounded(layer):
        torch.testing.assert_close(gradient(layer), expected, rtol=1e-5, atol=1e-6)
    found = gradient(layer)
    for row, right in zip(found, expected, strict=True):
        assert far(row, right) < 0.05
    # To the bit what the formula says.
    rounded, scale = rounded_rows(slope * layer.scale_O)
    torch.testing.assert_close(
        found, (rounded.float() @ layer.weight.float()) * scale, rtol=1e-6, atol=0
    )


def test_the_kernel_gives_what_is_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scales and layouts as the kernel takes them, forward and for the gradient."""
    _, layer = layer_of(64, 96)
    inputs = torch.randn(5, 64, dtype=torch.bfloat16)
    slope = torch.randn(5, 96, dtype=torch.bfloat16)

    def both() -> tuple[Tensor, Tensor]:
        leaf = inputs.clone().requires_grad_()
        made = layer(leaf)
        return made.detach().float(), torch.autograd.grad(made, leaf, slope)[0].float()

    emulated = both()
    calls = []
    kernel = torch._scaled_mm
    try:
        fp8.scaled_product(
            layer.weight, layer.weight.t(), (layer.scale_O[:, None], layer.scale_O[None])
        )
    except RuntimeError as error:  # torch 2.11: a scale a matrix and nothing else
        pytest.skip(f"this torch has no such kernel for a CPU: {error}")
    monkeypatch.setattr(fp8, "has_fp8_products", lambda device: True)
    monkeypatch.setattr(torch, "_scaled_mm", lambda *a, **k: calls.append(1) or kernel(*a, **k))
    for found, wanted in zip(both(), emulated, strict=True):
        assert far(found, wanted) < 5e-3
    assert len(calls) == 2


@pytest.mark.parametrize("fault", ["raises", "other numbers", "no numbers"])
def test_products_that_fail_on_a_device_are_told_before_training(
    monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    kernel = torch._scaled_mm
    factor = {"other numbers": 1.3, "no numbers": float("nan")}

    def spoilt(*given: Tensor, **named: object) -> Tensor:
        if fault == "raises":
            raise RuntimeError("no such kernel\nmore")
        return kernel(*given, **named) * factor[fault]  # type: ignore[operator]

    monkeypatch.setattr(fp8, "has_fp8_products", lambda device: True)
    fp8._require_products(CPU)
    monkeypatch.setattr(torch, "_scaled_mm", spoilt)
    with pytest.raises(ModelError, match="fp8 does not work on this device") as caught:
        fp8.keep_in_fp8(tiny_model(LlamaConfig(
            vocab_size=97, hidden_size=64, intermediate_size=96, num_hidden_layers=1,
            num_attention_heads=4, bos_token_id=1, eos_token_id=2,
        )), CPU)  # fmt: skip
    assert ("no such kernel" if fault == "raises" else "other numbers") in str(caught.value)


def test_the_head_and_odd_layers_stay_as_they_are(base: BaseFolder) -> None:
    model = load_model(base, device="cpu", dtype="bf16", quantize="fp8")
    kept = {name for name, module in model.named_modules() if isinstance(module, Fp8Linear)}
    assert len(kept) == 2 * 7
    assert type(model.get_submodule("lm_head")) is nn.Linear
    assert fp8.holds_fp8(model) and not fp8.holds_fp8(load_model(base, device="cpu", dtype="fp32"))
    odd = tiny_model(LlamaConfig(
        vocab_size=97, hidden_size=64, intermediate_size=100, num_hidden_layers=1,
        num_attention_heads=4, bos_token_id=1, eos_token_id=2,
    ))  # fmt: skip
    fp8.keep_in_fp8(odd, CPU)
    assert type(odd.get_submodule("model.layers.0.mlp.up_proj")) is nn.Linear
    assert isinstance(odd.get_submodule("model.layers.0.self_attn.q_proj"), Fp8Linear)


def test_a_model_without_linear_layers_is_refused(tmp_path: Path) -> None:
    config = GPT2Config(vocab_size=97, n_embd=32, n_layer=1, n_head=2, n_positions=64,
                        bos_token_id=1, eos_token_id=2)  # fmt: skip
    tiny_model(config).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="no linear layer in this gpt2 model"):
        load_model(locate_base(str(tmp_path)), device="cpu", dtype="fp32", quantize="fp8")


def test_training_the_base_and_dora_are_refused(base: BaseFolder) -> None:
    model = load_model(base, device="cpu", dtype="fp32", quantize="fp8")
    with pytest.raises(RecipeError, match="cannot train a quantised base"):
        full.attach(model, full.Config())
    with pytest.raises(RecipeError, match=r"adapter\.dora"):
        lora.attach(model, lora.Config(dora=True))


def test_layers_given_back_compute_the_same(base: BaseFolder) -> None:
    model = load_model(base, device="cpu", dtype="fp32", quantize="fp8")
    with torch.no_grad(), inputs_unrounded(model):
        expected = model(input_ids=IDS).logits
    give_back_fp8(model)
    assert not fp8.holds_fp8(model)
    with torch.no_grad():
        torch.testing.assert_close(model(input_ids=IDS).logits, expected, rtol=1e-4, atol=1e-5)


def test_a_forest_gives_what_its_rows_give_alone(base: BaseFolder) -> None:
    model = lora.attach(
        load_model(base, device="cpu", dtype="fp32", quantize="fp8"), lora.Config(rank=4)
    )
    for name, weight in model.named_parameters():
        if "lora_" in name:
            assert weight.dtype == torch.float32
            weight.data.normal_(std=0.1)
    support = enable_forest(model)
    assert support.supported, support.reason
    assert "fused" not in support.reason, "fused layers multiply with ordinary weights"
    rows = list(enumerate(random_rows(9, 14, 6)))
    found = []
    with inputs_unrounded(model):
        for share in (True, False):
            total = torch.zeros(())
            for forest in build_forests(rows, Packing(tokens_per_forest=64 if share else 1)):
                loss = sft.loss(forest_scores(model, forest, support=support), sft.Config())
                loss.backward()
                total += loss.detach()
            slopes = [one.grad.flatten() for one in model.parameters() if one.grad is not None]
            found.append((float(total), torch.cat(slopes)))
            model.zero_grad(set_to_none=True)
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    assert far(found[0][1], found[1][1]) < 1e-5


def trained_losses(base: BaseFolder, quantize: str, folder: Path) -> list[float]:
    torch.manual_seed(5)
    model = load_model(base, device="cpu", dtype="fp32", quantize=quantize)
    model = lora.attach(model, lora.Config(rank=4))
    support = enable_forest(model)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=1e-2)
    (forest,) = build_forests(list(enumerate(random_rows(9, 14))), Packing(tokens_per_forest=64))
    losses = []
    for _ in range(12):
        loss = -forest_scores(model, forest, support=support).logprobs_N.mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    lora.save(model, folder)
    return losses


def test_lora_learns_what_it_learns_on_the_plain_base(base: BaseFolder, tmp_path: Path) -> None:
    plain = trained_losses(base, "none", tmp_path / "plain")
    found = trained_losses(base, "fp8", tmp_path / "fp8")
    assert plain[-1] < plain[0] - 0.5, "there is something to learn"
    assert found[0] == pytest.approx(plain[0], rel=0.01) and found[0] != plain[0]
    assert found[-1] == pytest.approx(plain[-1], rel=0.05)
    tuned = [
        load_tuned(tmp_path / "fp8", base, device="cpu", dtype="fp32", quantize="fp8")
        for _ in range(2)
    ]
    with torch.no_grad():
        first, second = (model(input_ids=IDS).logits for model in tuned)
    assert torch.equal(first, second)
