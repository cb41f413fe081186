"""Two processes train what one trains; they stop, fail and resume together."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from safetensors.torch import load_file

from tunesmith.contracts import StepRecord
from tunesmith.runs import Run
from tunesmith.train import checkpoint, metrics

if TYPE_CHECKING:
    from tests.train.conftest import Workshop

KILLED = -signal.SIGKILL
STEPS = 15
WaitUntilStopped = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a run is spread, and what goes wrong in which of its processes."""

    ranks: int = 2
    spread: str = "ddp"
    fault: str = ""
    fault_rank: int = 0


class Team:
    """Runs of the workshop in several processes, forked from one that has torch loaded."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("team.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, run: Run, way: Way, **settings: object) -> list[int]:
        """Begin or resume a run; the process ids."""
        order = {
            "folder": str(self.workshop.folder),
            "run": run.name,
            "ranks": way.ranks,
            "spread": way.spread,
            "fault": way.fault,
            "fault_rank": way.fault_rank,
            "settings": settings,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._line()

    def wait(self) -> list[int]:
        """The exit codes; -9 where a process was killed."""
        return self._line()

    def train(self, run: Run, way: Way, **settings: object) -> list[int]:
        self.start(run, way, **settings)
        return self.wait()

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=30)

    def _line(self) -> list[int]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the team died"
        numbers = json.loads(line)
        assert isinstance(numbers, list)
        return numbers


@pytest.fixture(scope="module")
def team(workshop: Workshop) -> Iterator[Team]:
    processes = Team(workshop)
    yield processes
    processes.close()


def said(run: Run, rank: int = 0) -> str:
    return run.path(f"stderr-{rank}.txt").read_text()


def steps_of(run: Run) -> list[StepRecord]:
    return list(metrics.read(run.path("metrics.jsonl")))


def digest_of(run: Run) -> str:
    (path,) = run.path("model").glob("*model.safetensors")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def finished(team: Team, name: str, way: Way, **settings: object) -> Run:
    """A run to its end."""
    run = team.workshop.new_run(f"team-{name}")
    assert team.train(run, way, **settings) == [0] * way.ranks, said(run)
    return run


@pytest.fixture(scope="module", params=["lora", "full"])
def alone(team: Team, request: pytest.FixtureRequest) -> Run:
    return finished(team, f"alone-{request.param}", Way(ranks=1), adapter=request.param)


def assert_same_training(run: Run, other: Run, tolerance: float = 1e-5) -> None:
    """The same losses, gradients, measurements and final weights, to rounding."""
    found, wanted = steps_of(run), steps_of(other)
    assert [record.step for record in found] == list(range(1, STEPS + 1))
    for one, two in zip(found, wanted, strict=True):
        assert one.loss == pytest.approx(two.loss, rel=tolerance)
        assert one.gradient_norm == pytest.approx(two.gradient_norm, rel=tolerance)
        assert (one.tokens, one.trained) == (two.tokens, two.trained)
    measured = [
        [event["held_out_loss"] for event in one.events.read("evaluated")] for one in (run, other)
    ]
    assert measured[0] == pytest.approx(measured[1], rel=tolerance)
    weights, expected = (
        load_file(next(one.path("model").glob("*model.safetensors"))) for one in (run, other)
    )
    assert weights.keys() == expected.keys()
    for name, weight in weights.items():
        assert (weight - expected[name]).norm() <= tolerance * expected[name].norm(), name


@pytest.mark.parametrize("spread", ["ddp", "fsdp"])
def test_two_processes_are_one(team: Team, alone: Run, spread: str) -> None:
    adapter = alone.name.rpartition("-")[2]
    run = finished(team, f"{adapter}-{spread}", Way(spread=spread), adapter=adapter)
    assert_same_training(run, alone)
    assert said(run, 1).count("step") == 0, "the first process speaks for all"
    assert "step 15/15" in said(run)
    kinds = [str(event["kind"]) for event in run.events.read()]
    assert kinds.count("started") == kinds.count("trained") == 1
    samples = run.events.read("evaluated")[-1]["samples"]
    assert samples == alone.events.read("evaluated")[-1]["samples"]


def test_three_processes_and_tiny_steps(team: Team) -> None:
    """Fewer rows than processes: one of them has nothing that counts."""
    small = {"rows_per_step": 2, "steps": 6, "adapter": "full"}
    alone = finished(team, "small-alone", Way(ranks=1), **small)
    for spread in ("ddp", "fsdp"):
        run = finished(team, f"small-{spread}", Way(ranks=3, spread=spread), **small)
        for one, two in zip(steps_of(run), steps_of(alone), strict=True):
            assert one.loss == pytest.approx(two.loss, rel=1e-5)
            assert one.gradient_norm == pytest.approx(two.gradient_norm, rel=1e-5)


@pytest.mark.parametrize(
    ("spread", "rank"),
    [
        ("ddp", 0),
        ("fsdp", 1),
        pytest.param("ddp", 1, marks=pytest.mark.slow),
        pytest.param("fsdp", 0, marks=pytest.mark.slow),
    ],
)
def test_killed_and_resumed_is_unbroken(team: Team, spread: str, rank: int) -> None:
    unbroken = finished(team, f"unbroken-{spread}-{rank}", Way(spread=spread))
    run = team.workshop.new_run(f"team-killed-{spread}-{rank}")
    codes = team.train(run, Way(spread=spread, fault="step:9:kill", fault_rank=rank))
    assert codes[rank] == KILLED
    assert codes[1 - rank] == 4, said(run, 1 - rank)
    assert "another process of this run" in said(run, 1 - rank)
    assert team.train(run, Way(spread=spread)) == [0, 0], said(run)
    assert digest_of(run) == digest_of(unbroken)
    assert [one.loss for one in steps_of(run)] == [one.loss for one in steps_of(unbroken)]


@pytest.mark.parametrize("adapter", ["lora", pytest.param("full", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Way(spread="fsdp"), Way(ranks=1)),
        (Way(ranks=1), Way(spread="fsdp")),
        pytest.param(Way(spread="ddp"), Way(ranks=3, spread="fsdp"), marks=pytest.mark.slow),
    ],
    ids=["2 to 1", "1 to 2", "2 whole to 3 in parts"],
)
def test_resumed_on_another_number(
    team: Team, adapter: str, before: Way, after: Way, request: pytest.FixtureRequest
) -> None:
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    alone = finished(team, f"unbroken-{name}", Way(ranks=1), adapter=adapter)
    run = team.workshop.new_run(f"team-moved-{name}")
    broken = Way(ranks=before.ranks, spread=before.spread, fault="step:9:kill")
    assert team.train(run, broken, adapter=adapter)[0] == KILLED
    assert team.train(run, after, adapter=adapter) == [0] * after.ranks, said(run)
    assert f"processes is now {after.ranks}, the checkpoint was written with" in said(run)
    assert_same_training(run, alone)


@pytest.mark.parametrize("rank", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_signal_to_one_stops_all(
    team: Team, rank: int, wait_until_stopped: WaitUntilStopped
) -> None:
    unbroken = finished(team, f"unbroken-signal-{rank}", Way())
    run = team.workshop.new_run(f"team-signal-{rank}")
    processes = team.start(run, Way(fault="step:5:stop", fault_rank=rank))
    wait_until_stopped(processes[rank])
    os.kill(processes[rank], signal.SIGTERM)
    os.kill(processes[rank], signal.SIGCONT)
    assert team.wait() == [143, 143]
    checkpoints = run.path("checkpoints")
    assert checkpoint.latest_valid(checkpoints).step == 5
    assert len(run.events.read("interrupted")) == 1
    assert team.train(run, Way()) == [0, 0]
    assert digest_of(run) == digest_of(unbroken)


def test_a_full_disk_ends_all(team: Team) -> None:
    run = team.workshop.new_run("team-full")
    codes = team.train(run, Way(fault="write:8:enospc"))
    assert codes == [4, 4]
    assert "disk full" in said(run)
    assert "another process of this run" in said(run, 1)


def test_another_run_is_refused_once(team: Team) -> None:
    run = finished(team, "refused", Way(), steps=2)
    assert team.train(run, Way(), steps=2, learning_rate=0.5) == [2, 2]
    assert "train.learning_rate" in said(run)
    assert "learning_rate" not in said(run, 1)


@pytest.mark.parametrize("spread", ["ddp", "fsdp"])
def test_all_notice_that_it_diverged(team: Team, spread: str) -> None:
    run = team.workshop.new_run(f"team-diverged-{spread}")
    way = Way(spread=spread)
    assert team.train(run, way, adapter="full", learning_rate=1.0, steps=40) == [5, 5]
    assert len(run.events.read("diverged")) == 1


@pytest.mark.parametrize("spread", ["ddp", pytest.param("fsdp", marks=pytest.mark.slow)])
def test_early_stopping_is_one_decision(team: Team, spread: str) -> None:
    settings = {"learning_rate": 1e-9, "early_stopping": 2, "eval_every": 1}
    run = finished(team, f"early-{spread}", Way(spread=spread), **settings)
    alone = finished(team, f"early-alone-{spread}", Way(ranks=1), **settings)
    assert len(steps_of(run)) == len(steps_of(alone)) < STEPS


def test_dropout_and_sharing_resume_to_the_same_bits(team: Team) -> None:
    settings = {"dropout": 0.2, "share_prefixes": True}
    unbroken = finished(team, "unbroken-dropout", Way(), **settings)
    run = team.workshop.new_run("team-dropout")
    assert KILLED in team.train(run, Way(fault="step:7:kill"), **settings)
    assert team.train(run, Way(), **settings) == [0, 0]
    assert digest_of(run) == digest_of(unbroken)


@pytest.fixture(scope="module")
def pairs_alone(team: Team) -> Run:
    return finished(team, "pairs-alone", Way(ranks=1), method="dpo")


@pytest.mark.parametrize("spread", ["ddp", "fsdp"])
def test_pairs_on_two_processes(team: Team, pairs_alone: Run, spread: str) -> None:
    """Their reference is divided too, kept by the first process, and read by both."""
    run = finished(team, f"pairs-{spread}", Way(spread=spread), method="dpo")
    assert_same_training(run, pairs_alone)
    kept, wanted = (
        {path.relative_to(one.folder) for path in one.path("data").rglob("*.bin")}
        for one in (run, pairs_alone)
    )
    assert kept == wanted
    assert len(run.events.read("reference")) == 1
    again = team.workshop.new_run(f"team-pairs-killed-{spread}")
    broken = Way(spread=spread, fault="step:9:kill")
    assert team.train(again, broken, method="dpo")[0] == KILLED
    assert team.train(again, Way(spread=spread), method="dpo") == [0, 0], said(again)
    assert digest_of(again) == digest_of(run)
    assert "reference: rows" not in said(again), "it was found"


@pytest.mark.parametrize("spread", [pytest.param("ddp", marks=pytest.mark.slow), "fsdp"])
def test_layers_that_are_computed_again(team: Team, alone: Run, spread: str) -> None:
    adapter = alone.name.rpartition("-")[2]
    way = Way(spread=spread)
    run = finished(team, f"again-{adapter}-{spread}", way, adapter=adapter, recompute_layers=1)
    assert_same_training(run, alone)


@pytest.mark.parametrize("spread", [pytest.param("ddp", marks=pytest.mark.slow), "fsdp"])
def test_their_inputs_wait_in_main_memory(team: Team, spread: str) -> None:
    way = Way(spread=spread)
    stays = finished(team, f"stays-{spread}", way, recompute_layers=2)
    leaves = finished(team, f"leaves-{spread}", way, recompute_layers=2, activation_offloading=True)
    assert digest_of(leaves) == digest_of(stays)
