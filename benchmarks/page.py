"""The page and the JSON file that a benchmark leaves behind."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_machine, versions
from benchmarks.table import section, summarise
from benchmarks.task import Task

HOW = """\
Every contestant does the same rows in the same steps, in a process of its own, in turn; medians
over the rounds. *Training* is the time of the training loop with its optimizer, *process* the
time from start to exit. Tokens are those of the rows, once a row, whether or not a prefix was
shared. Ratios of time above 1 are faster than the fastest setting of any peer; ratios of memory
are against the leanest. *Limit* is the share of the arithmetic limit reached, with each row by
itself and with prefixes shared. Held-out losses are measured for all in the same way.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What was asked for, and what is known so far."""

    folder: Path
    tasks: list[Task]
    limits: list[dict[str, Any]] = field(default_factory=list)
    """Of each task; empty where they were not measured."""
    absent: dict[str, str] = field(default_factory=dict)
    """Why contestants did not take part."""
    llamafactory: Path | None = None


def write_page(book: Book) -> str:
    """Write `speed.md` and `speed.json` from the runs so far; the page."""
    lines = (book.folder / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    runs = [json.loads(line) for line in lines]
    machine = describe_machine()
    found = versions()
    page = ["# Speed beside the peers", "", HOW]
    page += ["- " + ", ".join(f"{name}: {value}" for name, value in machine.items())]
    page += ["- " + ", ".join(f"{name} {value}" for name, value in found.items())]
    other = {}
    if book.llamafactory is not None:
        other = versions(book.llamafactory / "bin" / "python")
        page += ["- beside it: " + ", ".join(f"{name} {value}" for name, value in other.items())]
    page += [f"- {name} did not take part: {why}" for name, why in book.absent.items()]
    workloads = []
    for place, task in enumerate(book.tasks):
        entries = summarise(task, [run for run in runs if run["task"] == task.name])
        limit = book.limits[place] if book.limits else None
        page += ["", section(task, entries, limit)]
        workloads.append({"task": asdict(task), "limit": limit, "contestants": entries})
    text = "\n".join(page)
    (book.folder / "speed.md").write_text(text, encoding="utf-8")
    written = {
        "machine": machine,
        "versions": found,
        "llamafactory": other,
        "absent": book.absent,
        "workloads": workloads,
        "runs": runs,
    }
    (book.folder / "speed.json").write_text(json.dumps(written, indent=1) + "\n")
    return text
