"""The growth benchmark from its command line to its page, with a few rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.growth import as_page
from benchmarks.lengths import measure_lengths
from benchmarks.watched import watch

from tests.benchmarks.test_benchmark import ROOT, run_module, write_model

PIECE = 64 * 2**20
HUNGRY = f"""
import subprocess, sys, time
held = bytearray({PIECE})
subprocess.run([sys.executable, "-c", "held = bytearray(2 * {PIECE}); import time; time.sleep(1)"])
print("done")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_few_rows_from_end_to_end(tmp_path: Path) -> None:
    write_model(tmp_path / "model")
    options = ["--rows", "60", "--base", str(tmp_path / "model"), "--steps", "3"]
    options += ["--lengths", "8,16", "--tokens", "32", "--rounds", "1"]
    page = run_module(["benchmarks.growth", *options, "--out", str(tmp_path / "out")], tmp_path)
    assert page == (tmp_path / "out" / "growth.md").read_text()
    found = json.loads((tmp_path / "out" / "growth.json").read_text())
    assert (found["parts"], found["kept"]) == (1, 1)
    assert found["rest"]["rows"] == found["cached"]["rows"] == 54
    assert found["rest"]["tokens"] == found["cached"]["tokens"] > 54 * 25
    assert found["train"]["steps"] == 3
    assert 0 < found["train"]["step"] < found["train"]["seconds"]
    assert [one["length"] for one in found["lengths"]] == [8, 16]
    assert [one["tokens"] for one in found["lengths"]] == [4 * 7, 2 * 15]
    assert all(one["peak_mib"] > 20 for one in (found["killed"], found["rest"], found["cached"]))
    assert as_page(found) == page
    assert not list((tmp_path / "out").glob("cache/**/*.parts-*"))


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_memory_of_a_process_and_of_those_it_starts(tmp_path: Path) -> None:
    done = watch([sys.executable, "-c", HUNGRY], tmp_path, {})
    assert (done.code, done.output, done.errors) == (0, "done\n", "")
    assert done.seconds > 1
    assert 64 < done.peak_mib < 64 + 40
    assert len(done.workers_mib) == 1
    assert 128 < done.workers_mib[0] < 128 + 40


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_killed_command_says_so(tmp_path: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert watch([sys.executable, "-c", code], tmp_path, {}).code == -9


def test_the_parts_of_a_token_add_up(tmp_path: Path) -> None:
    write_model(tmp_path)
    for one in measure_lengths(str(tmp_path), [8, 32], tokens=64, rounds=1):
        assert 0 < one.attention < one.whole
        assert one.rest == pytest.approx(one.whole - one.attention)


def test_a_part_that_fails_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.growth", "--rows", "1", "--base", "nowhere"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 1
    assert "benchmarks.growing ended with" in done.stderr
    assert "nowhere" in done.stderr
