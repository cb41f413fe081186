"""The pre-training script: from books to a model folder, also across a kill."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

SCRIPT = Path(__file__).parents[2] / "starter" / "pretrain.py"


def command(shared: Path, work: Path, steps: int) -> list[str]:
    return [
        sys.executable, str(SCRIPT), "--size", "tiny", "--device", "cpu", "--threads", "1",
        "--shared", str(shared), "--work", str(work), "--export", str(work / "model"),
        "--steps", str(steps), "--conversations", "50", "--record-seconds", "0",
        "--save-seconds", "0",
    ]  # fmt: skip


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


def test_a_budget_is_required(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--work", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "--until" in done.stderr


@pytest.mark.parametrize("clock", ["25:00", "tomorrow"])
def test_a_wrong_clock_is_refused_before_any_work(tmp_path: Path, clock: str) -> None:
    work = tmp_path / "work"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--work", str(work), "--until", clock],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "HH:MM" in done.stderr
    assert not work.exists()
