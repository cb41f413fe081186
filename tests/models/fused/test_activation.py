"""Activations against Transformers' own, and their derivatives against autograd's."""

from __future__ import annotations

import pytest
import torch
from transformers.activations import ACT2FN

from tunesmith.models.fused.activation import NAMES, Activation, Name

STOCK = {"silu": ["silu"], "gelu": ["gelu"], "gelu_tanh": ["gelu_pytorch_tanh", "gelu_new"]}


@pytest.mark.parametrize("name", NAMES)
def test_value_and_derivative(name: Name) -> None:
    gates = torch.linspace(-30, 30, 601, dtype=torch.float64, requires_grad=True)
    for stock in STOCK[name]:
        expected = ACT2FN[stock](gates)
        out = torch.full_like(expected, torch.nan)
        with torch.no_grad():
            found = Activation(name=name).forward(gates, out)
        assert found.data_ptr() == out.data_ptr()
        torch.testing.assert_close(found, expected)
        slope = torch.randn_like(expected)
        given_gates = gates.detach().clone()
        (theirs,) = torch.autograd.grad(expected, gates, slope)
        mine = Activation(name=name).backward(slope, gates.detach())
        torch.testing.assert_close(mine, theirs)
        assert torch.equal(gates.detach(), given_gates)
        assert mine.data_ptr() == slope.data_ptr(), "it takes the slope's place"


def test_they_differ() -> None:
    probe = torch.linspace(-4, 4, 50)
    made = [Activation(name=name).forward(probe, torch.empty_like(probe)) for name in NAMES]
    assert all((made[0] - other).abs().max() > 1e-3 for other in made[1:])
    assert 1e-5 < (made[1] - made[2]).abs().max() < 1e-2
