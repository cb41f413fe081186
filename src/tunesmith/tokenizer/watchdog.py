"""A time limit for Python code that may never end, on any thread.

A chat template is a program of a stranger; the sandbox bounds what it may touch, not how long
it runs. One daemon thread watches the deadlines of all threads and raises `TimeUp` inside a
thread that is late, between two of its bytecodes; it ends itself when there is nothing to do.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LOOKS_EVERY = 0.1
_IDLE_LOOKS = 50


class TimeUp(BaseException):
    """Raised inside the late code; not an Exception, so that no library swallows it."""


class _Watch:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deadlines: dict[int, float] = {}
        self._raised: set[int] = set()
        self._thread: threading.Thread | None = None

    def enter(self, thread: int, seconds: float) -> None:
        with self._lock:
            self._deadlines[thread] = time.monotonic() + seconds
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()

    def leave(self, thread: int) -> None:
        with self._lock:
            self._deadlines.pop(thread, None)
            if thread in self._raised:
                # Raised, perhaps not delivered yet: it must not strike later code.
                self._raised.discard(thread)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None)

    def _run(self) -> None:
        idle = 0
        while True:
            time.sleep(_LOOKS_EVERY)
            now = time.monotonic()
            with self._lock:
                idle = 0 if self._deadlines else idle + 1
                if idle > _IDLE_LOOKS:
                    self._thread = None
                    return
                for thread in [key for key, end in self._deadlines.items() if end < now]:
                    del self._deadlines[thread]
                    self._raised.add(thread)
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(
                        ctypes.c_ulong(thread), ctypes.py_object(TimeUp)
                    )


_watch = _Watch()


def _fresh_after_fork() -> None:
    global _watch
    _watch = _Watch()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_fresh_after_fork)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TimeUp` in this thread when the body runs longer than `seconds`.

    One C call that never returns cannot be interrupted; bound its arguments instead.
    """
    thread = threading.get_ident()
    watch = _watch
    try:
        watch.enter(thread, seconds)
        try:
            yield
        finally:
            watch.leave(thread)
    except TimeUp:
        watch.leave(thread)
        raise
