"""The tokens of a source, made in durable parts: a killed preparation repeats no finished one.

    tokens/<key>.parts/part-00000/     packed rows of the first ROWS_PER_PART examples
                       part-00001.lock held by the process that makes this part

A part depends on its examples alone, so it does not matter which process makes it, or when:
processes (`worker`) that read the same files make every part that is missing and that
nobody else makes. A damaged part is noticed when it is opened, and made again.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tunesmith.contracts import ROWS_PER_EXAMPLE, Example, Json, JsonObject, RawRow
from tunesmith.data.cache import discard
from tunesmith.data.coding import Coding, coded
from tunesmith.data.examples import FileExamples, rows_of
from tunesmith.data.provenance import StampedSource, check_still
from tunesmith.data.recognise import format_called
from tunesmith.data.store import PackedRow, PackedRows, open_packed, write_packed
from tunesmith.errors import DataError
from tunesmith.runs.fault import reach

ROWS_PER_PART = 16_384
"""Examples of a part: about ten seconds of work."""
_IN_USE = "in-use.lock"
Row = tuple[FileExamples, RawRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsTask:
    """What is to be made, and where."""

    stamped: StampedSource
    coding: Coding
    folder: Path
    rows_per_part: int

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the source, in order."""
        return tuple(Path(stamp.path) for stamp in self.stamped.files)

    def part(self, number: int) -> Path:
        """The folder of a part: it exists when the part is finished."""
        return self.folder / f"part-{number:05}"


def make_missing(task: PartsTask, progress: Callable[[int], None] = lambda _: None) -> int:
    """Read the source once, and make each part that is missing and that nobody else makes.

    Args:
        task: what to make.
        progress: told how many examples were passed.

    Returns:
        How many parts the source has.

    Raises:
        DataError, TemplateError: a row cannot be used; its part stays missing.
    """
    rows = rows_of(task.files, task.stamped.source)
    for number in itertools.count():
        first = number * task.rows_per_part
        part = itertools.islice(rows, task.rows_per_part)
        head = next(part, None)
        if head is None:
            return number
        batch = itertools.chain([head], part)
        if not task.part(number).exists():
            with claimed(task.part(number)) as ours:
                if ours and not task.part(number).exists():
                    _make(task, number, _told(batch, first, progress))
        deque(_told(batch, first, progress), maxlen=0)
    raise AssertionError("counting does not end")


def open_parts(task: PartsTask, count: int) -> tuple[PackedRows, ...] | None:
    """The parts, every byte checked; None where one is missing, or was damaged and is removed."""
    opened: list[PackedRows] = []
    for number in range(count):
        with claimed(task.part(number), wait=True):
            try:
                opened.append(open_packed(task.part(number)))
            except DataError:
                shutil.rmtree(task.part(number), ignore_errors=True)
    return tuple(opened) if len(opened) == count else None


@contextmanager
def claimed(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Whether this process alone may make or remove `path`; let go even by a killed one."""
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield _locked(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    finally:
        os.close(descriptor)


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """The folder, made where it is absent, and kept from being discarded."""
    descriptor = -1
    while descriptor < 0:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(folder / _IN_USE, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            continue  # discarded in between
        _locked(descriptor, fcntl.LOCK_SH)
        if not (folder / _IN_USE).exists():
            os.close(descriptor)
            descriptor = -1
    try:
        yield
    finally:
        os.close(descriptor)


def discard_parts(folder: Path) -> None:
    """Delete the parts, unless a process works with them: that one does it then."""
    try:
        descriptor = os.open(folder / _IN_USE, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        if _locked(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB):
            discard(folder)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation)
    except BlockingIOError:
        return False
    return True


def _told(rows: Iterable[Row], first: int, progress: Callable[[int], None]) -> Iterator[Row]:
    for done, row in enumerate(rows, first + 1):
        yield row
        progress(done)


def _make(task: PartsTask, number: int, batch: Iterator[Row]) -> None:
    ordinals = {str(path): str(ordinal) for ordinal, path in enumerate(task.files)}
    notices: dict[str, None] = {}
    extra: JsonObject = {}
    head = next(batch)
    gives = format_called(head[0].format).GIVES

    def notice(sentence: str) -> None:
        notices[sentence] = None

    usable = itertools.count()
    faults: list[Json] = []

    def fault(index: int, error: DataError) -> None:
        faults.append([index, error.rule, error.what, error.hint])

    def examples() -> Iterator[Example]:
        for read, row in itertools.chain([head], batch):
            example = read.usable(row)
            if example is not None:
                next(usable)
                yield example

    def rows() -> Iterator[PackedRow]:
        first = number * task.rows_per_part
        for packed in coded(examples(), task.coding, first=first, notice=notice, fault=fault):
            place = replace(packed.row.place, file=ordinals[str(packed.row.place.file)])
            yield replace(packed, row=replace(packed.row, place=place))
        check_still(task.stamped)
        extra.update(notices=list(notices), faults=faults, usable=next(usable))

    write_packed(task.part(number), rows(), extra, rows_per_example=ROWS_PER_EXAMPLE[gives])
    reach("part")
