"""The norm against Transformers' own, and its gradients against autograd's, in float64."""

from __future__ import annotations

import pytest
import torch
from transformers.models.gemma.modeling_gemma import GemmaRMSNorm
from transformers.models.llama.modeling_llama import LlamaRMSNorm

from tunesmith.models.fused.norm import Norm


@pytest.mark.parametrize("offset", [0.0, 1.0])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_transformers_own(offset: float, scale: float) -> None:
    torch.manual_seed(0)
    stock = GemmaRMSNorm(9, eps=1e-5) if offset else LlamaRMSNorm(9, eps=1e-5)
    with torch.no_grad():
        stock.weight.normal_()
    states = scale * torch.randn(5, 9)
    out = torch.empty_like(states)
    Norm(weight_D=stock.weight.detach(), epsilon=1e-5, offset=offset).forward(states, out)
    torch.testing.assert_close(out, stock(states).detach())


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("offset", [0.0, 1.0])
def test_gradients(offset: float, *, trained: bool) -> None:
    torch.manual_seed(1)
    states = torch.randn(5, 9, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(9, dtype=torch.float64, requires_grad=True)
    # Large beside the states, so that it matters.
    epsilon = 0.3
    rates = (states.square().mean(1, keepdim=True) + epsilon).rsqrt()
    expected = (weight + offset) * states * rates
    slope = torch.randn_like(expected)
    theirs = torch.autograd.grad(expected, (states, weight), slope)
    norm = Norm(weight_D=weight.detach(), epsilon=epsilon, offset=offset)
    out = torch.full_like(expected, torch.nan)
    room = torch.ones(9, dtype=torch.float64) if trained else None
    with torch.no_grad():
        found_rates = norm.forward(states.detach(), out)
        torch.testing.assert_close(out, expected)
        torch.testing.assert_close(found_rates, rates)
        mine = norm.backward(slope.clone(), states.detach(), found_rates, room)
    torch.testing.assert_close(mine, theirs[0])
    if room is not None:
        torch.testing.assert_close(room, theirs[1] + 1, msg="it is added to")


def test_zeros_have_a_norm() -> None:
    norm = Norm(weight_D=torch.ones(4), epsilon=1e-6)
    out = torch.empty(2, 4)
    rates = norm.forward(torch.zeros(2, 4), out)
    assert torch.equal(out, torch.zeros(2, 4))
    assert norm.backward(torch.ones(2, 4), torch.zeros(2, 4), rates, None).isfinite().all()
