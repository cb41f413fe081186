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
from pretrain import parse_arguments
from transformers import AutoModelForCausalLM, AutoTokenizer

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "starter" / "pretrain.py"
BUNDLED = ROOT / "src" / "tunesmith" / "bundled" / "starter"
HELD_OUT = ROOT.parent / "shared" / "pretrain" / "books-heldout.jsonl.xz"


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
