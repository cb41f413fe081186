"""Trackers get every step once they can, and cannot stop a run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tunesmith import plugins
from tunesmith.contracts import JsonObject, StepRecord
from tunesmith.errors import RecipeError, ResourceError
from tunesmith.runs import Run
from tunesmith.train import metrics
from tunesmith.train.feed import Feed

if TYPE_CHECKING:
    from tests.train.conftest import Workshop


def record(step: int) -> StepRecord:
    return StepRecord(
        step=step,
        loss=float(step),
        learning_rate=0.1,
        gradient_norm=2.0,
        tokens=50,
        seconds=0.5,
        trained=3,
        needed=4,
        computed=4,
        padded=6,
    )


def make_module(name: str, **content: object) -> ModuleType:
    module = ModuleType(name)
    for key, value in content.items():
        setattr(module, key, value)
    return module


@dataclass
class Recorded:
    """A tracker and its kind in one, for tests."""

    seen: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    broken: Exception | None = None
    closed: bool = False

    def start(self, name: str, folder: Path, recipe: JsonObject) -> Recorded:
        return self

    def log(self, step: int, values: Mapping[str, float]) -> None:
        if self.broken is not None:
            raise self.broken
        self.seen.append((step, dict(values)))

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    tracker = Recorded()
    monkeypatch.setattr(plugins, "load", lambda kind, name: tracker)
    return tracker


def write_steps(run: Run, count: int) -> None:
    for step in range(1, count + 1):
        metrics.append(run.path("metrics.jsonl"), record(step))


def test_steps_and_measurements_are_sent(new_run: Run, recorded: Recorded) -> None:
    feed = Feed(new_run, ("any",), {})
    feed.begin(0, print)
    feed.step(record(1))
    feed.held_out(1, 3.5)
    feed.close()
    assert recorded.seen == [
        (
            1,
            {"loss": 1.0, "learning_rate": 0.1, "gradient_norm": 2.0, "tokens_per_second": 100.0},
        ),
        (1, {"held_out_loss": 3.5}),
    ]
    assert recorded.closed


def test_what_was_missed_is_sent_after_a_resume(new_run: Run, recorded: Recorded) -> None:
    feed = Feed(new_run, ("any",), {})
    feed.begin(0, print)
    for step in (1, 2, 3):
        feed.step(record(step))
    feed.close()
    write_steps(new_run, 6)
    recorded.seen.clear()
    feed = Feed(new_run, ("any",), {})
    feed.begin(6, print)
    feed.step(record(7))
    assert [step for step, _ in recorded.seen] == [4, 5, 6, 7]


def test_a_tracker_added_later_gets_everything(new_run: Run, recorded: Recorded) -> None:
    write_steps(new_run, 4)
    Feed(new_run, ("any",), {}).begin(4, print)
    assert [step for step, _ in recorded.seen] == [1, 2, 3, 4]


def test_a_tracker_that_fails_is_switched_off_and_named_once(
    new_run: Run, recorded: Recorded
) -> None:
    said: list[str] = []
    feed = Feed(new_run, ("any",), {})
    feed.begin(0, said.append)
    recorded.broken = KeyError("the server has gone")
    for step in (1, 2, 3):
        feed.step(record(step))
    feed.close()
    assert said == ["tracker any failed and is switched off: 'the server has gone'"]
    (event,) = new_run.events.read("tracker_failed")
    assert event["tracker"] == "any"


def test_our_own_errors_are_not_the_trackers(new_run: Run, recorded: Recorded) -> None:
    feed = Feed(new_run, ("any",), {})
    feed.begin(0, print)
    recorded.broken = ResourceError("disk full")
    with pytest.raises(ResourceError):
        feed.step(record(1))


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "mlflow", "trackio"])
def test_a_missing_package_is_an_error_with_the_command(
    new_run: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert name in plugins.names("trackers")
    missing = "torch.utils.tensorboard" if name == "tensorboard" else name
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(RecipeError, match=f"train.report_to {name} needs") as caught:
        Feed(new_run, (name,), {})
    assert caught.value.hint == f'pip install "tunesmith[{name}]"'


def test_a_tracker_that_refuses_to_start_is_an_error_in_the_recipe(
    new_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def init(**options: object) -> None:
        raise KeyError("no account")

    monkeypatch.setitem(sys.modules, "wandb", make_module("wandb", init=init))
    with pytest.raises(RecipeError, match="train.report_to wandb cannot be used: 'no account'"):
        Feed(new_run, ("wandb",), {})


def test_an_unknown_tracker_is_an_error_with_the_nearest_name(new_run: Run) -> None:
    with pytest.raises(RecipeError) as caught:
        Feed(new_run, ("tensorbord",), {})
    assert "did you mean tensorboard?" in caught.value.hint


def test_tensorboard_files_hold_the_metrics(workshop: Workshop, new_run: Run) -> None:
    workshop.train(new_run, workshop.recipe(report_to=("tensorboard",)))
    found = EventAccumulator(str(new_run.path("trackers", "tensorboard")))
    found.Reload()
    written = list(metrics.read(new_run.path("metrics.jsonl")))
    for name in ("loss", "learning_rate", "gradient_norm"):
        scalars = found.Scalars(f"train/{name}")
        assert [one.step for one in scalars] == [one.step for one in written]
    assert [one.value for one in found.Scalars("train/loss")] == pytest.approx(
        [one.loss for one in written], rel=1e-6
    )
    assert [one.step for one in found.Scalars("train/held_out_loss")] == [0, 4, 8, 12, 15]


def test_wandb_continues_its_run(new_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[object, ...]] = []

    def init(**options: object) -> SimpleNamespace:
        calls.append(("init", options))
        return SimpleNamespace(
            log=lambda values, step: calls.append(("log", values, step)),
            finish=lambda: calls.append(("finish",)),
        )

    monkeypatch.setitem(sys.modules, "wandb", make_module("wandb", init=init))
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    for step in (1, 2):
        feed = Feed(new_run, ("wandb",), {"seed": 1})
        feed.step(record(step))
        feed.close()
    begun = [call[1] for call in calls if call[0] == "init"]
    assert len(begun) == 2
    assert begun[0] == begun[1], "the same id: the run is continued"
    options = begun[0]
    assert isinstance(options, dict)
    assert options["resume"] == "allow"
    assert (options["project"], options["name"]) == ("mine", new_run.name)
    assert options["config"] == {"seed": 1}
    logged = [call for call in calls if call[0] == "log"]
    assert [call[2] for call in logged] == [1, 2]
    assert "train/loss" in str(logged[0][1])
    assert [call[0] for call in calls].count("finish") == 2


def test_trackio_continues_its_run_and_keeps_off_stdout(
    new_run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun: list[dict[str, object]] = []
    logged: list[tuple[dict[str, float], int]] = []

    def init(**options: object) -> SimpleNamespace:
        begun.append(options)
        return SimpleNamespace(
            name="chosen-by-trackio",
            log=lambda values, step: logged.append((values, step)),
        )

    module = make_module("trackio", init=init, finish=lambda: print("* Run finished"))
    monkeypatch.setitem(sys.modules, "trackio", module)
    for step in (1, 2):
        feed = Feed(new_run, ("trackio",), {})
        feed.step(record(step))
        feed.close()
    assert [(one["name"], one["resume"]) for one in begun] == [
        (new_run.name, "never"),
        ("chosen-by-trackio", "allow"),
    ]
    assert [step for _, step in logged] == [1, 2]
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("* Run finished") == 2


class Client:
    """What the tracker uses of MlflowClient."""

    runs: list[tuple[str, str]] = []
    parameters: list[tuple[str, str]] = []
    metrics: list[tuple[str, str, int]] = []
    ended: list[str] = []

    def get_experiment_by_name(self, name: str) -> None:
        return None

    def create_experiment(self, name: str) -> str:
        return f"experiment {name}"

    def create_run(self, experiment: str, *, run_name: str) -> SimpleNamespace:
        self.runs.append((experiment, run_name))
        return SimpleNamespace(info=SimpleNamespace(run_id="r1"))

    def log_param(self, run: str, key: str, value: str) -> None:
        assert len(value) <= 500
        self.parameters.append((key, value))

    def log_metric(self, run: str, key: str, value: float, *, step: int) -> None:
        assert run == "r1"
        self.metrics.append((run, key, step))

    def set_terminated(self, run: str) -> None:
        self.ended.append(run)


def test_mlflow_continues_its_run(new_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", make_module("mlflow", MlflowClient=Client))
    for step in (1, 2):
        feed = Feed(new_run, ("mlflow",), {"train": {"betas": [0.9, 0.99], "x": "y" * 900}})
        feed.step(record(step))
        feed.close()
    assert Client.runs == [("experiment tunesmith", new_run.name)]
    assert Client.parameters[0] == ("train.betas", "[0.9, 0.99]")
    assert [(key, step) for _, key, step in Client.metrics if key == "loss"] == [
        ("loss", 1),
        ("loss", 2),
    ]
    assert Client.ended == ["r1", "r1"]
