"""The parts of `benchmarks.growth` that run in a process of their own; each prints one JSON line.

python -m benchmarks.growing prepare --rows rows.jsonl --base starter --folder out/run
{"seconds": 61.2, "rows": 90000, "tokens": 9120000}

python -m benchmarks.growing train --rows rows.jsonl --base starter --folder out/run
{"seconds": 9.1, "first": 3.4, "steps": 20, "step": 0.21, "tokens": 15400, "loss": 3.1}
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

from tunesmith.base import BaseFolder, locate_base
from tunesmith.data.stage import prepare
from tunesmith.recipe import Data, Request, Source
from tunesmith.runs.documents import read_lines

LONGEST = 512
"""Tokens after which a row is cut, where the base takes as many."""


def longest_of(base: BaseFolder) -> int:
    """Tokens that rows may have."""
    return min(LONGEST, base.context or LONGEST)


def prepare_rows(rows: Path, base: str, folder: Path) -> dict[str, float]:
    """The stage `prepare` alone."""
    found = locate_base(base)
    began = time.perf_counter()
    prepared = prepare(
        Data(sources=(Source(path=str(rows)),), max_length=longest_of(found)),
        base=found.path,
        run_folder=folder,
        seed=0,
    )
    return {
        "seconds": time.perf_counter() - began,
        "rows": len(prepared.train),
        "tokens": int(prepared.train.ids.size),
    }


def train_rows(rows: Path, base: str, folder: Path, steps: int) -> dict[str, float]:
    """The pipeline to the end of training, `first` seconds of which pass before step 1."""
    # Loading torch is no part of preparing.
    from tunesmith import pipeline

    settings = {
        "data.held_out": 0,
        "data.max_length": longest_of(locate_base(base)),
        "train.steps": steps,
        "train.rows_per_step": 8,
        "train.save_every": steps,
        "adapter": "lora",
    }
    asked = Request(
        base=base,
        data=str(rows),
        output=str(folder),
        overrides=tuple(f"{key}={value}" for key, value in settings.items()),
    )
    began = time.time()
    run = pipeline.run_stages(asked, resume=False, until="train")
    lines = read_lines(run.path("metrics.jsonl"))
    seconds = [float(str(line["seconds"])) for line in lines]
    ended = run.path("metrics.jsonl").stat().st_mtime
    return {
        "seconds": ended - began,
        "first": ended - began - sum(seconds),
        "steps": len(lines),
        "step": statistics.median(seconds),
        "tokens": sum(int(str(line["tokens"])) for line in lines),
        "loss": float(str(lines[-1]["loss"])),
    }


def main() -> None:
    """Do one part."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growing")
    parser.add_argument("part", choices=("prepare", "train"))
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--base", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=20)
    given = parser.parse_args()
    if given.part == "prepare":
        figures = prepare_rows(given.rows, given.base, given.folder)
    else:
        figures = train_rows(given.rows, given.base, given.folder, given.steps)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
