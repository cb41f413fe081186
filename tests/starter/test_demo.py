"""How well a starter model tunes is told by the evaluation of the demo's recipe."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from demo import read_figures, run_demo, table

ROOT = Path(__file__).parents[2]
BUNDLED = ROOT / "src" / "tunesmith" / "bundled" / "starter"


def test_figures_of_all_rows_stand_side_by_side(tmp_path: Path) -> None:
    rows = [
        {"task": "answers", "metric": "f1", "slice": "all", "base": 0.0627, "tuned": 0.46985},
        {"task": "answers", "metric": "f1", "slice": "long", "base": 0.1, "tuned": 0.2},
        {"task": "heldout", "metric": "loss", "slice": "all", "base": 4.0, "tuned": None},
    ]
    (tmp_path / "evaluation.json").write_text(json.dumps({"results": rows}))
    figures = read_figures(tmp_path / "evaluation.json")
    page = table(["a", "b"], [(figures, 61.4), ({("heldout", "loss"): (3.0, 1.0)}, 99.0)])
    assert page.splitlines() == [
        "| figure | a | b |",
        "| --- | --- | --- |",
        "| answers f1 | 0.0627 -> 0.4698 | - -> - |",
        "| heldout loss | 4 -> - | 3 -> 1 |",
        "| seconds in all | 61 | 99 |",
    ]


def test_the_recipe_is_asked_for_with_the_model_and_the_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def job(command: list[str], **more: object) -> None:
        asked.extend(command)
        (tmp_path / "evaluation.json").write_text('{"results": []}')

    monkeypatch.setattr("demo.subprocess.run", job)
    run_demo(BUNDLED, tmp_path, ["train.epochs=1"])
    assert asked[:4] == [sys.executable, "-m", "tunesmith", "run"]
    assert Path(asked[4]).exists()
    assert asked[5:] == ["--base", str(BUNDLED), "--output", str(tmp_path), "train.epochs=1"]


@pytest.mark.slow
def test_the_recipe_runs_on_a_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "starter" / "demo.py"), str(BUNDLED), "train.epochs=1",
         "evaluate.max_rows=4", "--output", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "| heldout loss | " in done.stdout
