"""Liger's and Apple's kernels, by stand-ins with their arguments: they run on a GPU alone.

The stand-ins return what the packages' functions return (liger-kernel 0.8.5, cut-cross-entropy
25.1.1), computed by the formula.
"""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from tests.models.tiny import CONFIGS, tiny_model
from tunesmith.models.heads import cut_cross_entropy, liger
from tunesmith.models.output.agreement import disagreement
from tunesmith.models.output.logprobs import way_called
from tunesmith.models.output.reading import Head, HeadReading, read_head


def losses(
    hidden: Tensor, weight: Tensor, target: Tensor, bias: Tensor | None, softcap: float | None
) -> Tensor:
    logits = nn.functional.linear(hidden, weight, bias).float()
    if softcap is not None:
        logits = torch.tanh(logits / softcap) * softcap
    return nn.functional.cross_entropy(logits, target, reduction="none")


def fused_linear_cross_entropy_forward(
    _input: Tensor,
    weight: Tensor,
    target: Tensor,
    bias: Tensor | None = None,
    reduction: str = "mean",
    softcap: float | None = None,
    accum_dtype: torch.dtype | None = None,
    token_grad_output: Tensor | None = None,
    compute_gradients: bool | None = None,
    weight_requires_grad: bool | None = None,
) -> tuple[Tensor | None, ...]:
    """As Liger's: the gradient of each token by itself, or weighed and summed up."""
    assert reduction == "none"
    leaves = [one.detach().requires_grad_() for one in (_input, weight)]
    if bias is not None:
        leaves.append(bias.detach().requires_grad_())
    with torch.enable_grad():
        loss = losses(*leaves[:2], target, leaves[2] if bias is not None else None, softcap)
        slopes = torch.ones_like(loss) if token_grad_output is None else token_grad_output
        found = torch.autograd.grad(loss, leaves, slopes)
    loss = loss.detach()
    if not (_input.requires_grad if compute_gradients is None else compute_gradients):
        return loss, None, None, None, torch.zeros_like(_input), None, None
    by_weight = found[1] if weight_requires_grad else None
    return loss, None, None, None, found[0], by_weight, found[2] if bias is not None else None


def linear_cross_entropy(
    e: Tensor,
    c: Tensor,
    targets: Tensor,
    ignore_index: int = -100,
    softcap: float | None = None,
    reduction: str = "mean",
    shift: bool = False,
    filter_eps: float | str | None = "auto",
) -> Tensor:
    """As Apple's."""
    assert (reduction, filter_eps, shift) == ("none", None, False)
    return losses(e, c, targets, None, softcap)


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liger, "_kernel", lambda: fused_linear_cross_entropy_forward)
    monkeypatch.setattr(cut_cross_entropy, "_kernel", lambda: linear_cross_entropy)


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", ["llama", "gemma2"])
@pytest.mark.parametrize("way", [liger, cut_cross_entropy])
def test_values_and_gradients(
    way: ModuleType, name: str, dtype: torch.dtype, *, trained: bool
) -> None:
    model = tiny_model(CONFIGS[name]).to(dtype)
    model.get_output_embeddings().requires_grad_(trained)
    like = torch.zeros(0, 32, dtype=dtype)
    assert disagreement(way, read_head(model), way_called("general"), like) == ""


def test_a_bias_is_trained_by_liger() -> None:
    torch.manual_seed(0)
    linear = nn.Linear(12, 30)
    reading = HeadReading(weight_VD=linear.weight, bias_V=linear.bias)
    head = Head(own=linear, vocabulary=30, reading=reading)
    hidden, targets = torch.randn(9, 12, requires_grad=True), torch.arange(9)
    leaves = [hidden, linear.weight, linear.bias]
    slopes = torch.linspace(-1, 2, 9)
    found = torch.autograd.grad(liger.logprobs(head, hidden, targets), leaves, slopes)
    whole = -losses(hidden, linear.weight, targets, linear.bias, None)
    for mine, theirs in zip(found, torch.autograd.grad(whole, leaves, slopes), strict=True):
        torch.testing.assert_close(mine, theirs)
    with torch.no_grad():
        torch.testing.assert_close(liger.logprobs(head, hidden, targets), whole)


@pytest.mark.parametrize("way", [liger, cut_cross_entropy])
def test_what_they_do_not_take(way: ModuleType) -> None:
    hidden = torch.zeros(3, 32, dtype=torch.bfloat16)
    granite, llama = (
        read_head(tiny_model(CONFIGS[name]).to(torch.bfloat16)) for name in ("granite", "llama")
    )
    assert way.suits(granite, hidden) == "the head is more than a matrix with a cap"
    assert way.suits(llama, hidden) == "it computes on a GPU"
    assert "it computes in" in way.suits(llama, hidden.double())
    with torch.autocast("cpu", torch.bfloat16):
        assert "without autocast" in way.suits(llama, hidden)
