"""XLSX: the first sheet that holds anything; its first row names the columns.

    | question              | answer        |
    | Is it open on Sunday? | Yes, from 10. |

Every cell becomes text, as in CSV: 3 is "3", a date is in ISO form. A formula must carry
the value that the spreadsheet program computed.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from tunesmith.contracts import JsonObject, RawRow
from tunesmith.data.readers.delimited import column_names
from tunesmith.errors import DataError, Place

MAX_UNPACKED = 512 * 2**20
"""A workbook is unpacked in memory; beyond this use CSV or Parquet."""
_CELL = re.compile(rb"<c\b[^>]*?(?:/>|>.*?</c>)", re.DOTALL)
_REFERENCE = re.compile(rb'\br="([A-Z]+)(\d+)"')
_VALUE = re.compile(rb"<v\b[^>/]*>[^<]*[^<\s]|<is>")
_EMPTY_TEXT = re.compile(rb'<c\b[^>]*\bt="str".*<v', re.DOTALL)
"""A formula whose computed value is the empty text."""


def rows(path: Path, notice: Callable[[str], None]) -> Iterator[RawRow]:
    """The rows below the header; wholly empty ones are passed over.

    Raises:
        DataError: damaged, protected, too large, merged cells, formulas without a value.
    """
    _check_archive(path)
    try:
        with CalamineWorkbook.from_path(path) as book:
            sheet = _first_filled(path, book, notice)
            if sheet is None:
                return
            yield from _sheet_rows(path, sheet)
    except PasswordError:
        raise DataError(
            "the workbook is protected by a password",
            hint="save it without a password",
            place=Place(file=path),
        ) from None
    except CalamineError as error:
        raise _damaged(path, str(error)) from None


def _first_filled(
    path: Path, book: CalamineWorkbook, notice: Callable[[str], None]
) -> CalamineSheet | None:
    for name in book.sheet_names:
        sheet = book.get_sheet_by_name(name)
        if sheet.height:
            if len(book.sheet_names) > 1:
                others = ", ".join(other for other in book.sheet_names if other != name)
                notice(f"{path.name}: sheet {name} is read; these are not: {others}")
            return sheet
    return None


def _sheet_rows(path: Path, sheet: CalamineSheet) -> Iterator[RawRow]:
    for (row, column), _ in sheet.merged_cell_ranges or []:
        raise DataError(
            f"cells are merged, from row {row + 1}, column {column + 1} on",
            hint="unmerge them and fill each cell",
            place=Place(file=path, line=row + 1, column=column + 1),
        )
    header: list[str] = []
    first = (sheet.start or (0, 0))[0] + 1
    for number, cells in enumerate(sheet.to_python(skip_empty_area=True), start=first):
        texts = [_text(cell) for cell in cells]
        if not any(text.strip() for text in texts):
            continue
        place = Place(file=path, line=number)
        if not header:
            header = column_names(texts, place)
        else:
            yield RawRow(values=JsonObject(zip(header, texts, strict=True)), place=place)


def _text(cell: object) -> str:
    match cell:
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime() | date() | time():
            return cell.isoformat()
        case _:
            return str(cell)


def _check_archive(path: Path) -> None:
    """Refuse bombs before unpacking, and formulas whose value calamine would give as empty."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > MAX_UNPACKED or len(entries) > 10_000:
                raise DataError(
                    f"the workbook unpacks to more than {MAX_UNPACKED // 2**20} MB",
                    hint="export the sheet as CSV or Parquet",
                    place=Place(file=path),
                )
            for entry in entries:
                if entry.filename.startswith("xl/worksheets/") and entry.file_size:
                    _check_formulas(path, archive.read(entry))
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
        raise _damaged(path, str(error)) from None


def _check_formulas(path: Path, xml: bytes) -> None:
    if b"<!ENTITY" in xml or b"<!DOCTYPE" in xml:
        raise _damaged(path, "it declares XML entities")
    if b"<f" not in xml:
        return
    for match in _CELL.finditer(xml):
        cell = match.group()
        if b"<f" in cell and not _VALUE.search(cell) and not _EMPTY_TEXT.match(cell):
            reference = _REFERENCE.search(cell)
            name, line = (
                (b"".join(reference.groups()).decode(), int(reference[2])) if reference else ("", 0)
            )
            raise DataError(
                f"the formula in cell {name} has no computed value",
                hint="open the file in a spreadsheet program and save it, "
                "or replace formulas by their values",
                place=Place(file=path, line=line),
            )


def _damaged(path: Path, why: str) -> DataError:
    return DataError(
        f"the workbook is damaged ({why})",
        hint="open it in a spreadsheet program and save it again as .xlsx",
        place=Place(file=path),
    )
