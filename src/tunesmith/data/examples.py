"""Examples out of a source: every row parsed, with its digest and its group.

    {"question": "Is it open?", "answer": "Yes."}   ->   Example(content=Conversation(...),
        place=tickets.jsonl:1, digest="5c1f...", group="90ab...")

Written and read back as JSON Lines for the stages that need the words and not the tokens:

    {"content": {"messages": [...]}, "file": "tickets.jsonl", "line": 1, "group": "90ab..."}
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunesmith.contracts import Example, JsonObject, RawRow
from tunesmith.data.columns import as_text, column
from tunesmith.data.content import content_as_json, content_from_json, digest_of, group_of
from tunesmith.data.read import READERS, ending_of, files_of
from tunesmith.data.readers import json_lines
from tunesmith.data.recognise import LOOKED_AT, Recognised, recognise
from tunesmith.errors import DataError, Place
from tunesmith.recipe import Source
from tunesmith.runs.durable import full_disk_named, sync_folder

MAX_FAULTS = 20
"""Faulty rows that are named at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileExamples:
    """One file of a source: the format of its rows, and the rows as they come."""

    path: Path
    format: str
    place: Place
    """Of its first row."""
    rows: Iterator[RawRow]
    """As they stand in the file; they are read once."""
    recognised: Recognised

    def example(self, row: RawRow) -> Example:
        """A row as an example.

        Raises:
            DataError: the row is wrong, with its place.
        """
        content = self.recognised.parse(row)
        return Example(
            content=content,
            place=row.place,
            digest=digest_of(content),
            group=group_of(content),
        )

    def usable(self, row: RawRow) -> Example | None:
        """A row as an example; None for one that cannot be used, which the audit names."""
        try:
            return self.example(row)
        except DataError:
            return None

    @property
    def examples(self) -> Iterator[Example]:
        """All rows that were not taken yet; see `parsed`."""
        return self.parsed(self.rows)

    def parsed(self, rows: Iterable[RawRow]) -> Iterator[Example]:
        """Examples until a row is faulty; from then on only the faults, to name them together.

        Raises:
            DataError: there are faults: the first, and up to 19 more with their lines.
        """
        faults: list[DataError] = []
        for row in rows:
            try:
                example = self.example(row)
            except DataError as error:
                faults.append(error)
                if len(faults) == MAX_FAULTS:
                    break
                continue
            if not faults:
                yield example
        if faults:
            raise together(faults)


def read_examples(
    source: Source, notice: Callable[[str], None] = lambda _: None
) -> Iterator[Example]:
    """The examples of all files of a source, streaming, in order.

    Raises:
        DataError: a file that cannot be read, or rows that cannot be used: the first, and
            up to 19 more with their lines.
        RecipeError: the source's `format` or `columns` name something that does not exist.
    """
    for file in files_of(source.path, notice):
        yield from read_file(file, source, notice).examples


def read_file(
    path: Path, source: Source, notice: Callable[[str], None] = lambda _: None
) -> FileExamples:
    """The examples of one file; its format is decided before this returns.

    Raises:
        DataError: the file cannot be read, is without rows, or its format is not known.
    """
    rows = READERS[ending_of(path)](path, notice)
    first = list(itertools.islice(rows, LOOKED_AT))
    if not first:
        raise DataError("the file holds no rows", hint="write rows into it", place=Place(file=path))
    recognised = recognise(first, source, notice)
    return FileExamples(
        path=path,
        format=recognised.name,
        place=first[0].place,
        rows=itertools.chain(first, rows),
        recognised=recognised,
    )


def rows_of(
    files: Iterable[Path], source: Source, notice: Callable[[str], None] = lambda _: None
) -> Iterator[tuple[FileExamples, RawRow]]:
    """The rows of several files, one after the other, each with its file; not parsed yet.

    Raises:
        DataError: a file cannot be read, or its format is not known.
    """
    for path in files:
        read = read_file(path, source, notice)
        for row in read.rows:
            yield read, row


def together(faults: Sequence[DataError]) -> DataError:
    """One error that names up to MAX_FAULTS faulty rows, each with its place."""
    first = faults[0]
    if len(faults) == 1:
        return first
    count = f"at least {len(faults) - 1}" if len(faults) == MAX_FAULTS else str(len(faults) - 1)
    others = "".join(f"\n  {fault.place}: {fault.what}" for fault in faults[1:])
    return DataError(
        f"{first.what}; {count} more rows cannot be used:{others}",
        hint=first.hint,
        place=first.place,
    )


def write_examples(path: Path, examples: Iterable[Example]) -> int:
    """Write examples for `load_examples`; the file appears only when it is complete.

    Returns:
        How many were written.

    Raises:
        ResourceError: the disk is full.
    """
    count = 0
    temporary = path.with_name(f".writing-{path.name}")
    with full_disk_named(path), temporary.open("w", encoding="utf-8", newline="\n") as file:
        for example in examples:
            line: JsonObject = {
                "content": content_as_json(example.content),
                "file": str(example.place.file),
                "line": example.place.line,
                "group": example.group,
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)
    return count


def load_examples(path: Path) -> Iterator[Example]:
    """What `write_examples` wrote.

    Raises:
        DataError: the file is not what it wrote.
    """
    for row in json_lines.rows(path, lambda _: None):
        try:
            yield _loaded(row.values)
        except DataError as error:
            raise DataError(error.what, hint="prepare the data again", place=row.place) from None


def _loaded(values: JsonObject) -> Example:
    raw, line = column(values, "content"), column(values, "line")
    if not isinstance(raw, dict) or not isinstance(line, int):
        raise DataError("this is no example", hint="prepare the data again")
    content = content_from_json(raw)
    return Example(
        content=content,
        place=Place(file=as_text(column(values, "file"), "file"), line=line),
        digest=digest_of(content),
        group=as_text(column(values, "group"), "group"),
    )
