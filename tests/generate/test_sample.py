"""Generation: equal to Transformers' own, whatever the batch."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM as Auto
from transformers import (
    Gemma2Config,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    PretrainedConfig,
    Qwen3Config,
)

from tunesmith.generate import sample
from tunesmith.models.attention import NAME, enable_forest

SIZES = {
    "vocab_size": 61,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GROUPED = SIZES | {"num_key_value_heads": 2, "head_dim": 8}
CONFIGS = {
    "llama": LlamaConfig(**GROUPED),
    "qwen3": Qwen3Config(**GROUPED),
    "mistral with a short window": MistralConfig(**GROUPED, sliding_window=6),
    "gemma2": Gemma2Config(
        **GROUPED, sliding_window=6, query_pre_attn_scalar=8, attn_implementation="eager"
    ),
    "gpt_neox": GPTNeoXConfig(**SIZES),
}


def tiny(config: PretrainedConfig, *, scale: float = 6.0) -> torch.nn.Module:
    torch.manual_seed(0)
    model = Auto.from_config(copy.deepcopy(config)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(scale)
    return model


def prompts(count: int, seed: int = 0) -> list[list[int]]:
    random = np.random.default_rng(seed)
    return [random.integers(3, 61, random.integers(1, 15)).tolist() for _ in range(count)]


def transformers_greedy(
    model: torch.nn.Module, prompt: list[int], stop_ids: list[int], limit: int
) -> list[int]:
    output = model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=limit,
        do_sample=False,
        eos_token_id=stop_ids,
    )
    return output[0, len(prompt) :].tolist()


@pytest.mark.parametrize("name", CONFIGS)
def test_greedy_equals_transformers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny(CONFIGS[name])
    given = prompts(7)
    stops = [5, 6, 7, 8, 9, 10]
    expected = [transformers_greedy(model, prompt, stops, 12) for prompt in given]
    monkeypatch.setitem(sample._ROWS, "cpu", 4)
    enable_forest(model)
    found = sample.generate(model, given, stop_ids=set(stops), max_new_tokens=12)
    assert found == expected
    lengths = {len(row) for row in found}
    assert len(lengths) > 1, "rows must end at different times for this test to mean anything"


def test_generating_restores_the_forest_attention() -> None:
    model = tiny(CONFIGS["llama"])
    assert enable_forest(model).supported
    sample.generate(model, prompts(2), stop_ids=set(), max_new_tokens=2)
    assert model.config._attn_implementation == NAME
    stream = sample.stream(model, [3, 4], stop_ids=set(), max_new_tokens=3)
    next(stream)
    assert model.config._attn_implementation == NAME, "between tokens the model is the caller's"


def test_stream_equals_generate_without_the_stop_token() -> None:
    model = tiny(CONFIGS["llama"])
    for prompt in prompts(4, seed=1):
        (whole,) = sample.generate(model, [prompt], stop_ids={5, 6, 7, 8}, max_new_tokens=20)
        streamed = list(sample.stream(model, prompt, stop_ids={5, 6, 7, 8}, max_new_tokens=20))
        assert streamed == [token for token in whole if token not in {5, 6, 7, 8}]


def test_sampling_does_not_depend_on_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny(CONFIGS["llama"], scale=3.0)
    given = prompts(6)
    runs = []
    for rows in (2, 6):
        monkeypatch.setitem(sample._ROWS, "cpu", rows)
        runs.append(
            sample.generate(model, given, stop_ids={5}, max_new_tokens=10, temperature=1.0, seed=3)
        )
    assert runs[0] == runs[1]
    other = sample.generate(model, given, stop_ids={5}, max_new_tokens=10, temperature=1.0, seed=4)
    assert other != runs[0]


def test_sampling_follows_the_distribution() -> None:
    """First tokens of many seeds against softmax(logits / temperature), by chi-square."""
    model = tiny(CONFIGS["llama"], scale=2.0)
    prompt, temperature, count = [3, 4, 5], 0.7, 2000
    logits = model(torch.tensor([prompt])).logits[0, -1].detach().double()
    expected = torch.softmax(logits / temperature, dim=-1).numpy() * count
    random = np.random.default_rng(0).random(count)
    chosen = sample._choose(logits.expand(count, -1), random, temperature)
    found = np.bincount(chosen, minlength=61)
    chi_square = float((((found - expected) ** 2) / expected).sum())
    assert chi_square < 60 + 5 * np.sqrt(120), "five standard deviations above its mean"


def test_a_temperature_near_zero_is_greedy() -> None:
    model = tiny(CONFIGS["llama"])
    given = prompts(3)
    greedy = sample.generate(model, given, stop_ids=set(), max_new_tokens=5)
    cold = sample.generate(model, given, stop_ids=set(), max_new_tokens=5, temperature=1e-4, seed=1)
    assert greedy == cold


def test_no_prompts_give_no_rows() -> None:
    assert sample.generate(tiny(CONFIGS["llama"]), [], stop_ids={1}, max_new_tokens=3) == []


def test_rows_end_with_the_context() -> None:
    """GPT-2's positions are learned: one past the last would be an index error."""
    config = GPT2Config(
        vocab_size=61, n_embd=32, n_layer=1, n_head=4, n_positions=16, bos_token_id=1,
        eos_token_id=2,
    )  # fmt: skip
    model = tiny(config)
    given = [[3] * 5, [4] * 14, [5] * 16]
    found = sample.generate(model, given, stop_ids=set(), max_new_tokens=40)
    assert [len(row) for row in found] == [12, 3, 1]
    assert list(sample.stream(model, [3] * 5, stop_ids=set(), max_new_tokens=40)) == found[0]
