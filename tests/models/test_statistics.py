"""Entropy and the likeliest tokens, against the whole logits."""

from __future__ import annotations

import pytest
import torch

from tests.models.tiny import CONFIGS, tiny_model
from tunesmith.models.statistics import token_statistics

IDS = torch.arange(3, 40)[None]


@pytest.mark.parametrize("chunk", [7, None])
@pytest.mark.parametrize("name", ["llama_tied", "gemma2", "granite", "cohere", "gpt2"])
def test_equals_the_whole_logits(name: str, chunk: int | None) -> None:
    model = tiny_model(CONFIGS[name])
    hidden = model.base_model(input_ids=IDS).last_hidden_state[0, :-1]
    expected = torch.distributions.Categorical(logits=model(input_ids=IDS).logits[0, :-1].double())
    found = token_statistics(model, hidden, IDS[0, 1:], top=5, entropy=True, chunk=chunk)
    close = {"atol": 1e-5, "rtol": 1e-5, "check_dtype": False}
    torch.testing.assert_close(found.logprobs_N, expected.log_prob(IDS[0, 1:]), **close)
    assert found.entropy_N is not None
    torch.testing.assert_close(found.entropy_N, expected.entropy(), **close)
    best = expected.logits.topk(5)
    torch.testing.assert_close(found.top_logprobs_NK, best.values, **close)
    assert found.top_ids_NK.tolist() == best.indices.tolist()


def test_a_certain_token_has_no_entropy() -> None:
    model = tiny_model(CONFIGS["llama"])
    with torch.no_grad():
        model.lm_head.weight.zero_()
        model.lm_head.weight[7] = 1000.0
    found = token_statistics(model, torch.ones(1, 32), torch.tensor([7]), entropy=True)
    assert found.entropy_N is not None
    assert found.entropy_N.tolist() == [0.0]
    assert found.logprobs_N.tolist() == [0.0]
    assert found.top_ids_NK.tolist() == [[7]]


def test_entropy_is_measured_only_on_request() -> None:
    found = token_statistics(tiny_model(CONFIGS["llama"]), torch.ones(2, 32), torch.tensor([7, 8]))
    assert found.entropy_N is None
    assert found.top_ids_NK.shape == (2, 1)
