"""The contract of `check`, `train` and `run`, through the command line on a tiny model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.tiny_run import Shape, write_base

from tunesmith.cli.main import run as command

SETTINGS = (
    "train.rows_per_step=4",
    "train.epochs=1",
    "train.eval_every=4",
    "evaluate.max_rows=4",
    "evaluate.max_new_tokens=4",
    "adapter.rank=2",
    "data.held_out=4",
)
RESULT_KEYS = {
    "task", "version", "metric", "unit", "higher_is_better", "slice", "n", "groups",
    "base", "tuned", "difference", "low", "high", "p_value",
}  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    write_base(folder, Shape())
    return folder


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    lines = [json.dumps({"question": f"{n} + 1?", "answer": f"It is {n + 1}."}) for n in range(20)]
    file.write_text("\n".join(lines) + "\n")
    retention = tmp_path / "general.txt"
    retention.write_text("The sun rose over the hill.\n\n---\n\nA dog slept by the door.\n")
    return file


@pytest.fixture
def arguments(base: Path, rows: Path, tmp_path: Path) -> list[str]:
    retention = f"evaluate.retention={tmp_path / 'general.txt'}"
    return ["--base", str(base), "--data", str(rows), *SETTINGS, retention]


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def test_the_whole_job_then_resume_longer_and_changed(
    arguments: list[str], tmp_path: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert command(["run", *arguments, "--output", str(run)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(run)
    for name in (
        "recipe.yaml", "environment.json", "metrics.jsonl", "events.jsonl", "evaluation.json",
        "report.html", "README.md", "data/audit.json", "model/adapter_model.safetensors",
        "model/tokenizer.json", "model/generation_config.json",
    ):  # fmt: skip
        assert (run / name).is_file(), name
    steps = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [step["step"] for step in steps] == [1, 2, 3, 4]
    assert set(steps[0]) == {
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
    }
    results = json.loads((run / "evaluation.json").read_text())["results"]
    assert results and all(set(result) >= RESULT_KEYS for result in results)
    for result in results:
        if result["difference"] is not None:
            assert result["difference"] == pytest.approx(result["tuned"] - result["base"])

    before = files(run)
    assert command(["run", "--resume", "--output", str(run)]) == 0
    assert command(["run", *arguments, "--resume", "--output", str(run)]) == 0
    assert files(run) == before, "a finished run is left alone"

    assert command(["run", *arguments, "--output", str(run)]) == 2, "not empty"
    changed = ["run", "--resume", "--output", str(run), "train.learning_rate=0.5"]
    assert command(changed) == 2
    assert "train.learning_rate" in capsys.readouterr().err
    assert (run / "recipe.yaml").read_bytes() == before["recipe.yaml"]

    assert command(["run", "--resume", "--output", str(run), "train.epochs=2"]) == 0
    lines = (run / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(range(1, 9))
    assert lines[:4] == [json.dumps(step) for step in steps]

    with rows.open("a") as stream:
        stream.write('{"question": "new?", "answer": "New."}\n')
    capsys.readouterr()
    assert command(["run", "--resume", "--output", str(run), "train.epochs=3"]) == 2
    assert "rows.jsonl" in capsys.readouterr().err


def test_train_then_run_resumes_with_the_open_stage(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert command(["train", *arguments, "--resume", "--output", str(run)]) == 0
    assert not (run / "evaluation.json").exists()
    model = files(run / "model")
    assert command(["run", "--resume", "--output", str(run)]) == 0
    assert (run / "evaluation.json").exists()
    assert files(run / "model") == model
    assert command(["eval", str(run), "evaluate.max_rows=2", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {row["n"] for row in shown["results"] if row["task"] == "answers"} == {2}
    assert command(["report", str(run)]) == 0
    assert command(["eval", str(run), "train.epochs=9"]) == 2


def test_a_gate_that_fails_exits_3_with_everything_written(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    gate = "gates=[{task: heldout, metric: loss, max: 0.0001}]"
    assert command(["run", *arguments, gate, "export=merged", "--output", str(run)]) == 3
    error = capsys.readouterr().err
    assert "heldout loss" in error and "Traceback" not in error
    assert (run / "report.html").exists()
    assert (run / "export" / "merged" / "model.safetensors").exists()


def test_dry_run_writes_nothing(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(tmp_path.iterdir())
    output = ["--output", str(tmp_path / "run")]
    assert command(["run", *arguments, *output, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "rows_per_step: 4" in shown and "⟦It is 1.</s>⟧" in shown and "in all" in shown
    assert command(["run", *arguments, *output, "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["recipe"]["train"]["rows_per_step"] == 4
    assert plan["memory"]["total"] > 0
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (["data.max_length=4096"], "context"),
        (["adapter.targets=[nothing_like_it]"], "nothing_like_it"),
        (["train.device=cuda"], "cuda"),
        (["train.device=mps"], "mps"),
        (["evaluate.tasks=[nope]"], "nope"),
        (["gates=[{task: heldout, metric: nope, max: 1}]"], "nope"),
        (["train.warmup=500"], "warmup"),
        (["data.held_out=5000"], "held_out"),
        (["data.template=/no/such.jinja"], "such.jinja"),
        (["train.report_to=mlflow"], "mlflow"),
        (["base.adapter=/no/adapter"], "adapter"),
        (["evaluate.retention=/no/such.txt"], "such.txt"),
    ],
)
def test_bad_input_leaves_nothing(
    arguments: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: list[str],
    what: str,
) -> None:
    run = tmp_path / "run"
    assert command(["run", *arguments, *change, "--output", str(run)]) == 2
    error = capsys.readouterr().err
    assert what in error and "fix:" in error and "Traceback" not in error
    assert not run.exists()


def test_a_bad_row_is_named_and_leaves_nothing(
    arguments: list[str], rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with rows.open("a") as stream:
        stream.write('{"question": "cut off\n')
    run = tmp_path / "run"
    assert command(["run", *arguments, "--output", str(run)]) == 2
    assert "rows.jsonl:21" in capsys.readouterr().err
    assert not run.exists()


def test_check_needs_no_base_and_shows_masks_with_one(
    base: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["check", "--data", str(rows)]) == 0
    assert "20" in capsys.readouterr().out
    assert command(["check", "--data", str(rows), "--base", str(base)]) == 0
    assert "⟦It is 1.</s>⟧" in capsys.readouterr().out
    few = "audit.rules=[duplicate, leak, unusable_row]"
    assert command(["check", "--data", str(rows), "--json", few]) == 0
    audit = json.loads(capsys.readouterr().out)
    assert (audit["rows"], audit["verdict"]) == (20, "ready")
    kept = rows.parent / "audit"
    assert command(["check", "--data", str(rows), "--output", str(kept), few]) == 0
    assert json.loads((kept / "audit.json").read_text()) == audit
    assert command(["check", "--data", str(rows), "--output", str(kept)]) == 2, "not empty"


def test_resume_without_a_run_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["run", "--resume"]) == 2
    assert command(["run", "--resume", "--output", str(tmp_path / "none")]) == 2
    assert "not a run directory" in capsys.readouterr().err
    assert command(["eval", str(tmp_path)]) == 2
    assert command(["report", str(tmp_path)]) == 2


def test_a_changed_base_is_refused(
    arguments: list[str], base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = tmp_path / "base"
    shutil.copytree(base, moved)
    run = tmp_path / "run"
    arguments = ["--base", str(moved), *arguments[2:]]
    assert command(["train", *arguments, "--output", str(run)]) == 0
    weights = load_file(moved / "model.safetensors")
    name = next(iter(weights))
    save_file({**weights, name: weights[name] + torch.ones(1)}, moved / "model.safetensors")
    for verb in (["run", "--resume", "--output", str(run)], ["eval", str(run)]):
        assert command(verb) == 2
        assert "have changed since this run began" in capsys.readouterr().err
