"""The proof at load: what passes, what does not, and what is left behind."""

from __future__ import annotations

import copy

import pytest
import torch
from transformers import LlamaConfig, PreTrainedModel

from tests.models.tiny import BORDER, CONFIGS, LENGTHWISE, UNSUPPORTED, tiny_model
from tunesmith.data.forest import Packing
from tunesmith.models import attention
from tunesmith.models.attention import NAME, enable_forest, stock_attention
from tunesmith.models.segments import AttentionCall, Layout, attend_by_segment

REASONS = {
    "sinks": "attention sinks",
    "window in the mask only": "masks only",
    "outside the attention interface": "outside Transformers' attention interface",
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_unsupported_models_say_why_and_stay_as_they_are(name: str) -> None:
    model = tiny_model(UNSUPPORTED[name])
    before = model.config._attn_implementation
    support = enable_forest(model)
    assert not support.supported
    assert support.reason.startswith("one row at a time: ")
    assert REASONS[name] in support.reason
    assert "\n" not in support.reason
    assert model.config._attn_implementation == before


def test_dynamic_rotary_positions_run_one_row_at_a_time() -> None:
    support = enable_forest(tiny_model(LENGTHWISE["llama dynamic"]))
    assert not support.supported
    assert "dynamic" in support.reason
    assert support.border == BORDER
    fitted = support.fit(Packing(tokens_per_forest=7))
    assert fitted == Packing(tokens_per_forest=7, share=False, border=BORDER)


def test_longrope_takes_forests_on_either_side_of_its_border() -> None:
    support = enable_forest(tiny_model(LENGTHWISE["phi3 longrope"]))
    assert support.supported
    assert support.border == BORDER
    assert support.fit(Packing(tokens_per_forest=7)).share


def test_the_proof_notices_a_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attention that lets a row see the one before it must not pass."""

    def leaky(
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        layout: Layout,
        call: AttentionCall,
    ) -> torch.Tensor:
        whole = copy.copy(layout.segments[0])
        object.__setattr__(whole, "length", query.shape[2])
        layout._found[:] = [(whole,)]
        return attend_by_segment(query, key, value, layout, call)

    model = tiny_model(CONFIGS["llama"])
    monkeypatch.setattr(attention, "attend_by_segment", leaky)
    support = enable_forest(model)
    assert not support.supported
    assert "differ from themselves" in support.reason
    assert model.config._attn_implementation == "sdpa"


def test_stock_attention_inside_and_forest_after() -> None:
    model = tiny_model(CONFIGS["gemma2"])
    stock = model.config._attn_implementation
    with stock_attention(model):
        assert model.config._attn_implementation == stock, "nothing to switch"
    assert enable_forest(model).supported
    with pytest.raises(KeyError), stock_attention(model):
        assert model.config._attn_implementation == stock
        raise KeyError
    assert model.config._attn_implementation == NAME


def test_no_kernel_that_is_planned_anew_for_every_length_while_generating() -> None:
    model = tiny_model(CONFIGS["llama"])
    for wanted in (True, False):
        torch.backends.cuda.enable_cudnn_sdp(wanted)
        try:
            with stock_attention(model):
                assert not torch.backends.cuda.cudnn_sdp_enabled()
            assert torch.backends.cuda.cudnn_sdp_enabled() == wanted
        finally:
            torch.backends.cuda.enable_cudnn_sdp(True)


def test_asking_twice_gives_the_same_answer() -> None:
    model = tiny_model(CONFIGS["llama"])
    assert enable_forest(model) == enable_forest(model)


def test_a_bf16_model_proves_itself_within_its_precision() -> None:
    model = tiny_model(CONFIGS["llama"], scale=2.0).to(torch.bfloat16)
    assert enable_forest(model).supported


def test_a_vocabulary_of_a_few_tokens() -> None:
    config = LlamaConfig(
        vocab_size=3, hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    assert enable_forest(tiny_model(config)).supported


@pytest.mark.parametrize(
    ("dtype", "noise", "limit"),
    [(torch.float32, 0.04, 1e-4), (torch.bfloat16, 0.04, 0.08), (torch.bfloat16, 0.001, 0.03)],
)
def test_deep_models_may_differ_by_what_another_order_of_rounding_makes(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, noise: float, limit: float
) -> None:
    """Of rows alone, attention written out beside Transformers' fused one."""
    model = tiny_model(CONFIGS["llama"]).to(dtype)
    names = []
    hidden = attention._hidden

    def noted(inner: PreTrainedModel, row: list[int]) -> torch.Tensor:
        names.append(inner.config._attn_implementation)
        made = hidden(inner, row)
        return made * (1 + noise) if names[-1] == "eager" else made

    monkeypatch.setattr(attention, "_hidden", noted)
    alone = attention._rows_alone(model, [[1, 2, 3], [4, 5]], "sdpa")
    assert names == ["eager", "eager", "sdpa", "sdpa"]
    assert alone.limit == pytest.approx(limit, rel=0.15)
    wanted = [hidden(model, row) for row in ([1, 2, 3], [4, 5])]
    assert all(torch.equal(one, other) for one, other in zip(alone.hidden, wanted, strict=True))
