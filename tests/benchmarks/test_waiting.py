"""What PyTorch tells of a wait is found and named; CUDA itself is stood in for."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest
import torch
from benchmarks.gpu.waiting import Trained, attached, trained, waits_of
from transformers import AutoModelForCausalLM, LlamaConfig

from tunesmith.contracts import Scores
from tunesmith.data.forest import Forest
from tunesmith.models.attention import enable_forest

CONFIG = LlamaConfig(
    vocab_size=1003, hidden_size=16, intermediate_size=16, num_hidden_layers=1,
    num_attention_heads=1, num_key_value_heads=1,
)  # fmt: skip


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What PyTorch was told about waits; nothing is told before."""
    modes = ["default"]

    def set_mode(mode: str) -> None:
        modes.append(mode)
        if mode == "warn":  # as PyTorch does the first time
            warnings.warn(
                "Synchronization debug mode is a prototype feature and does not yet detect all "
                "synchronizing operations",
                stacklevel=2,
            )

    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", set_mode)
    return modes


def small() -> Trained:
    torch.manual_seed(0)
    model = attached(AutoModelForCausalLM.from_config(CONFIG), "lora")
    return trained(model, enable_forest(model))


def test_a_step_that_waits_for_nothing_is_right(told: list[str]) -> None:
    found = waits_of(small())
    assert found["ok"] and not found["where"]
    assert all(found[f"seconds {what}"] >= 0 for what in ("to prepare", "to launch", "waited"))
    assert told == ["default", "warn", "default"]


def test_a_wait_is_named(told: list[str]) -> None:
    task = small()
    scores = task.objective.scores

    def waiting(forest: Forest) -> Scores:
        if told[-1] == "warn":
            warnings.warn("called a synchronizing CUDA operation", stacklevel=1)
        return scores(forest)

    found = waits_of(replace(task, objective=replace(task.objective, scores=waiting)))
    assert not found["ok"]
    assert found["where"].startswith(f"{__file__}:")
    assert told[-1] == "default"
