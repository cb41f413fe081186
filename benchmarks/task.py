"""What every contestant is asked to do, and what it answers: JSON files between processes.

    {"name": "support.jsonl sft lora", "base": "models/llama-15m", "method": "sft",
     "adapter": "lora", "steps": 3, "rows_per_step": 8, "data": "rows.jsonl",
     "tokens": "rows.tokens.jsonl", "held_out": "held_out.tokens.jsonl", ...}

`data` are the rows in words; `tokens` are the same rows as every contestant must train them:

    {"ids": [1, 5, 9], "trained": [0, 0, 1]}
    {"chosen": {"ids": ..., "trained": ...}, "rejected": {...}}
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RANK = 16
RATE = 2e-4
LONGEST = 1024
BETA = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The work: the same rows in the same steps, AdamW at one rate, no weight decay."""

    name: str
    base: str
    method: str
    """`sft`, or `dpo` (sigmoid loss, beta 0.1)."""
    adapter: str
    """`lora` (rank 16 on every linear layer), or `full`."""
    steps: int
    rows_per_step: int
    longest: int
    """Tokens after which a row is cut."""
    data: str
    """The file of rows that a contestant reads which makes its own tokens."""
    tokens: str
    held_out: str
    start: str
    """The adapter, fresh, that Tunesmith continues from: the one that the peers draw themselves
    from seed 0, so that all begin alike. Empty for `full`."""
    words: bool
    """Whether the peers make these very tokens from `data` by themselves."""
    chatml: bool
    """Whether the base's template is ChatML, which is all that LLaMA-Factory is told."""
    useful: int
    """Tokens of all rows, once a row."""
    trained: int
    """Those among them that carry a label."""
    rate: float = RATE
    """Learning rate, the same in every step."""


def write_task(task: Task, file: Path) -> None:
    """Write it as JSON."""
    file.write_text(json.dumps(asdict(task), indent=1) + "\n", encoding="utf-8")


def read_task(file: Path) -> Task:
    """Read what `write_task` wrote."""
    return Task(**json.loads(file.read_text(encoding="utf-8")))


def read_rows(file: str | Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file."""
    with Path(file).open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream if line.strip()]


def write_rows(rows: list[dict[str, Any]], file: Path) -> None:
    """Write rows as JSONL."""
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_figures(folder: Path, **figures: Any) -> None:  # noqa: ANN401
    """What a contestant measured, for the process that started it."""
    (folder / "figures.json").write_text(json.dumps(figures) + "\n", encoding="utf-8")


def read_figures(folder: Path) -> dict[str, Any]:
    """What `write_figures` wrote."""
    return json.loads((folder / "figures.json").read_text(encoding="utf-8"))


def peak_gib() -> float:
    """Most memory that this process has held so far.

    `VmHWM` starts anew with the program; `ru_maxrss`, where there is no such file, also
    remembers the process that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**20
    unit = 2**30 if sys.platform == "darwin" else 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
