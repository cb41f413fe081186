"""`runs` lists what is there and compares two, finished or not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith.cli import runs
from tunesmith.contracts import JsonObject
from tunesmith.errors import InputError, RunError
from tunesmith.runs import Run, create_run
from tunesmith.runs.documents import write_json, write_text


def made(folder: Path, steps: int, tuned: float | None) -> Run:
    run = create_run(folder)
    write_text(run.path("recipe.yaml"), f"base: {{path: starter}}\ntrain: {{steps: {steps}}}\n")
    run.finish_stage("train", {})
    if tuned is not None:
        result: JsonObject = {
            "task": "heldout",
            "metric": "loss",
            "slice": "all",
            "unit": "nats",
            "base": 3.0,
            "tuned": tuned,
            "higher_is_better": False,
        }
        write_json(run.path("evaluation.json"), {"results": [result]})
        run.finish_stage("evaluate", {})
    return run


def test_the_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path / "one", 10, 1.25)
    made(tmp_path / "two", 20, None)
    (tmp_path / "other").mkdir()
    runs.command([tmp_path])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "one" in lines[1]
    assert "evaluate" in lines[1]
    assert "1.25" in lines[1]
    assert "train" in lines[2]
    runs.command([tmp_path], as_json=True)
    listed = json.loads(capsys.readouterr().out)["runs"]
    assert [run["name"] for run in listed] == ["one", "two"]
    assert listed[0]["results"][0]["tuned"] == 1.25


def test_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path / "one", 10, 1.25)
    made(tmp_path / "two", 20, 1.5)
    words = [Path("compare"), tmp_path / "one", tmp_path / "two"]
    runs.command(words, as_json=True)
    compared = json.loads(capsys.readouterr().out)
    assert compared["recipe"] == [{"key": "train.steps", "first": 10, "second": 20}]
    (figure,) = compared["results"]
    assert (figure["first"], figure["second"]) == (1.25, 1.5)
    runs.command(words)
    shown = capsys.readouterr().out
    assert "train.steps" in shown
    assert "better down" in shown


def test_compare_where_one_has_no_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(tmp_path / "one", 10, None)
    made(tmp_path / "two", 10, 1.5)
    runs.command([Path("compare"), tmp_path / "one", tmp_path / "two"], as_json=True)
    (figure,) = json.loads(capsys.readouterr().out)["results"]
    assert (figure["first"], figure["second"]) == (None, 1.5)


def test_an_empty_list_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    runs.command(None)
    assert capsys.readouterr().out == ""
    runs.command(None, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"runs": []}


def test_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="compare takes two runs"):
        runs.command([Path("compare"), tmp_path])
    with pytest.raises(InputError, match="one folder"):
        runs.command([tmp_path, tmp_path])
    with pytest.raises(InputError, match="no folder"):
        runs.command([tmp_path / "absent"])
    with pytest.raises(RunError, match="not a run directory"):
        runs.command([Path("compare"), tmp_path, tmp_path])
