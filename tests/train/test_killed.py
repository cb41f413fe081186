"""The real command, killed with kill -9 at 20 random moments, ends with the same bits."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.train.conftest import Workshop

KILLS = 20
SETTINGS = ("train.steps=60", "train.eval_every=7", "train.save_every=4", "train.rows_per_step=4")


@dataclass(frozen=True)
class Given:
    """A base and a file of rows."""

    base: Path
    data: Path

    def command(self, output: Path) -> list[str]:
        """Starts the run, or continues it, whichever it needs."""
        given = ["--base", str(self.base), "--data", str(self.data), "--output", str(output)]
        return [sys.executable, "-m", "tunesmith", "train", *given, "--resume", *SETTINGS]


def finish(given: Given, output: Path) -> str:
    """Run to the end; the digest of the final weights."""
    done = subprocess.run(given.command(output), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == str(output)
    weights = (output / "model" / "adapter_model.safetensors").read_bytes()
    return hashlib.sha256(weights).hexdigest()


@pytest.fixture(scope="module")
def given(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Given:
    path = tmp_path_factory.mktemp("data") / "rows.jsonl"
    rows = [
        {"prompt": f"What follows {number}?", "completion": f"It is {number + 1}."}
        for number in range(60)
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return Given(base=workshop.folder / "base", data=path)


@pytest.fixture(scope="module")
def unbroken(given: Given, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, float]:
    """The digest of the unbroken run, and the seconds it took."""
    folder = tmp_path_factory.mktemp("unbroken")
    finish(given, folder / "first")  # fills the cache of tokens, as for all later runs
    began = time.monotonic()
    digest = finish(given, folder / "second")
    return digest, time.monotonic() - began


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_a_random_moment(
    given: Given, unbroken: tuple[str, float], tmp_path: Path, number: int
) -> None:
    digest, seconds = unbroken
    moment = random.Random(number).uniform(0.05, 1.0) * seconds
    output = tmp_path / "run"
    process = subprocess.Popen(
        given.command(output), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(timeout=moment)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    steps = output / "metrics.jsonl"
    made = steps.read_bytes().count(b"\n") if steps.exists() else 0
    assert finish(given, output) == digest, f"killed after {moment:.1f} s and {made} steps"
