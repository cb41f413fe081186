"""Plain text: lines of `---` divide a file into documents, and long ones are cut into rows.

The first document.
---
The second document.

A document of more than PIECE characters becomes several rows, cut after a paragraph (an empty
line) or, where a paragraph is longer, after a line: all of it is learned from, in any context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tunesmith.contracts import RawRow
from tunesmith.data.lines import text_lines
from tunesmith.errors import Place

DIVIDER = "---"
PIECE = 2_000
"""Characters of a row at most, about 500 tokens; a single line is never cut."""


def rows(path: Path, notice: Callable[[str], None]) -> Iterator[RawRow]:
    """The pieces of a file as `{"text": ...}`; blank ones are passed over.

    Raises:
        DataError: not UTF-8, or a line beyond 64 MB.
    """
    lines: list[str] = []
    begins, size = 1, 0
    for number, line in text_lines(path):
        if line.strip() == DIVIDER:
            yield from _document(path, begins, lines)
            lines, begins, size = [], number + 1, 0
            continue
        while lines and size + len(line) > PIECE:
            notice(f"text of more than {PIECE:,} characters is cut into rows after paragraphs")
            cut = _paragraph_end(lines)
            yield from _document(path, begins, lines[:cut])
            size -= sum(map(len, lines[:cut]))
            lines, begins = lines[cut:], begins + cut
        lines.append(line)
        size += len(line)
    yield from _document(path, begins, lines)


def _paragraph_end(lines: list[str]) -> int:
    """How many lines go before the cut: to the last empty line, or all."""
    empty = (index for index in range(len(lines) - 1, 0, -1) if not lines[index].strip())
    return next(empty, len(lines) - 1) + 1


def _document(path: Path, begins: int, lines: list[str]) -> Iterator[RawRow]:
    text = "".join(lines)
    if text.strip():
        begins += len(text) - len(text.lstrip()) and text[: -len(text.lstrip())].count("\n")
        yield RawRow(values={"text": text.strip("\r\n")}, place=Place(file=path, line=begins))
