"""The search: exact sizes, the best stays, and a call that ends early or is killed goes on."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from preset import LARGEST_PARAMETERS, PRESETS, read_preset
from search import (
    SCRIPT,
    Options,
    first_candidates,
    known,
    name_of,
    neighbours,
    search,
    table,
)

STAND_IN = """
import json, sys
from pathlib import Path
preset = json.loads(Path(sys.argv[sys.argv.index("--preset") + 1]).read_text())
work = Path(sys.argv[sys.argv.index("--work") + 1])
with (work.parents[1] / "calls").open("a") as stream:
    stream.write(f"{work.parent.name} {work.name}\\n")
if float(sys.argv[sys.argv.index("--call-seconds") + 1]) < 0.5:
    sys.exit(143)
if preset["windows"] == 1:
    sys.exit("out of memory")
bits = 2 - preset["width"] / 100 + abs(preset["matrix_rate"] - 0.02) + preset["windows"] / 1000
(work / "curve.csv").write_text(f"held_out_bits_per_byte,tokens,active_seconds\\n{bits},500,2\\n")
"""


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Options:
    """A search whose candidates are a stand-in without torch."""
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    monkeypatch.setattr("search.SCRIPT", script)
    return Options(
        work=tmp_path / "search", corpus=tmp_path, shared=tmp_path, minutes=1.0, steps=2,
        tiny=True, device="cpu", ends=time.monotonic() + 600,
    )  # fmt: skip


def calls(options: Options) -> list[str]:
    return (options.work / "calls").read_text().splitlines()


def test_every_candidate_may_ship_and_has_its_own_name() -> None:
    presets = first_candidates(tiny=False)
    presets += [near for preset in presets for near in neighbours(preset)]
    for preset in presets:
        assert preset.flaw() is None
        assert 0.96 * LARGEST_PARAMETERS < preset.parameters <= LARGEST_PARAMETERS
        assert preset.width // preset.heads == 64
    for preset in first_candidates(tiny=False):
        names = {name_of(one) for one in (*first_candidates(tiny=False), *neighbours(preset))}
        assert len(names) == len(first_candidates(tiny=False)) + len(neighbours(preset))


def test_the_best_stays_and_its_neighbours_are_tried(options: Options) -> None:
    winner = search(options)
    assert winner is not None
    assert (winner.preset.width, winner.preset.matrix_rate) == (32, 0.015 * 2**0.5)
    results = known(options.work)
    assert [result.round for result in results] == [0] * 4 + [1] + [2] * 4
    failed = [result for result in results if result.bits_per_byte is None]
    assert [result.note for result in failed] == ["out of memory"]
    page = table(results, winner)
    assert page.count("**winner**") == 1
    assert "out of memory" in page
    assert len(page.splitlines()) == 2 + len(results)


def test_the_same_call_goes_on_where_it_was_stopped(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert search(replace(options, ends=time.monotonic() + 0.1)) is None
    assert known(options.work) == []
    assert calls(options) == ["round-0 16x1-2w-m0.015-o0.003"]

    (options.work / "calls").unlink()

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("search.ranked", killed)
        with pytest.raises(KeyboardInterrupt):
            search(options)
    assert len(calls(options)) == len(known(options.work)) == 4
    winner = search(options)
    assert winner is not None
    assert len(calls(options)) == len(set(calls(options))) == 9
    assert search(options) == winner
    assert len(calls(options)) == 9


def test_when_every_candidate_fails_there_is_no_winner(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = replace(PRESETS["tiny"], windows=1)
    monkeypatch.setattr("search.first_candidates", lambda tiny: [broken])
    with pytest.raises(SystemExit, match="every candidate failed"):
        search(options)


@pytest.mark.slow
def test_a_tiny_search_runs_for_real(small_shared: Path, tmp_path: Path) -> None:
    command = [
        sys.executable, str(SCRIPT.with_name("search.py")), "--tiny", "--device", "cpu",
        "--shared", str(small_shared), "--work", str(tmp_path / "search"),
        "--corpus", str(tmp_path / "corpus"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "**winner**" in done.stdout
    results = known(tmp_path / "search")
    assert len(results) == 9
    assert all(0 < (result.bits_per_byte or 0) < 9 for result in results), results
    winner = read_preset(tmp_path / "search" / "winner.json")
    best = min(results[4:], key=lambda result: result.bits_per_byte or 9.0)
    assert winner == best.preset
