"""Run directories: created once, locked, damaged files told apart."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.errors import RunError
from tunesmith.runs import create_run, list_runs, open_run
from tunesmith.runs.documents import cut_lines, read_json, read_lines


def test_stages_are_remembered(tmp_path: Path) -> None:
    run = create_run(tmp_path / "a")
    assert run.stage("train") is None
    run.finish_stage("train", {"step": 3})
    assert open_run(tmp_path / "a").stage("train") == {"step": 3}
    run.reopen_stage("train")
    assert open_run(tmp_path / "a").stage("train") is None


def test_taken_folders_are_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep")
    (tmp_path / "file").write_text("keep")
    for name in ("full", "file"):
        with pytest.raises(RunError):
            create_run(tmp_path / name)
    assert (tmp_path / "full" / "mine.txt").read_text() == "keep"
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["mine.txt"]
    with pytest.raises(RunError, match="not a run directory"):
        open_run(tmp_path / "full")


def test_a_second_process_is_told_who_holds_the_run(tmp_path: Path) -> None:
    run = create_run(tmp_path / "a")
    code = (
        "import sys; from pathlib import Path; from tunesmith.runs import open_run\n"
        f"with open_run(Path({str(tmp_path / 'a')!r})).locked(): pass"
    )
    with run.locked():
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert f"another process (pid {os.getpid()})" in answer.stderr
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr


def test_events_are_ordered_and_survive_half_lines(tmp_path: Path) -> None:
    run = create_run(tmp_path / "a")
    run.events.append("first", value=1)
    run.events.append("second")
    with run.path("events.jsonl").open("ab") as stream:
        stream.write(b'{"n": 2, "kind"')
    again = open_run(tmp_path / "a").events
    again.append("third")
    assert [(row["n"], row["kind"]) for row in again.read()] == [
        (0, "first"),
        (1, "second"),
        (2, "third"),
    ]
    assert [row["kind"] for row in again.read("second")] == ["second"]


def test_damaged_documents_are_named(tmp_path: Path) -> None:
    run = create_run(tmp_path / "a")
    run.path("state.json").write_text('{"half')
    with pytest.raises(RunError, match="state.json.*damaged"):
        run.state()
    with pytest.raises(RunError, match="missing"):
        read_json(tmp_path / "none.json")


def test_lines_are_cut_to_whole_ones(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    assert len(read_lines(path)) == 3
    cut_lines(path, 2)
    assert path.read_bytes() == b'{"step": 1}\n{"step": 2}\n'


def test_runs_are_listed_oldest_first(tmp_path: Path) -> None:
    for name in ("b", "a"):
        create_run(tmp_path / name)
    assert [run.name for run in list_runs(tmp_path)] == ["b", "a"]
    assert list_runs(tmp_path / "none") == []
