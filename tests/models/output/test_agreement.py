"""The proof of a way of computing a head: what is right passes, and every fault is told."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from tests.models.tiny import CONFIGS, tiny_model
from tunesmith.models.output.agreement import disagreement
from tunesmith.models.output.logprobs import way_called
from tunesmith.models.output.reading import Head, read_head

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "autocast": torch.float32}
FAULTS = {
    "values": lambda found, hidden: found + 0.5,
    "gradients": lambda found, hidden: found + (0.05 * (hidden - hidden.detach()).sum(dim=1)),
    "no slopes of their own": lambda found, hidden: found.detach() + (found - found.detach()).sum(),
    "not a number": lambda found, hidden: found * float("nan"),
}


def asked(name: str, precision: str, change: object = None, *, trained: bool = False) -> str:
    """What is found of the chunked way on a head, after some change to it."""
    dtype = PRECISIONS[precision]
    model = tiny_model(CONFIGS[name]).to(torch.float32 if precision == "autocast" else dtype)
    model.get_output_embeddings().requires_grad_(trained)
    chunked = way_called("chunked")

    def logprobs(head: Head, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
        found = chunked.logprobs(head, hidden_ND, targets_N)
        return found if change is None else change(found, hidden_ND)

    way = SimpleNamespace(REPEATABLE=True, suits=chunked.suits, logprobs=logprobs)
    with torch.autocast("cpu", torch.bfloat16) if precision == "autocast" else nullcontext():
        like = torch.zeros(0, 32, dtype=dtype)
        return disagreement(way, read_head(model), way_called("general"), like)


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", ["llama", "gemma2", "granite", "cohere"])
def test_what_is_right_agrees(name: str, precision: str, *, trained: bool) -> None:
    assert asked(name, precision, trained=trained) == ""


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_fault_is_told(precision: str, fault: str) -> None:
    assert "from fp64" in asked("llama", precision, FAULTS[fault])


def test_a_wrong_gradient_of_the_weights_is_told() -> None:
    """Slopes that are summed over the tokens before they weigh: right for the hidden states."""

    class Halved(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, weight: Tensor) -> Tensor:
            return weight.clone()

        @staticmethod
        def backward(ctx: object, gradient: Tensor) -> Tensor:
            return gradient * 0.9

    model = tiny_model(CONFIGS["llama"])
    model.get_output_embeddings().requires_grad_(True)
    general = way_called("general")

    def logprobs(head: Head, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
        logits_NV = hidden_ND @ Halved.apply(head.reading.weight_VD).t()
        return logits_NV.log_softmax(-1).gather(1, targets_N[:, None])[:, 0]

    way = SimpleNamespace(REPEATABLE=True, suits=general.suits, logprobs=logprobs)
    found = disagreement(way, read_head(model), general, torch.zeros(0, 32))
    assert "gradient of the weights" in found
    assert all(weight.grad is None for weight in model.parameters())


def test_a_failure_is_told_in_a_line() -> None:
    def fails(found: Tensor, hidden: Tensor) -> Tensor:
        raise RuntimeError("no compiler\nat all")

    assert asked("llama", "bf16", fails) == "it fails here: no compiler"
