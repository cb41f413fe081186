"""A checkpoint is whole, or noticed; the last good one survives every fault."""

from __future__ import annotations

import json
import resource
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from tunesmith.errors import ResourceError, RunError
from tunesmith.runs import fault
from tunesmith.train import checkpoint
from tunesmith.train.checkpoint import Checkpoint, Found
from tunesmith.train.optimizer import OptimizerState
from tunesmith.train.progress import Progress, read_progress
from tunesmith.train.watch import Watch

FILES = (*checkpoint.FILES, checkpoint.MANIFEST)


def make(step: int, best: int | None = None) -> Checkpoint:
    generator = torch.Generator().manual_seed(step)
    progress = Progress(
        step=step, best_step=best, best_loss=1 / 3 if best else None, watch=Watch(recent=(0.1, 0.2))
    )
    return Checkpoint(
        weights={"a": torch.randn(3, 5, generator=generator), "b": torch.randn(2)},
        optimizer=OptimizerState(
            tensors={"exp_avg/a": torch.randn(3, 5), "state1/b": torch.arange(9).to(torch.uint8)},
            numbers={"step/b": step},
        ),
        state={"progress": progress.as_json(), "identity": {"data": "ä"}},
    )


def save(folder: Path, *steps: int, best: int | None = None) -> None:
    for step in steps:
        checkpoint.save(folder, step, make(step, best))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints"


def test_what_is_saved_is_loaded(folder: Path) -> None:
    saved = make(7, best=4)
    checkpoint.save(folder, 7, saved)
    found = checkpoint.load(folder, 7)
    assert set(found.weights) == {"a", "b"}
    for name, one in saved.weights.items():
        assert torch.equal(one, found.weights[name])
    for name, one in saved.optimizer.tensors.items():
        assert torch.equal(one, found.optimizer.tensors[name])
        assert one.dtype == found.optimizer.tensors[name].dtype
    assert found.optimizer.numbers == {"step/b": 7}
    assert read_progress(found.state["progress"]) == Progress(
        step=7, best_step=4, best_loss=1 / 3, watch=Watch(recent=(0.1, 0.2))
    )
    assert sorted(path.name for path in (folder / "step-7").iterdir()) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_every_flipped_bit_is_noticed(folder: Path, name: str) -> None:
    save(folder, 3, 6)
    path = folder / "step-6" / name
    raw = path.read_bytes()
    for place in range(len(raw)):
        spoiled = bytearray(raw)
        spoiled[place] ^= 1 << place % 8
        path.write_bytes(spoiled)
        wrong = checkpoint.damage(folder / "step-6")
        assert wrong is not None, place
        assert name in wrong
    assert checkpoint.latest_valid(folder) == Found(step=3, passed_over={6: wrong})
    with pytest.raises(RunError, match="damaged"):
        checkpoint.load(folder, 6)
    path.write_bytes(raw)
    assert checkpoint.latest_valid(folder) == Found(step=6, passed_over={})


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keep", ["nothing", "one", "half", "all but one", "one more", "removed"])
def test_files_cut_longer_or_missing_are_noticed(folder: Path, name: str, keep: str) -> None:
    save(folder, 3, 6)
    path = folder / "step-6" / name
    raw = path.read_bytes()
    kept = {"nothing": 0, "one": 1, "half": len(raw) // 2, "all but one": len(raw) - 1}
    if keep == "removed":
        path.unlink()
    elif keep == "one more":
        path.write_bytes(raw + b"\n")
    else:
        path.write_bytes(raw[: kept[keep]])
    found = checkpoint.latest_valid(folder)
    assert found.step == 3
    assert name in found.passed_over[6]


def test_a_manifest_of_another_step_is_noticed(folder: Path) -> None:
    save(folder, 3)
    (folder / "step-3").rename(folder / "step-9")
    save(folder, 2)
    assert checkpoint.latest_valid(folder) == Found(
        step=2, passed_over={9: "manifest.json is that of step 3"}
    )


def test_a_manifest_of_a_later_format_is_named(folder: Path) -> None:
    save(folder, 3)
    path = folder / "step-3" / checkpoint.MANIFEST
    body = json.loads(path.read_text())
    del body["digest"]
    path.write_bytes(checkpoint._serialise_manifest({**body, "format": 2}))
    assert (
        checkpoint.damage(folder / "step-3") == "manifest.json has format 2, this version reads 1"
    )


def test_all_damaged_is_an_error_that_lists_them(folder: Path) -> None:
    save(folder, 3, 6)
    for step in (3, 6):
        (folder / f"step-{step}" / checkpoint.WEIGHTS).unlink()
    with pytest.raises(RunError, match=r"step-6: weights.*missing; step-3: weights"):
        checkpoint.latest_valid(folder)


def test_no_checkpoint_at_all(folder: Path) -> None:
    assert checkpoint.latest_valid(folder) == Found(step=None, passed_over={})


def test_a_checkpoint_whose_best_is_lost_is_passed_over(folder: Path) -> None:
    save(folder, 2)
    save(folder, 4, 6, best=4)
    (folder / "step-4" / checkpoint.OPTIMIZER).unlink()
    found = checkpoint.latest_valid(folder)
    assert found.step == 2
    assert not found.best_lost
    assert found.passed_over[6] == "its best checkpoint, step-4, is lost"


def test_if_nothing_older_is_whole_the_best_is_given_up(folder: Path) -> None:
    save(folder, 4, 6, best=4)
    (folder / "step-4" / checkpoint.OPTIMIZER).unlink()
    assert checkpoint.latest_valid(folder) == Found(step=6, passed_over={}, best_lost=True)


def test_prune_keeps_the_newest_and_the_best(folder: Path) -> None:
    save(folder, 10, 20, 30, 40, 100)
    assert checkpoint.prune(folder, keep=2, best=10) == [20, 30]
    assert checkpoint.steps(folder) == [10, 40, 100]
    assert checkpoint.prune(folder, keep=5, best=None) == []


def test_set_aside_is_no_longer_a_checkpoint(folder: Path) -> None:
    save(folder, 3, 6)
    for _ in range(2):
        checkpoint.set_aside(folder, 6)
        assert checkpoint.steps(folder) == [3]
        save(folder, 6)
    assert checkpoint.steps(folder) == [3, 6]


@contextmanager
def faulty(monkeypatch: pytest.MonkeyPatch, point: str, number: int, action: str) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(fault, "_arrivals", Counter())
        patch.setenv(fault.VARIABLE, f"{point}:{number}:{action}")
        yield


@pytest.mark.parametrize("point", ["write", "fsync", "rename"])
def test_a_full_disk_anywhere_keeps_the_last_good_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    save(folder, 3)
    hits = 0
    for number in range(1, 30):
        try:
            with faulty(monkeypatch, point, number, "enospc"):
                checkpoint.save(folder, 6, make(6))
        except ResourceError as error:
            hits += 1
            assert error.exit_code == 4
            assert "disk full" in error.what
            assert "MB are free" in error.what
            assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
            found = checkpoint.latest_valid(folder)
            assert found.passed_over == {}
            assert found.step in (3, 6)
        else:
            break
    assert hits >= 3
    assert checkpoint.latest_valid(folder).step == 6


def test_a_disk_that_is_really_full(folder: Path) -> None:
    save(folder, 3)
    big = make(6)
    big = Checkpoint(weights={"a": torch.zeros(300_000)}, optimizer=big.optimizer, state=big.state)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        with pytest.raises(ResourceError, match="disk full"):
            checkpoint.save(folder, 6, big)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in folder.iterdir()] == ["step-3"]
    checkpoint.save(folder, 6, big)
    assert checkpoint.latest_valid(folder).step == 6


def test_what_a_crash_left_is_swept(folder: Path) -> None:
    save(folder, 3)
    (folder / ".writing-step-6").mkdir()
    (folder / ".writing-step-6" / checkpoint.WEIGHTS).write_bytes(b"half")
    (folder / ".removing-step-1").mkdir()
    checkpoint.remove_leftovers(folder)
    assert [path.name for path in folder.iterdir()] == ["step-3"]
