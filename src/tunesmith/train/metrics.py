"""metrics.jsonl: one line a step, the truth for every chart.

    {"step": 7, "loss": 2.31, "learning_rate": 2e-4, "gradient_norm": 1.4, "seconds": 0.9,
     "tokens": 812, "trained": 340, "needed": 804, "computed": 560, "padded": 1232}

`seconds` is the wall time of the step; `contracts.TokenCount` says what the tokens are.
After a crash the file may be ahead of the checkpoint, and its last line may be half a line:
`cut_back` removes both, so that the resumed run writes each step once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from pathlib import Path

from tunesmith.contracts import Json, JsonObject, StepRecord, TokenCount
from tunesmith.runs.durable import append_line, write_bytes


def append(path: Path, record: StepRecord) -> None:
    """Add the line of one step.

    Raises:
        ResourceError: the disk is full.
    """
    append_line(path, _line(record))


def read(path: Path) -> Iterator[StepRecord]:
    """The steps in the file, in order; an unfinished or unreadable tail is left out."""
    if not path.exists():
        return
    for line in path.read_bytes().split(b"\n")[:-1]:
        record = _parse(line)
        if record is None:
            return
        yield record


def total(steps: Iterable[TokenCount]) -> TokenCount:
    """The counts of all steps together."""
    sums = dict.fromkeys((field.name for field in fields(TokenCount)), 0)
    for step in steps:
        values = asdict(step)
        for name in sums:
            sums[name] += values[name]
    return TokenCount(**sums)


def cut_back(path: Path, step: int) -> int:
    """Keep the lines up to `step` and drop the rest; how many lines were dropped."""
    if not path.exists():
        return 0
    kept = [record for record in read(path) if record.step <= step]
    text = "".join(f"{_line(record)}\n" for record in kept)
    before = path.read_bytes()
    if before == text.encode():
        return 0
    write_bytes(path, text.encode())
    return before.count(b"\n") + (not before.endswith(b"\n")) - len(kept)


def _line(record: StepRecord) -> str:
    values = asdict(record)
    counts = {field.name: values.pop(field.name) for field in fields(TokenCount)}
    return json.dumps({**values, **counts}, allow_nan=False)


def _parse(line: bytes) -> StepRecord | None:
    try:
        values: JsonObject = json.loads(line)
        return StepRecord(
            step=int(_number(values["step"])),
            loss=_number(values["loss"]),
            learning_rate=_number(values["learning_rate"]),
            gradient_norm=_number(values["gradient_norm"]),
            seconds=_number(values["seconds"]),
            **{field.name: int(_number(values[field.name])) for field in fields(TokenCount)},
        )
    except (ValueError, KeyError, TypeError):
        return None


def _number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(value)
    return value
