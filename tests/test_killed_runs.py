"""Runs killed with SIGKILL at random moments and resumed end in the same bits.

pytest tests/test_killed_runs.py -m slow -s        prints each kill and the outcome
"""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.tiny_run import Shape, write_base

RUNS = 20


def train(output: Path, arguments: list[str], seconds: float | None) -> int:
    """Train through the command line; with `seconds`, kill it then."""
    command = [sys.executable, "-m", "tunesmith", "train", *arguments, "--output", str(output)]
    process = subprocess.Popen([*command, "--resume"], stderr=subprocess.PIPE, text=True)
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    else:
        assert process.returncode == 0, errors
    return process.returncode


def digest(run: Path) -> str:
    files = [run / "model" / "adapter_model.safetensors", run / "metrics.jsonl"]
    weights = hashlib.sha256(files[0].read_bytes()).hexdigest()
    steps = [json.loads(line) for line in files[1].read_text().splitlines()]
    losses = [(step["step"], step["loss"], step["gradient_norm"]) for step in steps]
    return f"{weights} {hashlib.sha256(repr(losses).encode()).hexdigest()}"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_runs_resume_to_the_same_bits(tmp_path: Path) -> None:
    write_base(tmp_path / "base", Shape())
    rows = tmp_path / "rows.jsonl"
    lines = [json.dumps({"question": f"{n} + 1?", "answer": f"It is {n + 1}."}) for n in range(60)]
    rows.write_text("\n".join(lines) + "\n")
    arguments = ["--base", str(tmp_path / "base"), "--data", str(rows), "adapter.dropout=0.1"]
    arguments += ["train.steps=120", "train.rows_per_step=4", "train.save_every=3", "seed=5"]
    began = time.monotonic()
    assert train(tmp_path / "whole", arguments, None) == 0
    whole = time.monotonic() - began
    expected = digest(tmp_path / "whole")
    generator = random.Random(7)
    same = 0
    for number in range(RUNS):
        output = tmp_path / f"run-{number}"
        moments = []
        for _ in range(generator.randint(1, 2)):
            moments.append(generator.uniform(0.3, 1.0) * whole)
            if train(output, arguments, moments[-1]) == 0:
                break
        assert train(output, arguments, None) == 0
        same += digest(output) == expected
        events = [json.loads(line)["kind"] for line in (output / "events.jsonl").open()]
        told = ", ".join(f"{moment:.1f}" for moment in moments)
        print(f"run {number}: killed after {told} s; resumed {events.count('resumed')} times")
    print(f"{same} of {RUNS} runs bit-identical; an unbroken run takes {whole:.1f} s")
    assert same == RUNS
