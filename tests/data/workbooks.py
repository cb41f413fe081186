"""Writes XLSX files by hand: only so can a test leave a value out or damage a part."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?><Types '
    'xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default '
    'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override '
    'PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument'
    '.spreadsheetml.sheet.main+xml"/></Types>'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

Cell = str | float | None


def formula(expression: str, value: str | None) -> str:
    """A cell's inner XML; without a value as programs write it that do not compute."""
    return f"\0<f>{expression}</f>" + ("" if value is None else f"<v>{value}</v>")


def write_workbook(
    path: Path, sheets: dict[str, Sequence[Sequence[Cell]]], merged: str = ""
) -> Path:
    """Sheets of rows; a text that begins with NUL is taken as XML (see `formula`)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="r1" '
            f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        names = "".join(
            f'<sheet name="{name}" sheetId="{number}" r:id="r{number}"/>'
            for number, name in enumerate(sheets, start=1)
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{names}</sheets></workbook>',
        )
        targets = "".join(
            f'<Relationship Id="r{number}" Type="{_OFFICE}/worksheet" '
            f'Target="worksheets/sheet{number}.xml"/>'
            for number in range(1, len(sheets) + 1)
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}">{targets}</Relationships>',
        )
        for number, rows in enumerate(sheets.values(), start=1):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", _sheet(rows, merged))
    return path


def _sheet(rows: Sequence[Sequence[Cell]], merged: str) -> str:
    lines = "".join(
        f'<row r="{number}">{"".join(_cells(number, cells))}</row>'
        for number, cells in enumerate(rows, start=1)
    )
    merge = f'<mergeCells><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{lines}</sheetData>{merge}</worksheet>'


def _cells(number: int, cells: Sequence[Cell]) -> list[str]:
    out: list[str] = []
    for letter, cell in zip("ABCDEFGH", cells, strict=False):
        match cell:
            case None:
                continue
            case str() if cell.startswith("\0"):
                out.append(f'<c r="{letter}{number}">{cell[1:]}</c>')
            case str():
                out.append(
                    f'<c r="{letter}{number}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
                )
            case _:
                out.append(f'<c r="{letter}{number}"><v>{cell}</v></c>')
    return out
