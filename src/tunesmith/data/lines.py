"""Bytes to text: one line or one piece at a time, `.gz` included, every damage located.

A file is UTF-8 (a byte order mark is allowed). Anything else is refused with its line and
column: a wrong guess would be learnt by the model without anybody noticing.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tunesmith.errors import DataError, Place

MAX_ROW_BYTES = 64 * 2**20
"""Longest line or row; longer ones are damage or a wrong file type."""
BOMB_BYTES = 256 * 2**20
BOMB_RATIO = 200
"""A `.gz` that unpacks beyond both is refused; text packs 2 to 50 times."""
_PIECE = 2**20
_WIDE_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines with their number from 1; the line end is kept as it is in the file.

    Raises:
        DataError: not UTF-8, a NUL byte, a line beyond MAX_ROW_BYTES, a damaged `.gz`.
    """
    number, unpacked = 0, 0
    with _opened(path) as file:
        while line := _read(path, file, line_at_most=MAX_ROW_BYTES + 1):
            number += 1
            unpacked += len(line)
            if len(line) > MAX_ROW_BYTES:
                raise too_long(Place(file=path, line=number))
            _check_bomb(path, unpacked)
            if number == 1:
                line = _without_mark(path, line)
            yield number, _decoded(path, line, number)


def text_pieces(path: Path) -> Iterator[str]:
    """The text in pieces of about a megabyte, for files that are not made of lines.

    Raises:
        DataError: as for `text_lines`.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, column, unpacked, held = 1, 1, 0, b""
    with _opened(path) as file:
        while piece := _read(path, file):
            if not unpacked:
                piece = _without_mark(path, piece)
            unpacked += len(piece)
            _check_bomb(path, unpacked)
            held = decoder.getstate()[0]
            try:
                text = decoder.decode(piece)
            except UnicodeDecodeError:
                raise _damage(path, held + piece, line, column) from None
            if "\0" in text:
                raise _damage(path, held + piece, line, column)
            newlines = text.count("\n")
            line += newlines
            column = len(text) - text.rindex("\n") if newlines else column + len(text)
            yield text
    if decoder.getstate()[0]:
        raise _not_utf8(Place(file=path, line=line, column=column), "a cut-off character")


def too_long(place: Place) -> DataError:
    """The error for a line or row beyond the limit."""
    return DataError(
        f"longer than {MAX_ROW_BYTES // 2**20} MB",
        hint="this is damage, or not one row a line; split the text into rows",
        place=place,
    )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as raw:
        if path.suffix.lower() == ".gz":
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield unpacked  # type: ignore[misc]  # typeshed: GzipFile is no BinaryIO
        else:
            yield raw


def _read(path: Path, file: BinaryIO, line_at_most: int = 0) -> bytes:
    try:
        return file.readline(line_at_most) if line_at_most else file.read(_PIECE)
    except EOFError:
        raise DataError(
            "the .gz ends in the middle",
            hint="copy or download the file again",
            place=Place(file=path),
        ) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"the .gz is damaged ({error})",
            hint="copy or download the file again",
            place=Place(file=path),
        ) from None


def _check_bomb(path: Path, unpacked: int) -> None:
    if unpacked > BOMB_BYTES and path.suffix.lower() == ".gz":
        ratio = unpacked / path.stat().st_size
        if ratio > BOMB_RATIO:
            raise DataError(
                f"the .gz unpacks to more than {ratio:,.0f} times its size",
                hint="text does not pack like that; if the file is right, unpack it yourself",
                place=Place(file=path),
            )


def _without_mark(path: Path, start: bytes) -> bytes:
    for mark, name in _WIDE_MARKS.items():
        if start.startswith(mark):
            raise _wide(path, name)
    if start[:64].count(0) * 3 > len(start[:64]) > 1:
        raise _wide(path, "UTF-16")
    return start.removeprefix(codecs.BOM_UTF8)


def _wide(path: Path, name: str) -> DataError:
    return DataError(
        f"the file is {name}; UTF-8 is expected",
        hint=f"convert it: iconv -f {name} -t UTF-8 {path.name} > utf8-{path.name}",
        place=Place(file=path, line=1),
    )


def _decoded(path: Path, line: bytes, number: int) -> str:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise _damage(path, line, number, 1) from None
    if "\0" in text:
        raise _damage(path, line, number, 1)
    return text


def _damage(path: Path, data: bytes, line: int, column: int) -> DataError:
    """The error for the first byte of `data` that is NUL or not UTF-8."""
    try:
        before = data[: data.find(b"\0")].decode("utf-8")
        wrong = "NUL"
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        wrong = f"0x{data[error.start]:02x}"
    newlines = before.count("\n")
    column = len(before) - before.rindex("\n") if newlines else column + len(before)
    place = Place(file=path, line=line + newlines, column=column)
    if wrong != "NUL":
        return _not_utf8(place, wrong)
    return DataError(
        "a NUL byte", hint="the file is damaged or not text; remove the byte", place=place
    )


def _not_utf8(place: Place, byte: str) -> DataError:
    return DataError(
        f"not UTF-8 ({byte})",
        hint="save the file as UTF-8, or convert it: iconv -f WINDOWS-1252 -t UTF-8",
        place=place,
    )
