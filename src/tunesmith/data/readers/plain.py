"""Plain text: a file is one document, unless lines of `---` divide it into several.

The first document.
---
The second document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tunesmith.contracts import RawRow
from tunesmith.data.lines import MAX_ROW_BYTES, text_lines, too_long
from tunesmith.errors import Place

DIVIDER = "---"


def rows(path: Path, notice: Callable[[str], None]) -> Iterator[RawRow]:
    """The documents of a file as `{"text": ...}`; blank ones are passed over.

    Raises:
        DataError: not UTF-8, or a document beyond 64 MB.
    """
    document: list[str] = []
    begins, size = 1, 0
    for number, line in text_lines(path):
        if line.strip() == DIVIDER:
            yield from _document(path, begins, document)
            document, begins, size = [], number + 1, 0
            continue
        size += len(line)
        if size > MAX_ROW_BYTES:
            raise too_long(Place(file=path, line=begins))
        document.append(line)
    yield from _document(path, begins, document)


def _document(path: Path, begins: int, lines: list[str]) -> Iterator[RawRow]:
    text = "".join(lines)
    if text.strip():
        begins += len(text) - len(text.lstrip()) and text[: -len(text.lstrip())].count("\n")
        yield RawRow(values={"text": text.strip("\r\n")}, place=Place(file=path, line=begins))
