"""The head at the vocabularies of Qwen and Gemma: equal to the whole logits, in bounded memory."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, Gemma2Config, LlamaConfig

from tunesmith.models.output.logprobs import token_logprobs
from tunesmith.models.statistics import token_statistics

TOKENS = 384
BOUNDS = {151_936: 270 * 2**20, 262_144: 460 * 2**20}
"""Eight chunks, and fourteen where a soft cap makes copies; whole logits, their softmax and a soft
cap's copies take 470 MB and 1.6 GB."""
WIDTH = 8
CLEAR = Path("/proc/self/clear_refs")


def large(vocabulary: int) -> nn.Module:
    sizes = {
        "vocab_size": vocabulary, "hidden_size": WIDTH, "intermediate_size": 8,
        "num_hidden_layers": 1, "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 8,
    }  # fmt: skip
    torch.manual_seed(0)
    if vocabulary > 200_000:
        config = Gemma2Config(
            **sizes, final_logit_softcapping=0.5, attn_implementation="eager"
        )  # fmt: skip
    else:
        config = LlamaConfig(**sizes, tie_word_embeddings=True)
    model = AutoModelForCausalLM.from_config(config).eval().requires_grad_(False)
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(40)
    return model


def growth(work: Callable[[], object]) -> int:
    """Bytes by which the process grows at most while `work` runs."""

    def status(key: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(key))

    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    CLEAR.write_text("5")  # puts the mark of the highest use where it is now
    before = status("VmRSS")
    work()
    return status("VmHWM") - before


@pytest.mark.skipif(not CLEAR.exists(), reason="the kernel has no mark of highest use to reset")
@pytest.mark.parametrize("head_trains", [False, True])
@pytest.mark.parametrize("vocabulary", [151_936, 262_144])
def test_a_large_vocabulary_in_bounded_memory(vocabulary: int, *, head_trains: bool) -> None:
    model = large(vocabulary)
    head = model.get_output_embeddings()
    head.weight.requires_grad_(head_trains)
    hidden = torch.randn(TOKENS, WIDTH, requires_grad=True)
    targets = torch.randint(0, vocabulary, (TOKENS,))
    slopes = torch.randn(TOKENS)
    found: list[Tensor] = []

    def train() -> None:
        found.append(token_logprobs(model, hidden, targets))
        (found[0] * slopes).sum().backward()

    token_logprobs(model, hidden[:20], targets[:20])  # libraries load what they need
    assert growth(train) < BOUNDS[vocabulary]
    assert (
        growth(lambda: token_statistics(model, hidden, targets, top=3, entropy=True))
        < BOUNDS[vocabulary]
    )

    some = slice(100, 132)
    leaf = hidden.detach()[some].requires_grad_()
    logits = head(leaf)
    if vocabulary > 200_000:
        logits = torch.tanh(logits / 0.5) * 0.5
    expected = logits.log_softmax(-1).gather(1, targets[some, None])[:, 0]
    torch.testing.assert_close(found[0][some], expected)
    if not head_trains:
        (slope,) = torch.autograd.grad((expected * slopes[some]).sum(), leaf)
        assert hidden.grad is not None
        torch.testing.assert_close(hidden.grad[some], slope, atol=1e-5, rtol=1e-4)
