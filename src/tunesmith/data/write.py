"""Rows into a file, one at a time: what `read` reads, written.

    with writer("clean.jsonl", path) as add:
        add({"question": "Is it open?", "answer": "Yes."})

The ending of the name chooses the kind of file. JSON is written row by row; tables (CSV and
Parquet) need all columns first, so their rows wait in a temporary file.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from tunesmith.contracts import Json, JsonObject
from tunesmith.data.columns import nearest
from tunesmith.data.read import ending_of
from tunesmith.data.tables import WaitingRows, write_delimited, write_parquet
from tunesmith.errors import DataError, Place

Add = Callable[[JsonObject], None]
_LINES = (".jsonl", ".ndjson")
_DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_TEXTS = (*_LINES, ".json", *_DELIMITERS)
WRITTEN = (*_TEXTS, *(f"{ending}.gz" for ending in _TEXTS), ".parquet")


def require_writable(path: Path) -> None:
    """Refuse a name whose ending says a kind of file that is not written.

    Raises:
        DataError: it does.
    """
    ending = ending_of(path)
    if ending not in WRITTEN:
        raise DataError(
            f"files ending in {ending or 'nothing'} are not written",
            hint=f"{nearest(ending, WRITTEN)}these are: {', '.join(_TEXTS)} (each also with .gz), "
            ".parquet",
            place=Place(file=path),
        )


def holds_nested_as_text(path: Path) -> bool:
    """Whether lists and objects become JSON in text there, as in every delimited file."""
    return ending_of(path).removesuffix(".gz") in _DELIMITERS


def as_line(row: Json) -> str:
    """JSON on one line, with its line end; characters stand as themselves."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


@contextlib.contextmanager
def writer(name: Path, path: Path) -> Iterator[Add]:
    """A function that takes the rows, until the block ends.

    Args:
        name: the final name, whose ending decides.
        path: the file that is written.
    """
    ending = ending_of(name)
    kind = ending.removesuffix(".gz")
    if kind == ".parquet":
        with WaitingRows() as waiting:
            yield waiting.add
            write_parquet(path, waiting)
        return
    with _text(path, packed=ending.endswith(".gz")) as file:
        if kind in _LINES:
            yield lambda row: _write(file, as_line(row))
        elif kind == ".json":
            yield from _array(file)
        else:
            with WaitingRows() as waiting:
                yield waiting.add
                write_delimited(file, waiting, _DELIMITERS[kind])


def _write(file: TextIO, text: str) -> None:
    file.write(text)


def _array(file: TextIO) -> Iterator[Add]:
    """One row a line between brackets."""
    before = "[\n"

    def add(row: JsonObject) -> None:
        nonlocal before
        file.write(before + as_line(row).rstrip("\n"))
        before = ",\n"

    yield add
    file.write("\n]\n" if before == ",\n" else "[]\n")


@contextlib.contextmanager
def _text(path: Path, *, packed: bool) -> Iterator[TextIO]:
    with path.open("wb") as raw, contextlib.ExitStack() as stack:
        file: BinaryIO = raw
        if packed:  # without name and time, so that the same rows give the same bytes
            packing = gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0)
            file = stack.enter_context(packing)  # type: ignore[assignment]  # no BinaryIO to typeshed
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        text.flush()
        text.detach()
