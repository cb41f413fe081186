"""A run's way of computing its head: measured once, replayed, refused where it is gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from tests.models.tiny import CONFIGS, tiny_model
from torch import nn

from tunesmith.errors import RunError
from tunesmith.models.output import logprobs as head_module
from tunesmith.models.output.choice import Choice
from tunesmith.runs import Run
from tunesmith.train import stage
from tunesmith.train.head import Workload, settle_head, workload
from tunesmith.train.processes import ALONE, Group
from tunesmith.train.resume import Identity

if TYPE_CHECKING:
    from tests.train.conftest import Workshop

GPU = Identity(
    recipe={},
    data="",
    base="",
    total=1,
    versions={"device": "cuda", "placement": "single"},
    choices={"threads": 1},
)
LOAD = Workload(tokens=40, repeatable=True)


def settled(
    model: nn.Module, identity: Identity, times: list[float] | None = None
) -> tuple[Identity, list[Choice]]:
    """What is settled where the ways take these times, in the order of their names."""
    choices: list[Choice] = []
    clock = iter(times or [])

    def stopwatch(work: Callable[[], object]) -> tuple[float, int]:
        work()
        return next(clock), 0

    found = settle_head(
        model, identity, ALONE, load=LOAD, report=choices.append, stopwatch=stopwatch
    )
    return found, choices


def taken(model: nn.Module) -> str | None:
    return head_module._chosen.get(model)


def test_measured_once_and_replayed() -> None:
    model = tiny_model(CONFIGS["llama"])
    first, choices = settled(model, GPU, [1.0, 2.0, 3.0])
    assert first.choices == {"threads": 1, "head": "chunked"}
    assert [choice.way for choice in choices] == ["chunked"]
    assert taken(model) == "chunked"
    again = tiny_model(CONFIGS["llama"])
    resumed, choices = settled(again, first)  # a clock without times: measuring would fail
    assert (resumed, choices, taken(again)) == (first, [], "chunked")


def test_another_machine_may_choose_another() -> None:
    model = tiny_model(CONFIGS["llama"])
    assert settled(model, GPU, [3.0, 2.0, 1.0])[0].choices["head"] == "tiled"


@pytest.mark.parametrize("changed", [{"device": "cpu"}, {"placement": "fsdp"}])
def test_elsewhere_nothing_is_measured(changed: dict[str, str]) -> None:
    model = tiny_model(CONFIGS["llama"])
    identity = replace(GPU, versions=GPU.versions | changed)
    assert settled(model, identity) == (identity, [])
    assert taken(model) is None


def test_a_recorded_way_that_is_gone_is_refused_with_the_fix() -> None:
    model = tiny_model(CONFIGS["llama"]).to(torch.bfloat16)
    for name, extra in (("liger", "liger"), ("cut_cross_entropy", "cut-cross-entropy")):
        identity = replace(GPU, choices=GPU.choices | {"head": name})
        with pytest.raises(RunError, match=f"its output head by {name}") as caught:
            settled(model, identity)
        assert f"pip install 'tunesmith[{extra}]'" in str(caught.value.hint)


def test_what_a_forest_usually_has() -> None:
    """A third of the tokens is trained; a forest has room, or a step has no more."""
    weights = np.tile(np.array([0, 0, 1], np.uint8), 100)
    rows = SimpleNamespace(weights=weights, ids=np.zeros(300), lengths=np.full(10, 30))
    assert workload(rows, 240, 100, repeatable=True) == Workload(tokens=80, repeatable=True)
    assert workload(rows, 240, 4, repeatable=False).tokens == 40
    nothing = SimpleNamespace(weights=weights[:0], ids=np.zeros(0), lengths=np.zeros(0))
    assert workload(nothing, 240, 4, repeatable=True).tokens == 1


def test_a_run_records_it_and_goes_on_with_it(
    workshop: Workshop, new_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CPU stands in for a GPU whose clock says that the model's own head is the fastest."""
    times = iter([2.0, 1.0, 3.0])

    def on_a_gpu(model: nn.Module, identity: Identity, group: Group, **given: object) -> Identity:
        there = replace(identity, versions=identity.versions | {"device": "cuda"})
        stopwatch = lambda work: (work() and next(times), 0)  # noqa: E731
        found = settle_head(model, there, group, **given, stopwatch=stopwatch)
        return replace(found, versions=identity.versions)

    monkeypatch.setattr(stage, "settle_head", on_a_gpu)
    for steps in (2, 3):
        told: list[str] = []
        workshop.train(new_run, workshop.recipe(steps=steps), told=told)
        state = new_run.path("checkpoints", f"step-{steps}", "state.json").read_text()
        assert json.loads(state)["identity"]["choices"]["head"] == "general"
        assert sum(line.startswith("output head: general (for ") for line in told) == 3 - steps
    (event,) = new_run.events.read("head")
    assert event["way"] == "general"
    assert [timing["milliseconds"] for timing in event["timings"]] == [2.0, None, 1.0, None, 3.0]
