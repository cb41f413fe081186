"""Checks at work: each row is shown to them, and what they find is logged.

For large data this happens in a process of its own, beside the one that reads, keeps and
sketches the rows (`watching_beside`): it reads the same files by itself, and its checks come
back when it is done, to look back at single rows. What is found does not depend on it.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tunesmith.data.audit.contracts import AuditRow, Found, Looker
from tunesmith.data.audit.log import FindingLog
from tunesmith.data.audit.rows import PlaceList, as_row
from tunesmith.data.examples import rows_of
from tunesmith.data.provenance import StampedSource
from tunesmith.errors import Place, TunesmithError

LARGE = 2**23
"""Bytes of data from which a process is started: below, starting it costs more."""
_PROGRAM = "from tunesmith.data.audit.watch import work; work()"


class Watch:
    """Shows rows to checks, and logs what they find."""

    def __init__(self, lookers: Mapping[str, Looker], log: FindingLog, places: PlaceList) -> None:
        """Begin.

        Args:
            lookers: see every row.
            log: takes what they find.
            places: of the rows so far.
        """
        self._lookers = lookers
        self._log = log
        self._places = places

    def show(self, row: AuditRow) -> None:
        """Let every check see a row."""
        for looker in self._lookers.values():
            for found in looker.see(row):
                place = found.place or row.place
                self._log.add(
                    found, place=place, row_hash=row.digest, other=other_place(found, self._places)
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    parent: int
    parts: tuple[StampedSource, ...]
    lookers: dict[str, Looker]
    log: FindingLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the checks have become after all rows, and what they found."""

    lookers: dict[str, Looker]
    log: FindingLog


class Beside:
    """A process at work; `join` waits for what it found."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        """Follow a process that was given its order."""
        self._process = process

    def join(self) -> Watched | None:
        """What it found; None where it failed, so that it is to be done here.

        What is wrong with a file or a check is met here again, and told to the user.
        """
        assert self._process.stdout is not None, "it was asked for"
        body = self._process.stdout.read()
        if self._process.wait() != 0:
            return None
        watched = pickle.loads(body)
        assert isinstance(watched, Watched), "the worker sends one"
        return watched


@contextmanager
def watching_beside(
    parts: Sequence[StampedSource], lookers: Mapping[str, Looker], log: FindingLog
) -> Iterator[Beside | None]:
    """The checks in a process of their own while the block runs; None for small data.

    Args:
        parts: what is read.
        lookers: the checks before their first row.
        log: an empty one for what they find.
    """
    size = sum(stamp.bytes for part in parts for stamp in part.files)
    if size < LARGE or _cores() < 2 or not sys.executable or not lookers:
        yield None
        return
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None and process.stdout is not None, "they were asked for"
    order = _Order(parent=os.getpid(), parts=tuple(parts), lookers=dict(lookers), log=log)
    try:
        try:
            with process.stdin as pipe:
                pipe.write(pickle.dumps(order))
        except BrokenPipeError:
            pass  # it could not start: `join` says so
        yield Beside(process)
    finally:
        process.stdout.close()
        process.terminate()
        process.wait()


def work() -> None:
    """The life of the process: its order comes on the standard input, from its parent."""
    order = pickle.load(sys.stdin.buffer)
    assert isinstance(order, _Order), "the parent sends one"
    places = PlaceList()
    watch = Watch(order.lookers, order.log, places)
    try:
        for number, part in enumerate(order.parts):
            for file, row in rows_of((Path(stamp.path) for stamp in part.files), part.source):
                example = file.usable(row)
                if example is not None:
                    watch.show(as_row(places.add(number, example.place), number, example))
                if os.getppid() != order.parent:
                    sys.exit("the parent is gone")
    except TunesmithError as error:
        sys.exit(str(error))
    sys.stdout.buffer.write(pickle.dumps(Watched(lookers=order.lookers, log=order.log)))


def other_place(found: Found, places: PlaceList) -> Place | None:
    """Where the other row of a pair stands."""
    return found.elsewhere if found.other is None else places.place(found.other)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
