"""JSON documents and JSONL files of a run, written durably and read with clear errors."""

from __future__ import annotations

import json
from pathlib import Path

from tunesmith.contracts import Json, JsonObject
from tunesmith.errors import Place, RunError
from tunesmith.runs.durable import full_disk_named, write_bytes


def write_json(path: Path, value: Json) -> None:
    """Replace `path` by the JSON of `value`; NaN and infinity raise ValueError."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` in UTF-8, atomically and durably."""
    write_bytes(path, text.encode("utf-8"))


def read_json(path: Path) -> Json:
    """The JSON in a file that we wrote.

    Raises:
        RunError: the file is absent or damaged.
    """
    try:
        value: Json = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path} is missing", hint="is this a complete run directory?") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RunError(
            f"the file is damaged: {error}",
            hint="restore it, or start again in another folder",
            place=Place(file=path),
        ) from None
    return value


def read_lines(path: Path) -> list[JsonObject]:
    """The objects of a JSONL file of ours; a line that a crash left unfinished is skipped."""
    if not path.exists():
        return []
    rows: list[JsonObject] = []
    lines = path.read_bytes().split(b"\n")
    for line in lines[:-1]:
        row = _row(line)
        if row is not None:
            rows.append(row)
    return rows


def cut_lines(path: Path, keep: int) -> None:
    """Keep the first `keep` whole lines of a JSONL file."""
    if path.exists():
        whole = [line for line in path.read_bytes().split(b"\n")[:-1] if _row(line) is not None]
        with full_disk_named(path):
            write_bytes(path, b"".join(line + b"\n" for line in whole[:keep]))


def _row(line: bytes) -> JsonObject | None:
    try:
        row = json.loads(line)
    except (UnicodeDecodeError, json.JSONDecodeError):
        return None
    return row if isinstance(row, dict) else None
