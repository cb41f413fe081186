"""metrics.jsonl survives half-written lines, and is cut back to a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith.contracts import StepRecord
from tunesmith.train import metrics


def record(step: int) -> StepRecord:
    return StepRecord(
        step=step,
        loss=1 / 3,
        learning_rate=1e-4,
        gradient_norm=0.1,
        tokens=5,
        seconds=0.5,
        trained=3,
        needed=4,
        computed=4,
        padded=6,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "metrics.jsonl"
    for step in range(1, 6):
        metrics.append(file, record(step))
    return file


def test_what_is_written_is_read(path: Path) -> None:
    assert list(metrics.read(path)) == [record(step) for step in range(1, 6)]
    line = json.loads(path.read_text().splitlines()[0])
    assert list(line) == [
        "step",
        "loss",
        "learning_rate",
        "gradient_norm",
        "seconds",
        "tokens",
        "trained",
        "needed",
        "computed",
        "padded",
    ]


def test_cut_back_drops_later_steps_and_keeps_bytes(path: Path) -> None:
    before = path.read_bytes().splitlines(keepends=True)
    assert metrics.cut_back(path, 3) == 2
    assert path.read_bytes() == b"".join(before[:3])


@pytest.mark.parametrize("kept", range(1, 30))
def test_a_half_written_line_is_dropped(path: Path, kept: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4]) + lines[4][:kept])
    assert [one.step for one in metrics.read(path)] == [1, 2, 3, 4]
    assert metrics.cut_back(path, 5) == 1
    metrics.append(path, record(5))
    assert path.read_bytes() == b"".join(lines)


def test_nothing_to_cut(path: Path) -> None:
    before = path.stat().st_ino
    assert metrics.cut_back(path, 5) == 0
    assert path.stat().st_ino == before, "the file was not touched"
    assert metrics.cut_back(path.with_name("none"), 5) == 0


def test_not_finite_is_never_written(tmp_path: Path) -> None:
    bad = StepRecord(
        step=1,
        loss=float("nan"),
        learning_rate=1,
        gradient_norm=1,
        tokens=1,
        seconds=1,
        trained=3,
        needed=4,
        computed=4,
        padded=6,
    )
    with pytest.raises(ValueError, match="JSON"):
        metrics.append(tmp_path / "metrics.jsonl", bad)
