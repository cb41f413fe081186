"""metrics.jsonl: one line a step, the truth for every chart.

    {"step": 7, "loss": 2.31, "learning_rate": 2e-4, "gradient_norm": 1.4, "tokens": 812,
     "seconds": 0.9}

`tokens` are all tokens of the step's rows, `seconds` its wall time. After a crash the file
may be ahead of the checkpoint, and its last line may be half a line: `cut_back` removes
both, so that the resumed run writes each step once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from tunesmith.contracts import Json, JsonObject, StepRecord
from tunesmith.runs.durable import append_line, write_bytes


def append(path: Path, record: StepRecord) -> None:
    """Add the line of one step.

    Raises:
        ResourceError: the disk is full.
    """
    append_line(path, json.dumps(asdict(record), allow_nan=False))


def read(path: Path) -> Iterator[StepRecord]:
    """The steps in the file, in order; an unfinished or unreadable tail is left out."""
    if not path.exists():
        return
    for line in path.read_bytes().split(b"\n")[:-1]:
        record = _parse(line)
        if record is None:
            return
        yield record


def cut_back(path: Path, step: int) -> int:
    """Keep the lines up to `step` and drop the rest; how many lines were dropped."""
    if not path.exists():
        return 0
    kept = [record for record in read(path) if record.step <= step]
    text = "".join(f"{json.dumps(asdict(record), allow_nan=False)}\n" for record in kept)
    before = path.read_bytes()
    if before == text.encode():
        return 0
    write_bytes(path, text.encode())
    return before.count(b"\n") + (not before.endswith(b"\n")) - len(kept)


def _parse(line: bytes) -> StepRecord | None:
    try:
        values: JsonObject = json.loads(line)
        return StepRecord(
            step=int(_number(values["step"])),
            loss=_number(values["loss"]),
            learning_rate=_number(values["learning_rate"]),
            gradient_norm=_number(values["gradient_norm"]),
            tokens=int(_number(values["tokens"])),
            seconds=_number(values["seconds"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(value)
    return value
