"""Inputs of layers that wait in main memory: the same bits, and little on the device.

The carriers here do what a GPU may do at worst: a copy that was begun is done only when
somebody waits for it, and until then what it writes to is not a number.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor, nn

from tests.models.test_recompute import gradients
from tests.models.tiny import CONFIGS, random_rows, tiny_model
from tunesmith.data.forest import Packing, build_forests
from tunesmith.errors import ResourceError
from tunesmith.models.adapters import full, lora
from tunesmith.models.attention import enable_forest
from tunesmith.models.fused import install
from tunesmith.models.offload import CudaCarrier, Offload, PlainCarrier, carrier_for
from tunesmith.models.recompute import recompute_layers
from tunesmith.models.score import forest_scores

LAYERS = 5


@dataclass
class Copy:
    source: weakref.ref[Tensor]
    target: weakref.ref[Tensor]


@dataclass
class LateCarrier:
    """Copies when it is waited for, from what must still be there."""

    pending: list[Copy] = field(default_factory=list)
    homes: list[weakref.ref[Tensor]] = field(default_factory=list)
    left: list[weakref.ref[Tensor]] = field(default_factory=list)
    most: int = 0
    """Copies that were under way at once."""
    log: list[str] = field(default_factory=list)

    def room(self, like: Tensor) -> Tensor:
        made = torch.full_like(like, torch.nan)
        self.homes.append(weakref.ref(made))
        self.log.append("out")
        return made

    def carry(self, source: Tensor, target: Tensor) -> object:
        if any(home() is source for home in self.homes):
            assert source.isfinite().all(), "called back before it had left"
            self.log.append("in")
            target.fill_(torch.nan)
        else:
            # Transformers keeps the first layer's until its forward pass has ended.
            here = [one for one in self.left if one() is not None]
            assert len(here) <= 1, "it left and is still here"
            self.left = [*here, weakref.ref(source)]
        copy = Copy(source=weakref.ref(source), target=weakref.ref(target))
        self.pending.append(copy)
        self.most = max(self.most, len(self.pending))
        return copy

    def wait(self, mark: object) -> None:
        assert isinstance(mark, Copy)
        assert mark in self.pending, "waited for twice"
        self.pending.remove(mark)
        source, target = mark.source(), mark.target()
        assert source is not None and target is not None, "let go before the copy was done"
        target.copy_(source)
        self.log.append("wait")


def deep(name: str = "llama", layers: int = LAYERS) -> nn.Module:
    sizes = CONFIGS[name].to_dict() | {"num_hidden_layers": layers}
    sizes.pop("layer_types", None)
    return tiny_model(type(CONFIGS[name]).from_dict(sizes))


def trainable(adapter: str = "lora", name: str = "llama") -> nn.Module:
    torch.manual_seed(3)
    kind = lora if adapter == "lora" else full
    model = kind.attach(deep(name), kind.Config())
    enable_forest(model)
    return model


def late(model: nn.Module, count: int = LAYERS) -> tuple[LateCarrier, Offload]:
    carrier = LateCarrier()
    offload = Offload(lambda device: carrier, smallest=1)
    recompute_layers(model, count, offload)
    return carrier, offload


@pytest.mark.parametrize("name", ["llama", "gemma2"])
@pytest.mark.parametrize("adapter", ["lora", "full"])
@pytest.mark.parametrize("count", [1, 3, LAYERS])
def test_the_same_bits(name: str, adapter: str, count: int) -> None:
    stays, leaves = trainable(adapter, name), trainable(adapter, name)
    recompute_layers(stays, count)
    carrier, _ = late(leaves, count)
    loss, expected = gradients(stays)
    found_loss, found = gradients(leaves)
    assert found_loss == loss
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], expected[key]) for key in expected)
    assert carrier.log.count("out") == carrier.log.count("in") == count - 1
    assert carrier.pending == []
    assert carrier.most <= 1, "one layer at a time"


def loss_of(model: nn.Module, seed: int) -> Tensor:
    rows = list(enumerate(random_rows(9, 14, seed=seed)))
    (forest,) = build_forests(rows, Packing(tokens_per_forest=64))
    return -forest_scores(model, forest, support=enable_forest(model)).logprobs_N.sum()


def slopes(model: nn.Module) -> dict[str, Tensor]:
    return {name: one.grad for name, one in model.named_parameters() if one.grad is not None}


@pytest.mark.parametrize("together", [False, True])
def test_several_forests(together: bool) -> None:  # noqa: FBT001
    """One after another, and both forward passes before both backward passes."""
    stays, leaves = trainable(), trainable()
    recompute_layers(stays, LAYERS)
    carrier, _ = late(leaves)
    for model in (stays, leaves):
        if together:
            first, second = loss_of(model, 1), loss_of(model, 2)
            torch.autograd.backward(first)
            torch.autograd.backward(second)
        else:
            torch.autograd.backward(loss_of(model, 1))
            torch.autograd.backward(loss_of(model, 2))
    found, expected = slopes(leaves), slopes(stays)
    assert all(torch.equal(found[key], expected[key]) for key in expected)
    assert carrier.pending == []


def test_the_next_one_is_on_its_way() -> None:
    model = trainable()
    carrier, _ = late(model)
    loss = loss_of(model, 1)
    # Each waits for the one before; the last layer's input has not left.
    assert carrier.log == ["out", *["wait", "out"] * 3, "wait"]
    carrier.log.clear()
    torch.autograd.backward(loss)
    # The last layer calls the one below it, and each that arrives calls the next.
    assert carrier.log == ["in", *["wait", "in"] * 3, "wait"]


def test_a_second_backward_pass() -> None:
    stays, leaves = trainable(), trainable()
    recompute_layers(stays, LAYERS)
    late(leaves)
    for model in (stays, leaves):
        loss = loss_of(model, 1)
        torch.autograd.backward(loss, retain_graph=True)
        torch.autograd.backward(loss)
    found, expected = slopes(leaves), slopes(stays)
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_dropout_draws_the_same() -> None:
    stays, leaves = (lora.attach(deep(), lora.Config(dropout=0.4)).train() for _ in range(2))
    leaves.load_state_dict(stays.state_dict())
    recompute_layers(stays, LAYERS)
    late(leaves)
    for model in (stays, leaves):
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                nn.init.normal_(weight, generator=torch.Generator().manual_seed(1))
        torch.manual_seed(5)
        states = model(input_ids=torch.arange(3, 40)[None]).logits
        torch.autograd.backward(states.square().sum())
    found, expected = slopes(leaves), slopes(stays)
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_nothing_is_kept_without_a_backward_pass() -> None:
    model = trainable()
    carrier, _ = late(model)
    with torch.no_grad():
        loss_of(model, 1)
    assert carrier.log == []


def test_frozen_layers_send_nothing() -> None:
    model = trainable()
    for name, weight in model.named_parameters():
        weight.requires_grad_("lora" in name and ".layers.3." in name)
    carrier, _ = late(model)
    torch.autograd.backward(loss_of(model, 1))
    assert carrier.log.count("out") == carrier.log.count("in") == 1, "layer 3's; 4's stays"


def test_all_memory_comes_back() -> None:
    model = trainable()
    carrier, _ = late(model)
    torch.autograd.backward(loss_of(model, 1))
    assert [home for home in carrier.homes if home() is not None] == []


class Broken(Exception):
    """What a test breaks off with."""


@pytest.mark.parametrize("forward", [False, True])
def test_a_broken_pass_leaves_nothing_behind(forward: bool) -> None:  # noqa: FBT001
    stays, leaves = trainable(), trainable()
    recompute_layers(stays, LAYERS)
    carrier, _ = late(leaves)
    layer = leaves.get_submodule("base_model.model.model.layers.2").stock

    def breaks(*ignored: object) -> None:
        if torch.is_grad_enabled():  # the proof before it goes through
            raise Broken

    loss = None if forward else loss_of(leaves, 2)
    hook = layer.register_forward_pre_hook(breaks)
    with pytest.raises(Broken):
        loss_of(leaves, 2) if loss is None else torch.autograd.backward(loss)
    hook.remove()
    del loss
    gc.collect()
    assert len(carrier.pending) == 1, "the copy under way is waited for before it is let go"
    leaves.zero_grad()
    for model in (stays, leaves):
        torch.autograd.backward(loss_of(model, 1))
    found, expected = slopes(leaves), slopes(stays)
    assert all(torch.equal(found[key], expected[key]) for key in expected)
    gc.collect()
    assert carrier.pending == []
    assert [home for home in carrier.homes if home() is not None] == []


@pytest.mark.parametrize("adapter", ["lora", "full"])
def test_layers_that_are_fused_as_on_a_gpu(monkeypatch: pytest.MonkeyPatch, adapter: str) -> None:
    monkeypatch.setattr(install, "takes_whole", lambda inner: True)
    stays, leaves = trainable(adapter), trainable(adapter)
    assert "5 layers fused" in enable_forest(leaves).reason
    recompute_layers(stays, LAYERS)
    carrier, _ = late(leaves)
    for model in (stays, leaves):
        torch.autograd.backward(loss_of(model, 1))
    found, expected = slopes(leaves), slopes(stays)
    assert all(torch.equal(found[key], expected[key]) for key in expected)
    assert carrier.log.count("in") == LAYERS - 1


class FakeEvent:
    """A place in the order of a fake stream."""


class FakeStream:
    """Notes in which order a device is asked."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log = name, log

    def wait_stream(self, other: FakeStream) -> None:
        self.log.append(f"{self.name} waits for {other.name}")

    def record_event(self) -> FakeEvent:
        self.log.append(f"{self.name} marks")
        return FakeEvent()

    def wait_event(self, event: FakeEvent) -> None:
        assert isinstance(event, FakeEvent)
        self.log.append(f"{self.name} waits for a mark")


def test_a_gpu_is_asked_in_this_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be told of CUDA where there is none: who waits for whom, and what is pinned."""
    log: list[str] = []
    streams = [FakeStream("computing", log)]
    pinned: list[int] = []
    empty, copy = torch.empty, torch.Tensor.copy_

    @contextmanager
    def onto(stream: FakeStream) -> Iterator[None]:
        streams.append(stream)
        yield
        streams.pop()

    def pin(*sizes: int, dtype: torch.dtype, pin_memory: bool) -> Tensor:
        assert pin_memory
        pinned.append(sizes[0])
        return empty(*sizes, dtype=dtype)

    def copied(target: Tensor, source: Tensor, *, non_blocking: bool) -> Tensor:
        assert non_blocking
        log.append(f"{streams[-1].name} copies")
        return copy(target, source)

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: FakeStream("side", log))
    monkeypatch.setattr(torch.cuda, "Event", FakeEvent)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: streams[-1])
    monkeypatch.setattr(torch.cuda, "stream", onto)
    carrier = CudaCarrier(torch.device("cuda", 0))
    large_TH, small_TH = torch.randn(6, 4).bfloat16(), torch.randn(2, 4).bfloat16()
    with monkeypatch.context() as during:
        during.setattr(torch, "empty", pin)
        homes = [carrier.room(one) for one in (large_TH, small_TH, large_TH)]
    assert pinned == [48, 48, 48], "one size, so that each can take another's place"
    assert [(home.shape, home.dtype) for home in homes[:2]] == [
        (one.shape, one.dtype) for one in (large_TH, small_TH)
    ]
    with monkeypatch.context() as during:
        during.setattr(torch.Tensor, "copy_", copied)
        mark = carrier.carry(large_TH, homes[0])
        carrier.wait(mark)
    assert log == [
        "side waits for computing",
        "side copies",
        "side marks",
        "computing waits for a mark",
    ]
    assert torch.equal(homes[0], large_TH)


def test_no_more_pinned_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*sizes: int, **how: object) -> Tensor:
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: FakeStream("side", []))
    carrier = CudaCarrier(torch.device("cuda", 0))
    like = torch.zeros(2**20)
    monkeypatch.setattr(torch, "empty", refuse)
    with pytest.raises(ResourceError, match="no 4 MiB of pinned main memory") as caught:
        carrier.room(like)
    assert "activation_offloading: false" in caught.value.hint


def test_what_is_small_stays() -> None:
    model = trainable()
    carrier = LateCarrier()
    recompute_layers(model, LAYERS, Offload(lambda device: carrier, smallest=23 * 32 * 4 + 1))
    torch.autograd.backward(loss_of(model, 1))
    assert carrier.log == [], "23 tokens of 32 numbers are one byte too small"


def test_what_does_not_lie_in_order_stays() -> None:
    carrier = LateCarrier()
    offload = Offload(lambda device: carrier, smallest=1)
    states_TH = torch.randn(8, 4).T.requires_grad_()
    with offload.keeping(stays=False):
        states_TH.square()
    assert carrier.log == []


def test_a_cpu_copies() -> None:
    assert isinstance(carrier_for(torch.device("cpu")), PlainCarrier)
    stays, leaves = trainable(), trainable()
    recompute_layers(stays, LAYERS)
    recompute_layers(leaves, LAYERS, Offload(smallest=1))
    for model in (stays, leaves):
        torch.autograd.backward(loss_of(model, 1))
    found, expected = slopes(leaves), slopes(stays)
    assert all(torch.equal(found[key], expected[key]) for key in expected)
    for dtype in (torch.float32, torch.bfloat16):
        states_TH = torch.randn(3, 5).to(dtype)
        carrier = PlainCarrier()
        home, back = carrier.room(states_TH), torch.empty_like(states_TH)
        carrier.wait(carrier.carry(states_TH, home))
        carrier.wait(carrier.carry(home, back))
        assert torch.equal(back, states_TH) and home.data_ptr() != states_TH.data_ptr()
