"""What a person sees while models are measured: a bar on a terminal, plain lines elsewhere.

    base: held out  120/200  0:04 left

Everything goes to stderr.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

_EVERY_SECONDS = 10.0


class Display:
    """A running account of the measurements."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write to `stream`, stderr by default."""
        self._stream = sys.stderr if stream is None else stream
        self._console = Console(file=self._stream) if self._stream.isatty() else None

    def say(self, line: str) -> None:
        """Show one line of text."""
        if self._console is not None:
            self._console.print(Text(line))
        else:
            print(line, file=self._stream, flush=True)

    @contextmanager
    def counting(self, what: str, total: int) -> Iterator[Counter]:
        """Within the block, count rows up to `total`."""
        if self._console is None:
            yield _Lines(what, total, self._stream)
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console, transient=True) as bar:
            yield _Bar(bar, what, total)


class Counter(Protocol):
    """Counts rows that are done."""

    def add(self, rows: int) -> None:
        """So many more are done."""
        ...


class _Bar:
    def __init__(self, bar: Progress, what: str, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task(what, total=total)

    def add(self, rows: int) -> None:
        self._bar.advance(self._task, rows)


class _Lines:
    def __init__(self, what: str, total: int, stream: TextIO) -> None:
        self._what, self._total, self._stream = what, total, stream
        self._done = 0
        self._began = self._shown = time.monotonic()

    def add(self, rows: int) -> None:
        self._done += rows
        now = time.monotonic()
        if now - self._shown < _EVERY_SECONDS and self._done < self._total:
            return
        self._shown = now
        left = round((now - self._began) / self._done * (self._total - self._done))
        rest = f"  {left // 60}:{left % 60:02} left" if self._done < self._total else ""
        print(f"{self._what}  {self._done}/{self._total}{rest}", file=self._stream, flush=True)
