"""Ctrl-C and SIGTERM: the first asks the loop to stop after this step, the second ends at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType, TracebackType

_WATCHED = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """While entered, remembers the first signal in `number` instead of dying from it.

    Handlers can be installed in the main thread only; elsewhere this does nothing, and
    whoever owns the main thread decides.
    """

    def __init__(self, *, speaks: bool = True) -> None:
        """Nothing has arrived yet; `speaks` is off where another process says it."""
        self.number: int | None = None
        self._speaks = speaks
        self._before: dict[int, signal.Handlers] = {}

    def __enter__(self) -> StopSignals:
        """Install the handlers."""
        if threading.current_thread() is threading.main_thread():
            for number in _WATCHED:
                before = signal.signal(number, self._arrived)
                self._before[number] = before  # type: ignore[assignment]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put the earlier handlers back."""
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before.clear()

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        if self.number is not None:
            # The progress bar hides the cursor; nobody else will show it again.
            if sys.stderr.isatty():
                os.write(2, b"\x1b[?25h\n")
            os._exit(128 + number)
        self.number = number
        if self._speaks:
            os.write(2, b"\nstopping after this step; once more stops at once, without saving it\n")
