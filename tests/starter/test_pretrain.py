"""The pre-training script: from books to a model folder, also across a kill."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from preset import PRESETS
from pretrain import lock, parse_arguments
from training import open_run
from transformers import AutoModelForCausalLM, AutoTokenizer

from export import Made

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "starter" / "pretrain.py"
BUNDLED = ROOT / "src" / "tunesmith" / "bundled" / "starter"
HELD_OUT = ROOT.parent / "shared" / "pretrain" / "books-heldout.jsonl.xz"


def command(shared: Path, work: Path, steps: int) -> list[str]:
    return [
        sys.executable, str(SCRIPT), "--size", "tiny", "--device", "cpu", "--threads", "1",
        "--shared", str(shared), "--work", str(work), "--export", str(work / "model"),
        "--steps", str(steps), "--conversations", "50", "--record-seconds", "0",
        "--save-seconds", "0", "--export-seconds", "0",
    ]  # fmt: skip


def pretrain(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=240)


def curve(work: Path) -> list[dict[str, str]]:
    path = work / "curve.csv"
    if not path.exists():
        return []
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_killed_run_continues_and_exports_a_model(small_shared: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    endless = subprocess.Popen(
        command(small_shared, work, 1_000_000), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while len(curve(work)) < 5 and endless.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    endless.kill()
    endless.wait()
    reached = len(curve(work))
    assert reached >= 5

    done = subprocess.run(
        command(small_shared, work, reached + 5), capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(work)
    rows = curve(work)
    # It went on from the checkpoint: at most the last step before the kill ran twice.
    assert reached + 5 <= len(rows) <= reached + 6
    assert int(rows[-1]["step"]) == reached + 5
    assert float(rows[-1]["rate"]) == 0.0

    model = AutoModelForCausalLM.from_pretrained(work / "model")
    tokenizer = AutoTokenizer.from_pretrained(work / "model")
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    logits = model(**tokenizer("the sea", return_tensors="pt")).logits
    assert torch.isfinite(logits).all()
    assert not list((work / "model").glob("*.partial"))
    assert json.loads((work / "model" / "config.json").read_text())["model_type"] == "llama"
    training = json.loads((work / "model" / "training.json").read_text())
    assert training["steps"] == reached + 5
    assert training["preset"]["width"] == 32


def test_a_run_goes_on_elsewhere_from_its_exported_model(
    small_shared: Path, tmp_path: Path
) -> None:
    """Without the checkpoint: weights and progress are kept, the rate warms up again."""
    first, second = tmp_path / "first", tmp_path / "second"
    # A call that has no time for more than a step.
    ended = pretrain([*command(small_shared, first, 300), "--call-seconds", "0"])
    assert ended.returncode == 143, ended.stderr
    assert "run the same command again" in ended.stderr
    assert [row["step"] for row in curve(first)] == ["1"]

    second.mkdir()
    for name in ("export", "exported.json", "curve.csv"):
        (first / name).rename(second / name)
    ended = pretrain([*command(small_shared, second, 3), "--corpus", str(first)])
    assert ended.returncode == 0, ended.stderr
    rows = curve(second)
    assert [row["tokens"] for row in rows] == ["128", "256", "384"]
    before, after = (float(rows[step]["held_out_bits_per_byte"]) for step in (0, 1))
    assert after == pytest.approx(before, abs=0.05)
    assert not list(second.glob("*.npy"))


def test_a_folder_holds_one_run(tmp_path: Path) -> None:
    made = Made(preset=PRESETS["tiny"], conversations=5, device="-", precision="-", seed=0,
                command="-")  # fmt: skip
    run = open_run(made, tmp_path, torch.device("cpu"), torch.float32)
    run.save()
    assert open_run(made, tmp_path, torch.device("cpu"), torch.float32).progress == run.progress
    assert run.batch_shape(in_chat_phase=False) == (2, 64)
    assert run.batch_shape(in_chat_phase=True) == (1, 128)
    run.made = replace(made, preset=replace(PRESETS["tiny"], windows=1))
    assert run.batch_shape(in_chat_phase=True) == (1, 128)
    larger = replace(made, preset=replace(PRESETS["tiny"], layers=2))
    with pytest.raises(ValueError, match="holds a run of other sizes or rates"):
        open_run(larger, tmp_path, torch.device("cpu"), torch.float32)


def test_a_failing_compiler_is_done_without(small_shared: Path, tmp_path: Path) -> None:
    broken = {**os.environ, "CXX": "/bin/false", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
    arguments = [*command(small_shared, tmp_path / "work", 2), "--compile", "--precision", "fp32"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, env=broken)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("compiling failed, going on without: ") == 1
    assert [row["step"] for row in curve(tmp_path / "work")] == ["1", "2"]


def test_two_processes_never_train_in_one_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pretrain.LOCK_PATIENCE", 0.1)
    with lock(tmp_path), pytest.raises(SystemExit, match="another process trains in"):
        lock(tmp_path)
    lock(tmp_path).close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "--until"), (["--until", "25:00"], "HH:MM"), (["--until", "noon"], "HH:MM"),
     (["--hours", "1", "--steps", "5"], "not allowed"), (["--steps", "x"], "invalid int")],
)  # fmt: skip
def test_a_wrong_budget_is_refused(
    arguments: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["pretrain.py", *arguments])
    with pytest.raises(SystemExit) as stopped:
        parse_arguments()
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(not HELD_OUT.exists(), reason=f"{HELD_OUT} is absent")
def test_the_bundled_model_keeps_what_its_card_promises() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT.with_name("evaluate.py")), str(BUNDLED),
         "--shared", str(HELD_OUT.parents[1]), "--samples", "0"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["bits_per_byte"] <= 1.75
    assert min(result["stop_rate_greedy"], result["stop_rate_sampled"]) >= 0.95
    assert f"{result['bits_per_byte']:.3f} ±" in (BUNDLED / "README.md").read_text()
