"""CSV and TSV: the first line names the columns; every cell is text.

    question,answer
    "Is it open, on Sunday?",Yes

The delimiter of a `.csv` is the one of comma, semicolon and tab that splits the first line
most often; a file without comma says so. Quotes may enclose line breaks.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tunesmith.contracts import JsonObject, RawRow
from tunesmith.data.columns import printable
from tunesmith.data.lines import MAX_ROW_BYTES, text_lines, too_long
from tunesmith.errors import DataError, Place

_NAMES = {",": "comma", ";": "semicolon", "\t": "tab"}


def rows(path: Path, notice: Callable[[str], None]) -> Iterator[RawRow]:
    """The records of a file, each with the line on which it begins.

    Raises:
        DataError: unclosed quote, a record with too few or too many cells, bad column names.
    """
    lines = _Lines(path)
    delimiter = _delimiter(path, lines, notice)
    csv.field_size_limit(MAX_ROW_BYTES)
    records = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] = []
    while True:
        begins = lines.number + 1
        try:
            record = next(records, None)
        except csv.Error as error:
            raise _fault(path, begins, lines.number, str(error)) from None
        if record is None:
            return
        if not record:
            continue
        place = Place(file=path, line=begins)
        if not header:
            header = column_names(record, place)
        elif len(record) != len(header):
            raise DataError(
                f"{len(record)} cells where the first line names {len(header)} columns",
                hint=f'enclose a cell that holds a {_NAMES[delimiter]} or a line break in "quotes"',
                place=place,
            )
        else:
            yield RawRow(values=JsonObject(zip(header, record, strict=True)), place=place)


def column_names(cells: list[str], place: Place) -> list[str]:
    """The first line's cells as names of columns.

    Raises:
        DataError: a name is empty, or occurs twice.
    """
    header = [cell.strip() for cell in cells]
    for name, count in Counter(header).items():
        if not name:
            raise DataError(
                f"column {header.index(name) + 1} has no name",
                hint="name every column in the first line; "
                "pandas writes a column without a name unless index=False",
                place=place,
            )
        if count > 1:
            raise DataError(
                f"two columns are called {printable(name)}",
                hint="rename or remove one of them",
                place=place,
            )
    return header


class _Lines:
    """The lines of a file for the csv module, with the number of the last one taken."""

    def __init__(self, path: Path) -> None:
        self._lines = text_lines(path)
        self._first = next(self._lines, (0, ""))[1]
        self.first = self._first
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.number == 0 and self._first:
            self.number = 1
            return self._first
        self.number, line = next(self._lines)
        return line


def _delimiter(path: Path, lines: _Lines, notice: Callable[[str], None]) -> str:
    if path.name.lower().removesuffix(".gz").endswith((".tsv", ".tab")):
        return "\t"
    unquoted = "".join(lines.first.split('"')[::2])
    best = max(_NAMES, key=unquoted.count)
    if best != "," and unquoted.count(best):
        notice(f"{path.name}: columns are separated by {_NAMES[best]}")
        return best
    return ","


def _fault(path: Path, begins: int, ends: int, message: str) -> DataError:
    place = Place(file=path, line=begins)
    if "field larger" in message:
        return too_long(place)
    if "unexpected end" in message:
        return DataError(
            f"a quote is opened and never closed (the file ends at line {ends})",
            hint='close the quote; a quote inside a cell is written twice: ""',
            place=place,
        )
    return DataError(
        f"not CSV: {message}",
        hint='a cell with quotes is enclosed in quotes, and each inner one written twice: ""',
        place=place,
    )
