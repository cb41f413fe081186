"""The training network equals Transformers' Llama, and its optimizer does what it says."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as functional
from muon import Muon, orthogonalise
from network import HeadLoss, Network, Shape
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

SHAPE = Shape(width=32, layers=2, heads=4, kv_heads=2, inner=48, vocabulary=97, context=64)


def test_loss_and_gradients_equal_transformers() -> None:
    torch.manual_seed(0)
    network = Network(SHAPE, torch.float32)
    oracle = LlamaForCausalLM(LlamaConfig(**SHAPE.llama_config(1, 2, 0)))
    missing = oracle.load_state_dict(network.state_dict(), strict=False)
    assert missing.unexpected_keys == []
    assert missing.missing_keys in ([], ["lm_head.weight"])
    windows = torch.randint(0, 97, (3, 41))

    loss = network(windows)
    expected = oracle(input_ids=windows, labels=windows).loss
    loss.backward()
    expected.backward()

    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-5)
    theirs = dict(oracle.named_parameters())
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter.grad, theirs[name].grad, rtol=1e-3, atol=1e-5)


def test_chunks_of_the_head_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("network.HEAD_CHUNK_TOKENS", 7)
    torch.manual_seed(0)
    hidden = torch.randn(30, 16, requires_grad=True)
    head = torch.randn(50, 16, requires_grad=True)
    labels = torch.randint(0, 50, (30,))
    loss = HeadLoss.apply(hidden, head, labels)
    gradients = torch.autograd.grad(loss * 3.0, (hidden, head))
    plain = functional.cross_entropy(hidden @ head.T, labels)
    expected = torch.autograd.grad(plain * 3.0, (hidden, head))
    torch.testing.assert_close(loss, plain)
    torch.testing.assert_close(gradients, expected)


@pytest.mark.parametrize("size", [(40, 24), (24, 40), (32, 32)])
def test_newton_schulz_brings_singular_values_near_one(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    result = orthogonalise(torch.randn(3, *size), torch.float32)
    values = torch.linalg.svdvals(result)
    assert result.shape == (3, *size)
    assert values.min() > 0.3
    assert values.max() < 1.3


def test_a_muon_step_has_the_size_of_its_learning_rate() -> None:
    torch.manual_seed(0)
    weight = nn.Parameter(torch.randn(32, 32))
    before = weight.detach().clone()
    weight.grad = torch.randn(32, 32) * 1e-6
    Muon([weight], learning_rate=0.1).step()
    change = torch.linalg.svdvals(weight.detach() - before)
    assert 0.03 < float(change.median()) < 0.13


def test_muon_solves_a_small_problem() -> None:
    torch.manual_seed(0)
    target = torch.randn(8, 8)
    weight = nn.Parameter(torch.zeros(8, 8))
    optimizer = Muon([weight], learning_rate=0.05)
    losses = []
    for _ in range(100):
        loss = (weight - target).square().mean()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < 0.05 * losses[0]
