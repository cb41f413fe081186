"""A beginning that all prompts of a batch share is computed once, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.generate.test_sample import tiny, transformers_greedy
from tests.models.tiny import CONFIGS, LENGTHWISE
from transformers import AutoModelForCausalLM, MambaConfig, Qwen3NextConfig

from tunesmith.generate import sample
from tunesmith.generate.prefix import SHORTEST, common_beginning, shares_beginnings

LARGEST = 97


def alike(shared: int, *lengths: int, seed: int = 0) -> list[list[int]]:
    """Prompts that begin with the same tokens and go on by themselves."""
    random = np.random.default_rng(seed)
    beginning = random.integers(3, LARGEST, shared).tolist()
    return [beginning + random.integers(3, LARGEST, length).tolist() for length in lengths]


def seen_tokens(model: torch.nn.Module) -> list[int]:
    """Tokens of each forward pass of the backbone from now on."""
    sizes: list[int] = []
    model.get_input_embeddings().register_forward_pre_hook(
        lambda module, given: sizes.append(given[0].numel())
    )
    return sizes


@pytest.mark.parametrize("name", CONFIGS)
def test_greedy_equals_transformers(name: str) -> None:
    """Lengths far apart, so that padding reaches into the beginning and past it."""
    model = tiny(CONFIGS[name], scale=4.0)
    given = alike(20, 1, 3, 9, 30, 4)
    stops = list(range(5, 15))
    expected = [transformers_greedy(model, prompt, stops, 10) for prompt in given]
    sizes = seen_tokens(model)
    found = sample.generate(model, given, stop_ids=set(stops), max_new_tokens=10)
    assert found == expected
    assert sizes[0] == 20, "the beginning, for one row"
    assert sizes[1] == 5 * 30, "then what follows it, for all"


def test_the_same_distributions_as_without_sharing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Greedy tokens hide small faults: the logits of the first step are compared."""
    for name in ("llama", "mistral", "gemma2", "gemma3"):
        model = tiny(CONFIGS[name], scale=4.0)
        given = alike(30, 1, 2, 17, 45)
        with torch.no_grad():
            shared = sample._Batch(model, given).logits_BV
            monkeypatch.setattr(sample, "SHORTEST", 10**6)
            whole = sample._Batch(model, given).logits_BV
            monkeypatch.setattr(sample, "SHORTEST", SHORTEST)
        torch.testing.assert_close(shared, whole, atol=2e-4, rtol=1e-4)


def test_sampled_rows_do_not_depend_on_sharing() -> None:
    model = tiny(CONFIGS["llama"], scale=3.0)
    given = alike(20, 3, 5, 8)
    together = sample.generate(
        model, given, stop_ids={5}, max_new_tokens=12, temperature=1.0, seed=3
    )
    beside = sample.generate(
        model, [*given, [4, 5]], stop_ids={5}, max_new_tokens=12, temperature=1.0, seed=3
    )
    assert together == beside[:3], "the fourth shares nothing, so nothing is computed once"


def test_what_prompts_have_in_common() -> None:
    assert common_beginning([[1, 2, 3], [1, 2, 4]]) == 2
    assert common_beginning([[1, 2, 3], [1, 2, 3]]) == 2, "the last token is left for each"
    assert common_beginning([[1, 2], [1, 2, 3], [1, 2, 4]]) == 1
    assert common_beginning([[7], [7, 8]]) == 0
    assert common_beginning([[1, 2, 3], [9, 2, 3]]) == 0


def test_equal_prompts_and_a_single_one() -> None:
    model = tiny(CONFIGS["llama"])
    (prompt,) = alike(25, 4)
    (alone,) = sample.generate(model, [prompt], stop_ids=set(), max_new_tokens=6)
    assert sample.generate(model, [prompt] * 3, stop_ids=set(), max_new_tokens=6) == [alone] * 3


def test_little_in_common_is_not_worth_it() -> None:
    model = tiny(CONFIGS["llama"])
    sizes = seen_tokens(model)
    sample.generate(model, alike(SHORTEST - 1, 3, 3), stop_ids=set(), max_new_tokens=1)
    assert sizes == [2 * (SHORTEST + 2)]


def test_models_with_other_states_keep_the_plain_way() -> None:
    for config in (
        MambaConfig(vocab_size=61, hidden_size=16, num_hidden_layers=1, state_size=4),
        Qwen3NextConfig(
            vocab_size=61, hidden_size=32, num_hidden_layers=2, intermediate_size=32,
            num_attention_heads=4, num_key_value_heads=2, head_dim=8, num_experts=2,
            num_experts_per_tok=1, moe_intermediate_size=16, shared_expert_intermediate_size=16,
            layer_types=["linear_attention", "full_attention"],
        ),
    ):  # fmt: skip
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config)
        assert not shares_beginnings(model), config.model_type


@pytest.mark.parametrize("name", ["phi3 longrope", "llama longrope", "llama dynamic"])
def test_rotary_positions_by_length(name: str) -> None:
    """Each row has the frequencies of its own length, at every token."""
    model = tiny(LENGTHWISE[name], scale=4.0)
    given = alike(3, 1, 4, 7, 8)
    if name != "llama dynamic":
        given += alike(20, 3, 5)
    else:
        model(input_ids=torch.arange(3, 60)[None])  # stretches the frequencies
    found = sample.generate(model, given, stop_ids=set(), max_new_tokens=6)
    for prompt, answer in zip(given, found, strict=True):
        ids = list(prompt)
        for token in answer:
            fresh = tiny(LENGTHWISE[name], scale=4.0)
            assert token == int(fresh(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
            ids.append(token)
    stream = sample.stream(model, given[1], stop_ids=set(), max_new_tokens=6)
    assert list(stream) == found[1]
