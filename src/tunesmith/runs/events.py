"""What happened in a run: `events.jsonl`, append-only.

    {"n": 12, "time": "2026-11-22T09:00:00+00:00", "kind": "evaluated", "step": 40, "loss": 2.1}

Order is by `n`, not by time: clocks jump. A half-written last line is skipped.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from tunesmith.contracts import Json, JsonObject
from tunesmith.runs.documents import read_lines
from tunesmith.runs.durable import append_line


class Events:
    """The event log of a run."""

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        """Open the log at `path`; the file appears with the first event.

        `writes` is off in processes of a run that leave writing to the first one.
        """
        self.path = path
        self._writes = writes
        past = self.read()
        self._next = int(str(past[-1]["n"])) + 1 if past else 0

    def append(self, kind: str, **data: Json) -> None:
        """Add an event; it is on disk when this returns."""
        if not self._writes:
            return
        event = {"n": self._next, "time": datetime.now(UTC).isoformat(), "kind": kind, **data}
        append_line(self.path, json.dumps(event, ensure_ascii=False), sync=True)
        self._next += 1

    def read(self, kind: str | None = None) -> list[JsonObject]:
        """All events, or those of one kind, in order."""
        rows = read_lines(self.path)
        return [row for row in rows if kind is None or row.get("kind") == kind]
