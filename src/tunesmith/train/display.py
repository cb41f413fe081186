"""What a person sees while training: a bar on a terminal, plain lines elsewhere; all on stderr.

step 40/200  loss 2.31  held out 2.40  812 tokens/s  3:12 left
"""

from __future__ import annotations

import sys
import time
from collections import deque
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from tunesmith.contracts import StepRecord

_EVERY_SECONDS = 10.0
_RATE_STEPS = 30


class Display:
    """A running account of the steps; use it as a context manager."""

    def __init__(
        self,
        total: int,
        *,
        done: int = 0,
        stream: TextIO | None = None,
        width: int | None = None,
        speaks: bool = True,
    ) -> None:
        """Count up to `total` steps, of which `done` are made already.

        `speaks` is off in processes of a run that leave speaking to the first one.
        """
        self._speaks = speaks
        self._total = total
        self._done = done
        self._stream = sys.stderr if stream is None else stream
        self._held_out: float | None = None
        self._last_line = 0.0
        self._rates: deque[StepRecord] = deque(maxlen=_RATE_STEPS)
        self._bar: Progress | None = None
        self._task = TaskID(0)
        if speaks and self._stream.isatty():
            console = Console(file=self._stream, width=width)
            self._bar = Progress(
                TextColumn("{task.description}"), BarColumn(bar_width=None), console=console
            )

    def __enter__(self) -> Display:
        """Show the bar."""
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(
                f"step {self._done}/{self._total}", total=self._total, completed=self._done
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the last state on the screen, and the cursor visible."""
        if self._bar is not None:
            self._bar.stop()

    def step(self, record: StepRecord) -> None:
        """Account for one step."""
        self._done = record.step
        self._rates.append(record)
        line = self._summary(record)
        if self._bar is not None:
            self._bar.update(self._task, completed=record.step, description=line)
            return
        now = time.monotonic()
        if now - self._last_line >= _EVERY_SECONDS or record.step == self._total:
            self._last_line = now
            self._write(line)

    def held_out(self, step: int, loss: float, *, best: bool) -> None:
        """Account for a held-out measurement."""
        self._held_out = loss
        self.say(f"step {step}/{self._total}: held-out loss {loss:.4f}{' (best)' if best else ''}")

    def say(self, line: str) -> None:
        """Show one line of text, above the bar."""
        if self._bar is not None:
            self._bar.console.print(Text(line))
        else:
            self._write(line)

    def _summary(self, record: StepRecord) -> str:
        seconds = sum(step.seconds for step in self._rates)
        tokens = sum(step.tokens for step in self._rates)
        left = seconds / len(self._rates) * (self._total - record.step)
        parts = [f"step {record.step}/{self._total}", f"loss {record.loss:.3f}"]
        if self._held_out is not None:
            parts.append(f"held out {self._held_out:.3f}")
        parts.append(f"{tokens / max(seconds, 1e-9):,.0f} tokens/s")
        parts.append(f"{duration(left)} left")
        return "  ".join(parts)

    def _write(self, line: str) -> None:
        if self._speaks:
            print(line, file=self._stream, flush=True)


def duration(seconds: float) -> str:
    """`4:05` or `1:02:03`."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes}:{second:02}"
