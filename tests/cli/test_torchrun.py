"""The command line under torchrun: two processes, one run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.tiny_run import Shape, write_base

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
SETTINGS = (
    "train.rows_per_step=4",
    "train.steps=4",
    "train.eval_every=2",
    "evaluate.tasks=heldout",
    "evaluate.max_rows=4",
    "adapter.rank=2",
    "data.held_out=4",
)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("given")
    write_base(folder / "base", Shape())
    rows = [{"question": f"{n} + 1?", "answer": f"It is {n + 1}."} for n in range(20)]
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (folder / "general.txt").write_text("The sun rose over the hill.\n\n---\n\nA dog slept.\n")
    retention = f"evaluate.retention={folder / 'general.txt'}"
    data = str(folder / "rows.jsonl")
    return ["--base", str(folder / "base"), "--data", data, *SETTINGS, retention]


def torchrun(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TORCHRUN, "-m", "tunesmith", *arguments],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def steps_of(run: Path) -> list[int]:
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["step"] for line in lines]


def test_the_whole_job(given: list[str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = torchrun("run", *given, "--output", str(run), "train.placement=fsdp")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(run)
    assert done.stdout.count(str(run)) == 1, "one process speaks"
    assert (run / "report.html").is_file() and (run / "evaluation.json").is_file()
    assert steps_of(run) == [1, 2, 3, 4]


@pytest.mark.slow
def test_resumed_longer_and_finished(given: list[str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert torchrun("train", *given, "--output", str(run)).returncode == 0
    longer = torchrun("run", "--resume", "--output", str(run), "train.steps=6")
    assert longer.returncode == 0, longer.stderr
    assert steps_of(run) == [1, 2, 3, 4, 5, 6]
    finished = torchrun("run", "--resume", "--output", str(run))
    assert finished.returncode == 0, finished.stderr


@pytest.mark.slow
def test_an_error_is_said_once_and_ends_all(given: list[str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = torchrun("run", *given, "--output", str(run), "train.placement=single")
    assert done.returncode != 0
    assert done.stderr.count("train.placement is single") == 1
    assert "Traceback" not in done.stderr.partition("torch/distributed")[0]
    assert not run.exists()
