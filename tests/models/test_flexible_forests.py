"""Forests by FlexAttention: padded, and equal in every number to those that are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.models.flexibly import flexible_attention
from tests.models.tiny import CONFIGS, random_rows, tiny_model
from tests.models.trees import BRANCHING
from tunesmith.contracts import Scores
from tunesmith.data.forest import Packing, build_forests
from tunesmith.models import attention
from tunesmith.models.adapters import full, lora
from tunesmith.models.attention import enable_forest
from tunesmith.models.score import forest_scores

PACKING = Packing(tokens_per_forest=10_000, shortest_shared=1)
LAYERS = pytest.mark.parametrize("name", ["llama", "qwen3", "mistral", "gemma2", "gemma3", "gpt2"])


@pytest.fixture(autouse=True)
def flexible(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(attention, "_ways", lambda device: (True, False))
    with flexible_attention():
        yield


def gradients(model: nn.Module, scores: Scores) -> list[Tensor]:
    model.zero_grad(set_to_none=True)
    (scores.logprobs_N * scores.weights_N).sum().backward()
    return [weight.grad for weight in model.parameters() if weight.grad is not None]


@LAYERS
@pytest.mark.parametrize("adapter", ["lora", "full"])
def test_padding_changes_neither_loss_nor_gradients(name: str, adapter: str) -> None:
    model = tiny_model(CONFIGS[name])
    model = (
        lora.attach(model, lora.Config(rank=4))
        if adapter == "lora"
        else full.attach(model, full.Config())
    )
    support = enable_forest(model)
    assert support.flexible
    assert "FlexAttention" in support.reason
    (forest,) = build_forests(list(enumerate(BRANCHING)), PACKING)
    found = forest_scores(model, forest, support=support)
    slopes = gradients(model, found)
    usual = forest_scores(model, forest, support=replace(support, flexible=False))
    expected = gradients(model, usual)
    torch.testing.assert_close(found.logprobs_N, usual.logprobs_N, atol=2e-5, rtol=2e-5)
    every = torch.stack([one.norm() for one in expected]).norm()
    assert len(slopes) == len(expected) > 0
    for ours, theirs in zip(slopes, expected, strict=True):
        assert (ours - theirs).norm() <= 1e-4 * theirs.norm() + 1e-6 * every


def test_one_row_at_a_time_is_padded_too() -> None:
    """Rows on either side of a border run alone, and by the same kernel."""
    model = tiny_model(CONFIGS["llama"])
    support = enable_forest(model)
    (forest,) = build_forests(list(enumerate(random_rows(9, 20))), PACKING)
    alone = forest_scores(model, replace(forest, straddles=True), support=support)
    together = forest_scores(model, forest, support=support)
    torch.testing.assert_close(alone.logprobs_N, together.logprobs_N, atol=1e-5, rtol=1e-5)


def test_nothing_waits_for_the_device_and_nothing_stays_on_the_host() -> None:
    """The meta device has no numbers to wait for: asking for one raises."""
    model = lora.attach(tiny_model(CONFIGS["mistral"]), lora.Config(rank=4))
    support = enable_forest(model)
    assert support.flexible
    model.to("meta")
    (forest,) = build_forests(list(enumerate([*BRANCHING, *random_rows(40)])), PACKING)
    forest = replace(forest, reference_N=np.zeros(forest.rows_N.size, dtype=np.float32))
    scores = forest_scores(model, forest, support=support)
    made = (scores.logprobs_N, scores.weights_N, scores.rows_N, scores.reference_N)
    assert all(one is not None and one.device.type == "meta" for one in made)
    slopes = gradients(model, scores)
    assert slopes
    assert all(slope.device.type == "meta" for slope in slopes)


class KernelFault(Exception):
    """Like one of Triton's, which is no `RuntimeError`."""


@pytest.mark.parametrize("where", ["forward", "backward"])
def test_a_kernel_that_cannot_be_made_leaves_segments_and_the_reason(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*states: Tensor) -> Tensor:
        if where == "backward" and not torch.is_grad_enabled():
            return attention.attend_by_segment(*states)  # type: ignore[arg-type]
        raise KernelFault("backend='inductor' raised:\nOutOfResources: shared memory\nand so on")

    monkeypatch.setattr(attention, "attend_flexibly", broken)
    monkeypatch.setattr(attention, "compile_faults", lambda: (KernelFault,))
    support = enable_forest(tiny_model(CONFIGS["llama"]))
    assert support.supported
    assert not support.flexible
    assert "by segment" in support.reason
    assert support.reason.endswith(
        "; not FlexAttention: backend='inductor' raised: OutOfResources: shared memory)"
    )


def test_a_wrong_gradient_leaves_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    right = attention.attend_flexibly

    def wrong(query: Tensor, key: Tensor, *others: object) -> Tensor:
        return right(query, key + 0.01 * (key - key.detach()), *others)  # type: ignore[arg-type]

    monkeypatch.setattr(attention, "attend_flexibly", wrong)
    support = enable_forest(tiny_model(CONFIGS["llama"]))
    assert not support.flexible
    assert "its gradients in a forest differ by" in support.reason
