"""Preparation in parts: killed anywhere it goes on, and always ends with the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.data.shops import qa
from tunesmith.data import encoded, parts, worker
from tunesmith.data.cache import cache_folder
from tunesmith.data.coding import coded, load_coding
from tunesmith.data.encoded import EncodedSource, encode_source
from tunesmith.data.parts import PartsTask, claimed, discard_parts, in_use, make_missing, open_parts
from tunesmith.data.provenance import stamped
from tunesmith.recipe import Source

Write = Callable[[str, Iterable[object]], Path]
NOW = datetime(2026, 1, 5)
KILLED = """
import sys
from pathlib import Path
from tests.data.test_parts import encode, shorten
import pytest
with pytest.MonkeyPatch.context() as patch:
    shorten(patch, 10)
    encode(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def shorten(patch: pytest.MonkeyPatch, rows_per_part: int) -> None:
    patch.setattr(encoded, "ROWS_PER_PART", rows_per_part)


def encode(path: Path, base: Path) -> EncodedSource:
    return encode_source(
        stamped(Source(path=str(path))), load_coding(base, None, "all", NOW), lambda done: None
    )


def task_of(path: Path, base: Path, folder: Path) -> PartsTask:
    return PartsTask(
        stamped=stamped(Source(path=str(path))),
        coding=load_coding(base, None, "all", NOW),
        folder=folder,
        rows_per_part=10,
    )


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The first example of every part that this process makes."""
    made: list[int] = []

    def counting(*args: object, first: int, **rest: object) -> object:
        made.append(first)
        return coded(*args, first=first, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(parts, "coded", counting)
    yield made


@pytest.mark.parametrize("rows_per_part", [7, 10, 99, 100])
def test_the_cut_into_parts_does_not_matter(
    rows: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_per_part: int
) -> None:
    whole = encode(rows, base)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    shorten(monkeypatch, rows_per_part)
    cut = encode(rows, base)
    assert cut.packed.digest == whole.packed.digest
    assert cut.notices == whole.notices
    assert cut.example_R.tolist() == whole.example_R.tolist() == list(range(100))
    assert [path.name for path in cache_folder().iterdir()] == [whole.packed.folder.name]


@pytest.mark.parametrize(("point", "finished"), [("part:1", 1), ("part:6", 6), ("fsync:7", 3)])
def test_a_killed_preparation_repeats_no_finished_part(
    rows: Path,
    base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    counted: list[int],
    point: str,
    finished: int,
) -> None:
    whole = encode(rows, base).packed.digest
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    root = Path(__file__).parents[2]
    search = os.pathsep.join([str(root / "src"), str(root)])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(rows), str(base)],
        env={**os.environ, "PYTHONPATH": search, "TUNESMITH_FAULT": f"{point}:kill"},
        check=False,
    )
    assert killed.returncode == -9
    shorten(monkeypatch, 10)
    counted.clear()
    assert encode(rows, base).packed.digest == whole
    assert counted == list(range(10 * finished, 100, 10))


@pytest.mark.parametrize("name", ["ids.i32", "weights.u8", "rows.bin", "manifest.json"])
def test_a_damaged_part_is_made_again(
    rows: Path, base: Path, tmp_path: Path, counted: list[int], name: str
) -> None:
    whole = encode(rows, base)
    task = task_of(rows, base, tmp_path / "parts")
    with in_use(task.folder):
        count = make_missing(task)
        file = task.part(3) / name
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 4
        file.write_bytes(bytes(content))
        counted.clear()
        assert open_parts(task, count) is None
        assert make_missing(task) == count
        assert counted == [30]
        opened = open_parts(task, count)
    assert opened is not None
    ids = [token for part in opened for token in part.ids.tolist()]
    assert ids == whole.packed.ids.tolist()


def test_a_part_that_somebody_makes_is_left_to_them(
    rows: Path, base: Path, tmp_path: Path, counted: list[int]
) -> None:
    task = task_of(rows, base, tmp_path / "parts")
    with in_use(task.folder), claimed(task.part(2)) as ours:
        assert ours
        make_missing(task)
        assert counted == [0, 10, *range(30, 100, 10)]


def test_parts_in_use_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    with in_use(folder):
        discard_parts(folder)
        assert folder.exists()
    discard_parts(folder)
    assert not folder.exists()


def test_rows_without_tokens_are_told_and_passed_over(
    write_lines: Write, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch, 10)
    rows: list[object] = list(qa(60))
    rows[3] = {"question": "x", "answer": ""}
    rows[25] = rows[44] = {"question": "x </s> y", "answer": "z"}
    rows[30:40] = [{"question": "x </s> y", "answer": "z"}] * 10
    found = encode(write_lines("bad.jsonl", rows), base)
    bad = [24, *range(29, 39), 43]
    assert [fault.example for fault in found.faults] == bad
    assert found.faults[0].rule == "unusable_row" and "</s>" in found.faults[0].what
    assert found.example_R.tolist() == [one for one in range(59) if one not in bad]
    assert [found.packed.place(index).line for index in (2, 3, 23, 24)] == [3, 5, 25, 27]
    again = encode(write_lines("bad.jsonl", rows), base)
    assert again.faults == found.faults
    assert again.example_R.tolist() == found.example_R.tolist()


def test_workers_make_the_same_bytes(
    rows: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: list[int]
) -> None:
    whole = encode(rows, base).packed.digest
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    shorten(monkeypatch, 10)
    monkeypatch.setattr(worker, "LARGE", 1)
    monkeypatch.setattr(worker, "_cores", lambda: 3)
    assert encode(rows, base).packed.digest == whole


def test_a_worker_makes_parts_by_itself(rows: Path, base: Path, tmp_path: Path) -> None:
    task = task_of(rows, base, tmp_path / "parts")
    with in_use(task.folder):
        process = worker._start(task)
        assert process.wait(240) == 0
        assert all(task.part(number).exists() for number in range(10))


def test_rows_that_cannot_be_used_are_passed_over(
    write_lines: Write, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch, 10)
    rows: list[object] = list(qa(60))
    good = encode(write_lines("good.jsonl", [*rows[:5], *rows[6:10], *rows[20:]]), base)
    rows[5] = {"question": "x", "answer": ""}
    rows[10:20] = [{"question": "x", "answer": 3}] * 10
    found = encode(write_lines("bad.jsonl", rows), base)
    assert found.packed.ids.tolist() == good.packed.ids.tolist()
    assert found.example_R.tolist() == list(range(49))
    assert [found.packed.place(index).line for index in (4, 5, 9)] == [5, 7, 21]
