"""Pairs through the command line: the whole job, a longer one, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.tiny_run import Shape, write_base

from tunesmith.cli.main import run as command
from tunesmith.contracts import JsonObject

SETTINGS = (
    "method=dpo",
    "method.beta=0.5",
    "train.rows_per_step=4",
    "train.epochs=1",
    "train.eval_every=2",
    "evaluate.max_new_tokens=4",
    "adapter.rank=2",
    "data.held_out=4",
    "export=merged",
)


def pair(number: int) -> JsonObject:
    return {
        "prompt": f"{number} + 1?",
        "chosen": f"It is {number + 1}.",
        "rejected": "Who knows?" if number % 2 else "No.",
    }


def write(path: Path, rows: list[JsonObject]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    write_base(folder, Shape())
    return folder


@pytest.fixture
def arguments(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    text = tmp_path / "general.txt"
    text.write_text("The sun rose over the hill.\n\n---\n\nA dog slept by the door.\n")
    data = write(tmp_path / "pairs.jsonl", [pair(number) for number in range(24)])
    given = ["--base", str(base), "--data", str(data)]
    return [*given, *SETTINGS, f"evaluate.retention={text}"]


@pytest.mark.parametrize("adapter", ["lora", "full"])
def test_the_whole_job_and_a_longer_one(
    arguments: list[str], adapter: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    if adapter == "full":
        arguments = [one for one in arguments if one != "adapter.rank=2"]
    assert command(["run", *arguments, f"adapter={{name: {adapter}}}", "--output", str(run)]) == 0
    told = capsys.readouterr().err
    assert "held-out loss on 4 of 4 pairs" in told
    assert "train.learning_rate" in told and "a tenth" in told
    assert (run / "export" / "merged" / "config.json").is_file()
    lines = (run / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == 5
    assert json.loads(lines[0])["loss"] == pytest.approx(0.693147, abs=1e-5)
    results = json.loads((run / "evaluation.json").read_text())["results"]
    tasks = {(one["task"], one["metric"]): one for one in results}
    assert tasks["preferences", "reward_accuracy"]["base"] == 0.5
    assert tasks["preferences", "reward_accuracy"]["n"] == 4
    assert ("retention", "bits_per_byte") in tasks and ("answers", "f1") in tasks
    page = (run / "report.html").read_text()
    assert "held-out pairs" in page and "tells the chosen answer" in page

    kept = {path: path.read_bytes() for path in run.joinpath("data", "reference").rglob("*")
            if path.is_file()}  # fmt: skip
    assert kept
    assert command(["run", "--resume", "--output", str(run), "train.epochs=2"]) == 0
    longer = (run / "metrics.jsonl").read_text().splitlines()
    assert len(longer) == 10 and longer[:5] == lines
    assert all(path.read_bytes() == data for path, data in kept.items())


def test_a_run_goes_on_from_an_adapter(arguments: list[str], tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert command(["train", *arguments, "--output", str(first)]) == 0
    more = f"base.adapter={first / 'model'}"
    assert command(["train", *arguments, more, "--output", str(second)]) == 0
    # The adapter is part of the model to compare with, so nothing has moved yet.
    step = json.loads((second / "metrics.jsonl").read_text().splitlines()[0])
    assert step["loss"] == pytest.approx(0.693147, abs=1e-5)


@pytest.mark.parametrize("verb", ["check", "train", "run"])
@pytest.mark.parametrize(
    ("rows", "more", "says", "hint"),
    [
        ([pair(1)] * 3, "method=sft", "learns from single answers", "method: dpo"),
        (
            [{"question": "Hi?", "answer": "Ho."}] * 3,
            "method=dpo",
            "learns from pairs of answers",
            "method: sft",
        ),
        ([pair(1), {**pair(2), "rejected": ""}], "method=dpo", "rejected is empty", "fill"),
        ([pair(1), {**pair(2), "rejected": "It is 3."}], "method=dpo", "are the same", "remove"),
    ],
)
def test_bad_pairs_are_refused(
    arguments: list[str],
    verb: str,
    rows: list[JsonObject],
    more: str,
    says: str,
    hint: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = write(tmp_path / "bad.jsonl", rows)
    arguments = [one for one in arguments if not one.startswith("method")]
    arguments[3] = str(data)
    output = [] if verb == "check" else ["--output", str(tmp_path / "run")]
    assert command([verb, *arguments, more, *output]) == 2
    told = capsys.readouterr().err
    assert says in told and hint in told and f"{data}:" in told
    assert not (tmp_path / "run").exists()


def test_options_are_checked(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["check", *arguments, "method.beta=0"]) == 2
    assert "method.beta" in capsys.readouterr().err
