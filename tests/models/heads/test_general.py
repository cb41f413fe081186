"""The head: the model's own, in chunks, with gradients, and never all logits at once."""

from __future__ import annotations

import pytest
import torch
from peft import LoraConfig, get_peft_model

from tests.models.tiny import CONFIGS, tiny_model
from tunesmith.models.causal import causal_model
from tunesmith.models.heads import general
from tunesmith.models.output.reading import chunk_length, read_head

IDS = torch.arange(3, 40)[None]


@pytest.mark.parametrize("chunk", [1, 7, 36, 1000])
@pytest.mark.parametrize("name", ["llama_tied", "gemma2", "granite", "cohere", "gpt2", "opt"])
def test_equals_the_models_own_logits(name: str, chunk: int) -> None:
    model = tiny_model(CONFIGS[name])
    hidden = model.base_model(input_ids=IDS).last_hidden_state[0, :-1]
    expected = model(input_ids=IDS).logits[0, :-1].log_softmax(-1)
    expected = expected.gather(1, IDS[0, 1:, None])[:, 0]
    torch.testing.assert_close(
        general.logprobs(read_head(model), hidden, IDS[0, 1:], chunk), expected
    )
    with torch.no_grad():
        torch.testing.assert_close(
            general.logprobs(read_head(model), hidden, IDS[0, 1:], chunk), expected
        )


@pytest.mark.parametrize("head_trains", [False, True])
@pytest.mark.parametrize("name", ["llama", "gemma2", "granite"])
def test_gradients_equal_those_of_the_whole_logits(name: str, *, head_trains: bool) -> None:
    model = tiny_model(CONFIGS[name])
    head = model.get_output_embeddings()
    head.weight.requires_grad_(head_trains)
    torch.manual_seed(0)
    hidden = torch.randn(36, 32, requires_grad=True)
    slopes = torch.randn(36)
    logprobs = general.logprobs(read_head(model), hidden, IDS[0, 1:], 7)
    (logprobs * slopes).sum().backward()
    ours = [hidden.grad, head.weight.grad]
    hidden.grad = head.weight.grad = None
    logits = head(hidden)
    if name == "gemma2":
        logits = torch.tanh(logits / 3.0) * 3.0
    if name == "granite":
        logits = logits / 4.0
    whole = logits.log_softmax(-1).gather(1, IDS[0, 1:, None])[:, 0]
    (whole * slopes).sum().backward()
    torch.testing.assert_close(logprobs, whole)
    torch.testing.assert_close(ours[0], hidden.grad, atol=1e-6, rtol=1e-5)
    if head_trains:
        torch.testing.assert_close(ours[1], head.weight.grad, atol=1e-6, rtol=1e-5)
    else:
        assert ours[1] is None


def test_an_adapted_head_gets_its_gradient() -> None:
    model = get_peft_model(
        tiny_model(CONFIGS["llama"]), LoraConfig(task_type="CAUSAL_LM", target_modules=["lm_head"])
    ).eval()
    hidden = torch.randn(36, 32)
    general.logprobs(read_head(model), hidden, IDS[0, 1:], 5).sum().backward()
    gradients = [w.grad for name, w in model.named_parameters() if "lora_B" in name]
    assert len(gradients) == 1
    assert gradients[0] is not None
    assert gradients[0].abs().sum() > 0


@pytest.mark.parametrize("head_trains", [False, True])
def test_no_more_than_a_chunk_of_logits_at_once(
    monkeypatch: pytest.MonkeyPatch, *, head_trains: bool
) -> None:
    model = tiny_model(CONFIGS["llama"])
    head = causal_model(model).lm_head
    head.weight.requires_grad_(head_trains)
    sizes = []
    head.register_forward_hook(lambda module, given, logits: sizes.append(logits.shape[1]))
    hidden = torch.randn(36, 32, requires_grad=True)
    general.logprobs(read_head(model), hidden, IDS[0, 1:], 10).sum().backward()
    assert max(sizes) == 10
    assert sum(sizes) == (72 if head_trains else 36), "a frozen head runs once, a trained one twice"


def test_chunks_shrink_with_the_vocabulary() -> None:
    assert chunk_length(8_192, "cpu") == 1056
    assert chunk_length(131_072, "cpu") == 66
    assert chunk_length(151_936, "cpu") * 4 * 151_936 > 32 * 2**20, "above glibc's heap"
    assert chunk_length(10**9, "cpu") == 16
