"""The training network equals Transformers' Llama, and its optimizer does what it says."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as functional
from muon import Muon, orthogonalise
from network import HeadLoss, Network, Shape
from preset import PRESETS, read_preset
from torch import nn
from torch._dynamo.testing import CompileCounter
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


def test_matrices_of_one_shape_step_together_as_each_alone() -> None:
    torch.manual_seed(0)
    start = torch.randn(3, 24, 16)
    gradients = torch.randn(2, 3, 24, 16)
    together = [nn.Parameter(matrix.clone()) for matrix in start]
    alone = [nn.Parameter(matrix.clone()) for matrix in start]
    optimizers = [Muon(together, 0.05, weight_decay=0.1)]
    optimizers += [Muon([weight], 0.05, weight_decay=0.1) for weight in alone]
    for gradient in gradients:
        for weights in (together, alone):
            for weight, one in zip(weights, gradient, strict=True):
                weight.grad = one.clone()
        for optimizer in optimizers:
            optimizer.step()
    torch.testing.assert_close(torch.stack(list(together)), torch.stack(list(alone)))


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_parameters_are_counted_exactly(name: str) -> None:
    with torch.device("meta"):
        network = Network(PRESETS[name].shape, torch.float32)
    assert PRESETS[name].parameters == sum(weight.numel() for weight in network.parameters())
    assert PRESETS[name].flaw() is None


def test_a_step_never_waits_for_the_device() -> None:
    """On the meta device whatever asks for a number fails."""
    with torch.device("meta"):
        network = Network(SHAPE, torch.bfloat16)
        windows = torch.zeros((3, 41), dtype=torch.int64)
    weights = list(network.parameters())
    matrices = [weight for weight in weights if weight.ndim == 2]
    network(windows).backward()
    torch.nn.utils.clip_grad_norm_(weights, 1.0)
    Muon(matrices, 0.02, compute=torch.bfloat16).step()
    assert all(weight.grad is not None for weight in weights)


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # the compiler's own
def test_one_compiled_layer_serves_all() -> None:
    network = Network(replace(SHAPE, layers=9), torch.float32)
    counter = CompileCounter()
    for layer in network.model.layers:
        layer.compile(dynamic=False, backend=counter)
    for length in (9, 17, 9):
        network(torch.ones((2, length), dtype=torch.int64)).backward()
    assert counter.frame_count == 2


def test_a_preset_makes_the_round_trip_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "preset.json"
    good = asdict(PRESETS["gpu"])
    path.write_text(json.dumps(good))
    assert read_preset(path) == PRESETS["gpu"]
    for change, said in (
        ({"width": 385}, "does not make 6 heads"), ({"layers": 70}, "more than 15,000,000"),
        ({"kv_heads": 4}, "cannot share"), ({"length": 4096}, "longer than"),
        ({"width": 384.0}, "kind int"), ({"matrix_rate": "0.1"}, "kind float"),
        ({"windows": True}, "kind int"), ({"depth": 3}, "'depth' is not one of"),
        ({"matrix_rate": -1}, "above 0"), ({"chat_share": 1.5}, "between 0 and 1"),
    ):  # fmt: skip
        path.write_text(json.dumps({**good, **change}))
        with pytest.raises(ValueError, match=said):
            read_preset(path)
    for text in ("[1]", "{", '{"width": 384}'):
        path.write_text(text)
        with pytest.raises(ValueError, match=str(path)):
            read_preset(path)
    with pytest.raises(ValueError, match="No such file"):
        read_preset(tmp_path / "absent.json")
