"""Runs `tunesmith check` on a case and reads what it says.

{"rule": "email", "severity": "warn", "file": "train.jsonl", "line": 12, "other": "", ...}
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.audit.bed import Row
from benchmarks.audit.cases import Case
from benchmarks.audit.sets import write_licence

TRAIN, HELD_OUT, BENCHMARK = "train.jsonl", "held_out.jsonl", "benchmark.jsonl"
MOST_REFUSED = 40
_REFUSED = re.compile(r"train\.jsonl:(\d+)")
_PLACE = re.compile(r"([^/\\]+?):(\d+)(?::\d+)?$")


@dataclass(frozen=True, slots=True)
class Reported:
    """One finding, as the bench looks at it."""

    rule: str
    lines: frozenset[tuple[str, int]]
    """File name and line of the finding, and of the other side; empty for the whole set."""
    text: str
    """All of it as JSON."""
    excerpt: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One run of the audit."""

    exit_code: int
    seconds: float
    findings: tuple[Reported, ...]
    rows: int = 0
    error: str = ""
    """What it said where it gave no audit."""
    refused: tuple[Row, ...] = ()
    """Rows for each of which the whole file was refused."""


def check(case: Case, folder: Path, *, calm: bool) -> Checked:
    """Audit the files of a case; a row that the whole file is refused for is taken out."""
    refused: list[Row] = []
    while True:
        checked = _run(case, folder, calm=calm)
        place = _REFUSED.search(checked.error) if not calm else None
        if place is None or len(refused) == MOST_REFUSED:
            return replace(checked, refused=tuple(refused))
        refused.append(case.rows.pop(int(place[1]) - 1))


def _run(case: Case, folder: Path, *, calm: bool) -> Checked:
    """Write the files of a case, audit them, and read the result."""
    if folder.is_dir():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    recipe = _write(case, folder, calm=calm)
    output = folder / "checked"
    command = [sys.executable, "-m", "tunesmith", "check", str(recipe), "--output", str(output)]
    began = time.monotonic()
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    seconds = time.monotonic() - began
    document = output / "audit.json"
    if not document.is_file():
        said = (ended.stderr.strip() or ended.stdout.strip())[-1200:]
        return Checked(exit_code=ended.returncode, seconds=seconds, findings=(), error=said)
    audit = json.loads(document.read_text(encoding="utf-8"))
    return Checked(
        exit_code=ended.returncode,
        seconds=seconds,
        findings=tuple(read_finding(finding) for finding in audit["findings"]),
        rows=audit["rows"],
    )


def read_finding(finding: Mapping[str, Any]) -> Reported:
    """A finding of audit.json; `other` is a place as text or as an object."""
    lines = set()
    if finding.get("line"):
        lines.add((Path(finding["file"]).name, int(finding["line"])))
    other = finding.get("other")
    if isinstance(other, Mapping) and other.get("line"):
        lines.add((Path(str(other["file"])).name, int(other["line"])))
    elif isinstance(other, str) and (match := _PLACE.search(other)):
        lines.add((match[1], int(match[2])))
    return Reported(
        finding["rule"],
        frozenset(lines),
        json.dumps(finding, ensure_ascii=False),
        str(finding.get("excerpt", "")),
        str(finding.get("message", "")),
    )


def _write(case: Case, folder: Path, *, calm: bool) -> Path:
    rows = case.calm if calm else case.rows
    assert rows is not None, "a case without a calm twin is run once"
    _write_rows(rows, folder / TRAIN)
    held_out: object = 0
    rows = case.calm_held_out if calm else case.held_out
    if rows is not None:
        _write_rows(rows, folder / HELD_OUT)
        held_out = str(folder / HELD_OUT)
    recipe: dict[str, Any] = {
        "data": {"sources": [{"path": str(folder / TRAIN)}], "held_out": held_out},
        "audit": {"listed": 100_000},
    }
    if case.benchmark is not None:
        _write_rows(case.benchmark, folder / BENCHMARK)
        recipe["audit"]["benchmarks"] = [str(folder / BENCHMARK)]
    if case.base:
        recipe["base"] = case.base
    if case.method:
        recipe["method"] = case.method
    if case.licence is not None:
        write_licence(folder, case.licence)
    path = folder / "recipe.yaml"
    path.write_text(json.dumps(recipe, indent=1) + "\n", encoding="utf-8")
    return path


def _write_rows(rows: list[Row], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for line, row in enumerate(rows, start=1):
            row.line = line
            file.write((row.raw or json.dumps(row.values, ensure_ascii=False)) + "\n")
