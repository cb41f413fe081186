"""A step is launched without waiting for the device, and the next one is prepared meanwhile.

The meta device stands for a GPU here: it has no numbers, so whatever would wait for one raises.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig

from tunesmith.contracts import Method, TokenRow
from tunesmith.data.forest import Packing
from tunesmith.errors import Interrupted, Place
from tunesmith.methods import dpo, sft
from tunesmith.models import flex
from tunesmith.models.adapters import full, lora
from tunesmith.models.attention import NAME, ForestSupport, enable_forest
from tunesmith.models.fused import install
from tunesmith.models.recompute import recompute_layers
from tunesmith.models.score import forest_scores
from tunesmith.recipe import Train
from tunesmith.runs import Run
from tunesmith.train import metrics
from tunesmith.train.ahead import Ahead
from tunesmith.train.objective import Objective, PendingLoss, PreparedStep
from tunesmith.train.optimizer import NamedOptimizer
from tunesmith.train.room import Room
from tunesmith.train.steps import StepRows

if TYPE_CHECKING:
    from tests.train.conftest import Workshop

SIZES = {
    "vocab_size": 90,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
}
LENGTHS = (5, 9, 30, 12, 7, 3)
ATTACH: dict[str, Callable[[nn.Module], nn.Module]] = {
    "lora": lambda model: lora.attach(model, lora.Config(rank=2)),
    "dropout": lambda model: lora.attach(model, lora.Config(rank=2, dropout=0.1)),
    "full": lambda model: full.attach(model, full.Config()),
}


def row(number: int, length: int) -> TokenRow:
    """A row that begins like the others, and what a reference makes of it."""
    own = np.random.default_rng(number).integers(0, 90, length)
    ids = np.concatenate([np.arange(20), own]).astype(np.int32)
    weights = np.concatenate([np.zeros(20), np.ones(length)]).astype(np.float32)
    return TokenRow(
        ids_T=ids,
        weights_T=weights,
        place=Place(file="rows.jsonl", line=number + 1),
        digest="",
        reference_T=-weights,
    )


ROWS = [row(number, length) for number, length in enumerate(LENGTHS)]


def without_numbers(config: LlamaConfig | MistralConfig, adapter: str) -> nn.Module:
    with torch.device("meta"):
        base = AutoModelForCausalLM.from_config(config)
        base.set_attn_implementation(NAME)
        return ATTACH[adapter](base)


def objective_of(
    model: nn.Module, method: Method = sft, room: int = 64, *, flexible: bool = False
) -> Objective:
    support = ForestSupport(supported=True, reason="", flexible=flexible)
    return Objective(
        model=model,
        scores=partial(forest_scores, model, support=support),
        method=method,
        config=method.Config(),
        packing=Packing(tokens_per_forest=room, rows_together=2 if method is dpo else 1),
        seed=0,
    )


def optimizer_of(model: nn.Module) -> NamedOptimizer:
    weights = [(name, one) for name, one in model.named_parameters() if one.requires_grad]
    return NamedOptimizer(weights, Train(learning_rate=1e-3))


@pytest.mark.parametrize("recomputed", [0, 1])
@pytest.mark.parametrize("method", [sft, dpo], ids=["sft", "dpo"])
@pytest.mark.parametrize("adapter", ["lora", "dropout", "full"])
def test_nothing_waits_until_loss_and_norm_are_read(
    adapter: str, method: Method, recomputed: int
) -> None:
    model = without_numbers(LlamaConfig(**SIZES), adapter)
    assert recompute_layers(model, recomputed) == recomputed
    objective, optimizer = objective_of(model, method), optimizer_of(model)
    prepared = objective.prepare(1, ROWS)
    assert len(prepared.forests) > 1
    loss = objective.backward(prepared)
    norm = optimizer.clip(1.0)
    assert len(loss.parts) == len(prepared.forests)
    with pytest.raises((NotImplementedError, RuntimeError), match="meta tensor"):
        loss.read_with(norm)


@pytest.mark.parametrize(("adapter", "dtype"), [("lora", "bfloat16"), ("full", "float32")])
def test_layers_that_are_fused_as_on_a_gpu_do_not_wait(
    adapter: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "takes_whole", lambda inner: True)
    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_config(LlamaConfig(**SIZES), dtype=getattr(torch, dtype))
    model = ATTACH[adapter](base.requires_grad_(False))
    assert "2 layers fused" in enable_forest(model).reason
    objective, optimizer = objective_of(model.to("meta")), optimizer_of(model)
    loss = objective.backward(objective.prepare(1, ROWS))
    with pytest.raises((NotImplementedError, RuntimeError), match="meta tensor"):
        loss.read_with(optimizer.clip(1.0))


class Copies(TorchDispatchMode):
    """Tells copies from the host that are waited for from those that are not."""

    def __init__(self) -> None:
        super().__init__()
        self.free, self.waited = 0, 0

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        named = kwargs or {}
        made = func(*args, **named)
        given = {one.device.type for one in args if isinstance(one, Tensor) and one.numel() > 1}
        if func is torch.ops.aten.copy_.default:
            self.waited += given == {"cpu", "meta"}
        elif isinstance(made, Tensor) and made.device.type == "meta" and "cpu" in given:
            self.free += named.get("non_blocking") is True
            self.waited += named.get("non_blocking") is not True
        return made


@pytest.mark.parametrize("flexible", [True, False])
@pytest.mark.parametrize("method", [sft, dpo], ids=["sft", "dpo"])
def test_copies_from_the_host_are_few_and_not_waited_for(
    method: Method, flexible: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The kernel has no meaning here; what it is given has.
    monkeypatch.setattr(flex, "_compiled", lambda way: without_kernel)
    model = without_numbers(MistralConfig(**SIZES, sliding_window=8), "lora")
    objective = objective_of(model, method, flexible=flexible)
    prepared = objective.prepare(1, ROWS)
    with Copies() as copies:
        objective.backward(prepared)
    assert copies.waited == 0
    assert 0 < copies.free <= (3 if flexible else 2) * len(prepared.forests)


def without_kernel(query_nBHD: Tensor, *others: object) -> Tensor:
    key_nBGD, value_nBGD, tables = others[:3]
    assert isinstance(key_nBGD, Tensor) and isinstance(value_nBGD, Tensor) and tables
    return (query_nBHD + (key_nBGD * value_nBGD).sum(2, keepdim=True)).flatten(0, 1)[None]


def test_what_is_waited_for_is_counted() -> None:
    with Copies() as copies:
        torch.ones(2).to("meta")
        torch.empty(2, device="meta").copy_(torch.ones(2))
        torch.ones(2).to("meta", non_blocking=True)
    assert (copies.free, copies.waited) == (1, 2)


def test_a_sliding_window_does_not_wait_either() -> None:
    model = without_numbers(MistralConfig(**SIZES, sliding_window=8), "lora")
    objective = objective_of(model)
    assert objective.backward(objective.prepare(1, ROWS)).parts


class Waits(TorchDispatchMode):
    """Counts the operations that hand a number of a tensor to Python."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(
        self, func: object, types: object, args: tuple[object, ...] = (), kwargs: object = None
    ) -> object:
        self.count += func is torch.ops.aten._local_scalar_dense.default
        assert callable(func)
        return func(*args, **(kwargs or {}))  # type: ignore[dict-item]


def test_weights_change_without_a_wait() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4))
    optimizer = optimizer_of(model)
    for step in range(3):
        model(torch.ones(2, 4)).sum().backward()
        with Waits() as waits:
            norm = optimizer.clip(1.0)
            optimizer.step(1e-3 / (step + 1))
        assert waits.count == 0
    with Waits() as waits:
        float(norm)
    assert waits.count == 1, "what is counted is counted"


def test_all_weights_are_checked_in_one_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Tensor] = []
    listed = Tensor.tolist
    monkeypatch.setattr(Tensor, "tolist", lambda self: reads.append(self) or listed(self))
    with Waits() as waits:
        assert optimizer_of(nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4))).bad_weights() == []
    assert len(reads) == 1 and waits.count == 0


def order_of(run: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a run does, in its order."""
    order: list[str] = []
    prepare, backward, read = Objective.prepare, Objective.backward, PendingLoss.read_with

    def preparing(self: Objective, step: int, rows: list[TokenRow]) -> PreparedStep:
        order.append(f"prepare {step}")
        return prepare(self, step, rows)

    def launching(self: Objective, prepared: PreparedStep) -> PendingLoss:
        order.append(f"launch {prepared.step}")
        return backward(self, prepared)

    def reading(self: PendingLoss, norm: Tensor) -> tuple[float, float]:
        order.append("read")
        return read(self, norm)

    monkeypatch.setattr(Objective, "prepare", preparing)
    monkeypatch.setattr(Objective, "backward", launching)
    monkeypatch.setattr(PendingLoss, "read_with", reading)
    run()
    monkeypatch.undo()
    return order


def test_the_next_step_is_prepared_between_launching_and_reading(
    workshop: Workshop, new_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = workshop.recipe(steps=3)
    found = order_of(lambda: workshop.train(new_run, recipe), monkeypatch)
    assert found == [
        "prepare 1", "launch 1",
        "prepare 2", "read", "launch 2",
        "prepare 3", "read", "launch 3", "read",
    ]  # fmt: skip


def test_a_run_that_resumes_prepares_from_where_it_stands(
    workshop: Workshop, new_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = workshop.new_run("ahead-plain")
    workshop.train(plain, workshop.recipe(steps=4))
    with monkeypatch.context() as patch:
        patch.setattr("tunesmith.train.loop._agreed", lambda job, signals: _steps(new_run) // 3)
        with pytest.raises(Interrupted):
            workshop.train(new_run, workshop.recipe(steps=4))
    assert _steps(new_run) == 3
    found = order_of(lambda: workshop.train(new_run, workshop.recipe(steps=4)), monkeypatch)
    assert found == ["prepare 4", "launch 4", "read"]
    one, other = (list(metrics.read(run.path("metrics.jsonl"))) for run in (plain, new_run))
    assert [step.loss for step in one] == [step.loss for step in other]


def _steps(run: Run) -> int:
    return len(list(metrics.read(run.path("metrics.jsonl"))))


class Given:
    """Rows by index, and which of them were asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __len__(self) -> int:
        return len(ROWS)

    def row(self, index: int) -> TokenRow:
        self.asked.append(index)
        return ROWS[index]


def test_less_room_prepares_a_step_anew(new_run: Run) -> None:
    rows, room = Given(), Room(200, new_run)
    objective = objective_of(nn.Linear(1, 1), room=200)
    steps = StepRows(rows, lambda epoch: np.arange(len(ROWS)), 3)
    ahead = Ahead(objective, steps, room, total=2)
    ahead.prepare(2)
    assert room.halve(1, 10) == 100
    found = ahead.of(2)
    assert rows.asked == [3, 4, 5], "no row is read twice"
    assert found.packing.tokens_per_forest == 100
    (cut,) = found.forests
    (wanted,) = objective_of(nn.Linear(1, 1), room=100).prepare(2, ROWS[3:]).forests
    assert np.array_equal(cut.ids_S, wanted.ids_S)


def test_only_what_is_asked_for_is_given(new_run: Run) -> None:
    steps = StepRows(Given(), lambda epoch: np.arange(len(ROWS)), 3)
    ahead = Ahead(objective_of(nn.Linear(1, 1)), steps, Room(64, new_run), total=2)
    ahead.prepare(1)
    assert [one.place.line for one in ahead.of(2).rows] == [4, 5, 6]
    assert [one.place.line for one in ahead.of(1).rows] == [1, 2, 3]
