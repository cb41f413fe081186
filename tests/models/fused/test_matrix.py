"""Fused layers over bases in 8 and 4 bits: what the stock layers give, rounded less often."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from transformers import LlamaConfig

from tests.models.fused.test_install import FOREST, fused_in, gradients, unfused
from tests.models.tiny import tiny_model
from tunesmith.models import fp8, nf4
from tunesmith.models.adapters import lora
from tunesmith.models.attention import enable_forest
from tunesmith.models.fp8 import Fp8Linear, inputs_unrounded, keep_in_fp8
from tunesmith.models.fused import install, matrix
from tunesmith.models.fused.exact_copy import in_fp32
from tunesmith.models.fused.maps import map_of
from tunesmith.models.score import forest_scores

CONFIG = LlamaConfig(
    vocab_size=97, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2, bos_token_id=1, eos_token_id=2,
    attention_bias=True,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "takes_whole", lambda inner: True)


def quantized(kind: str) -> nn.Module:
    """A small model in so many bits with a LoRA that is not zero."""
    model = tiny_model(CONFIG, scale=2.0)
    if kind == "fp8":
        keep_in_fp8(model, torch.device("cpu"))
    else:
        bitsandbytes = pytest.importorskip("bitsandbytes", reason="bitsandbytes is absent")
        for name, layer in list(model.named_modules()):
            if type(layer) is nn.Linear and name != "lm_head":
                made = bitsandbytes.nn.Linear4bit(
                    layer.in_features, layer.out_features, bias=layer.bias is not None,
                    compute_dtype=torch.float32, quant_type="nf4",
                )  # fmt: skip
                made.load_state_dict(layer.state_dict())
                model.set_submodule(name, made.to("cpu"))
        nf4.keep_gradients_right(model)
    tuned = lora.attach(model, lora.Config(rank=4))
    torch.manual_seed(2)
    with torch.no_grad():
        for name, weight in tuned.named_parameters():
            if "lora_" in name:
                weight.normal_(std=0.1)
    return tuned


def found(model: nn.Module) -> tuple[Tensor, dict[str, Tensor]]:
    support = enable_forest(model)
    with inputs_unrounded(model):
        logprobs_N = forest_scores(model, FOREST, support=support).logprobs_N
        return logprobs_N.detach(), gradients(model, logprobs_N)


@pytest.mark.parametrize("kind", ["fp8", "nf4"])
def test_fused_and_stock_agree(kind: str) -> None:
    model = quantized(kind)
    other = copy.deepcopy(model)
    scores, slopes = found(model)
    with unfused():
        wanted_scores, wanted = found(other)
    assert (fused_in(model), fused_in(other)) == (2, 0)
    torch.testing.assert_close(scores, wanted_scores, rtol=1e-5, atol=1e-5)
    everything = torch.cat([one.flatten() for one in wanted.values()]).norm()
    for name, one in wanted.items():
        assert (slopes[name] - one).norm() <= 1e-5 * one.norm() + 1e-7 * everything, name


def test_inputs_are_rounded_once_for_all_that_multiply_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Queries, keys and values share one; so do gates and ups."""
    count = 0
    before = fp8.round_states

    def counted(states: Tensor) -> fp8.Rounded:
        nonlocal count
        count += 1
        return before(states)

    model = quantized("fp8")
    support = enable_forest(model)
    for module in (fp8, matrix):
        monkeypatch.setattr(module, "round_states", counted)
    rounded = forest_scores(model, FOREST, support=support).logprobs_N
    assert count == 4 * 2
    rounded.sum().backward()
    assert count == 4 * 2, "kept for nothing, and not made again"
    other = copy.deepcopy(model)
    for place, layer in enumerate(other.base_model.model.model.layers):
        other.base_model.model.model.layers[place] = layer.stock
    with unfused():
        support = enable_forest(other)
    count = 0
    stock = forest_scores(other, FOREST, support=support).logprobs_N
    assert count == 7 * 2
    # A last bit may move a number over a border of rounding, and few do.
    assert (rounded - stock).detach().norm() <= 0.03 * stock.detach().norm()


def test_a_copy_in_fp32_has_the_values_that_bits_stand_for() -> None:
    layer = Fp8Linear(nn.Linear(32, 16), torch.device("cpu"))
    holder = nn.Sequential(layer, nn.LayerNorm(16).bfloat16())
    plain = in_fp32(holder)
    assert type(plain[0]) is nn.Linear and holder[0] is layer
    assert torch.equal(plain[0].weight, layer.values())
    assert torch.equal(plain[0].bias, layer.bias)
    assert {one.dtype for one in plain.parameters()} == {torch.float32}
    assert holder[1].weight.dtype == torch.bfloat16


def test_other_layers_have_no_map() -> None:
    class Special(nn.Linear):
        pass

    assert map_of(Special(4, 4)) is None
    assert map_of(nn.Embedding(4, 4)) is None
    plain = map_of(nn.Linear(4, 4))
    assert plain is not None and plain.correction is None
