"""Rows out of any file that we read, one at a time: `read_rows("tickets.jsonl")`.

    {"question": "Is it open on Sunday?", "answer": "Yes, from 10."}   tickets.jsonl:1

The ending of the name chooses the reader; the first bytes must agree with it. A folder is
the files in it, sorted by name. `bundled:NAME` is a file that ships with us.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from tunesmith.bundled import bundled_path, is_bundled
from tunesmith.contracts import RawRow
from tunesmith.data.columns import nearest
from tunesmith.data.origin_documents import is_description
from tunesmith.data.readers import (
    delimited,
    json_document,
    json_lines,
    parquet,
    plain,
    workbook,
)
from tunesmith.errors import DataError, InputError, Place

Reader = Callable[[Path, Callable[[str], None]], Iterator[RawRow]]

_TEXT_READERS: dict[str, Reader] = {
    ".jsonl": json_lines.rows,
    ".ndjson": json_lines.rows,
    ".json": json_document.rows,
    ".csv": delimited.rows,
    ".tsv": delimited.rows,
    ".tab": delimited.rows,
    ".txt": plain.rows,
    ".text": plain.rows,
    ".md": plain.rows,
}
READERS: dict[str, Reader] = {
    **_TEXT_READERS,
    **{f"{ending}.gz": reader for ending, reader in _TEXT_READERS.items()},
    ".parquet": parquet.rows,
    ".xlsx": workbook.rows,
}
"""What reads which ending."""
_NAMED = f"{', '.join(_TEXT_READERS)} (each also with .gz), .parquet, .xlsx"
_DOCUMENTS = (".txt", ".text", ".md")
_MAGIC = {
    b"PAR1": "Parquet",
    b"PK\x03\x04": "an XLSX or ZIP archive",
    b"\x1f\x8b": "gzip",
    b"\xd0\xcf\x11\xe0": "an old or password-protected Office file",
    b"\xfd7zXZ": "xz",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"%PDF": "PDF",
    b"SQLite format 3": "an SQLite database",
    b"ARROW1": "Arrow",
    b"\x80\x04\x95": "a Python pickle",
    b"version https://git-lfs": "a Git LFS pointer, not the data itself",
    b"<!DOCTYPE": "a web page",
    b"<!doctype": "a web page",
    b"<html": "a web page",
}


def read_rows(path: str | Path, notice: Callable[[str], None] = lambda _: None) -> Iterator[RawRow]:
    """The rows of a file or folder, streaming.

    Args:
        path: a file, a folder, or `bundled:NAME`.
        notice: told, in a sentence, what was decided for the user.

    Raises:
        DataError: something cannot be read; file, line and column are named.
    """
    for file in files_of(path, notice):
        yield from READERS[ending_of(file)](file, notice)


def files_of(path: str | Path, notice: Callable[[str], None] = lambda _: None) -> tuple[Path, ...]:
    """The files that a path names, each checked to be what its ending says.

    Raises:
        DataError: absent, not readable, not a file, empty, or of another kind.
    """
    if isinstance(path, str) and is_bundled(path):
        try:
            found = bundled_path(path)
        except InputError as error:
            raise DataError(error.what, hint=error.hint) from None
    else:
        found = Path(path).expanduser() if str(path).startswith("~/") else Path(path)
    mode = _mode(found)
    if not stat.S_ISDIR(mode):
        _check_file(found, mode)
        return (found,)
    files = _in_folder(found, notice)
    for file in files:
        _check_file(file, _mode(file))
    return files


def ending_of(path: Path) -> str:
    """`.csv` or `.csv.gz`: the part of the name that chooses the reader."""
    name = path.name.lower()
    ending = Path(name).suffix
    return Path(name.removesuffix(".gz")).suffix + ".gz" if ending == ".gz" else ending


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        raise DataError(_absent(path), hint=_absent_hint(path), place=Place(file=path)) from None
    except (OSError, ValueError) as error:
        reason = error.strerror or "not a path" if isinstance(error, OSError) else str(error)
        raise DataError(
            f"cannot be opened: {reason}",
            hint="check the path and its links",
            place=Place(file=Path(str(path)[:200].replace("\0", "\\0"))),
        ) from None


def _absent(path: Path) -> str:
    return "the link leads nowhere" if path.is_symlink() else "there is no such file or folder"


def _absent_hint(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"the folder {folder} does not exist either"
    suggestion = nearest(path.name, (entry.name for entry in folder.iterdir()))
    return f"{suggestion}looked in {folder.resolve()}"


def _in_folder(folder: Path, notice: Callable[[str], None]) -> tuple[Path, ...]:
    visible = sorted(
        entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith(".")
    )
    visible = [entry for entry in visible if not is_description(entry)]
    known = [entry for entry in visible if ending_of(entry) in READERS]
    tables = [entry for entry in known if not ending_of(entry).startswith(_DOCUMENTS)]
    taken = tables or known
    passed_over = [entry.name for entry in visible if entry not in taken]
    if not taken:
        raise DataError(
            "the folder holds no file that can be read",
            hint=f"these can: {_NAMED}",
            place=Place(file=folder),
        )
    if passed_over:
        notice(f"{folder.name}: not read: {', '.join(passed_over)}")
    return tuple(taken)


def _check_file(path: Path, mode: int) -> None:
    place = Place(file=path)
    if not stat.S_ISREG(mode):
        raise DataError(
            "not a regular file (a pipe, device or socket)",
            hint="write the rows to a file first",
            place=place,
        )
    if not os.access(path, os.R_OK):
        raise DataError("no permission to read the file", hint=f"chmod u+r {path}", place=place)
    ending = ending_of(path)
    if ending not in READERS:
        raise DataError(
            f"files ending in {ending or 'nothing'} are not read",
            hint=f"{nearest(ending, READERS)}these are: {_NAMED}",
            place=place,
        )
    with path.open("rb") as file:
        start = file.read(32)
    if not start:
        raise DataError("the file is empty", hint="write rows into it", place=place)
    _check_magic(start, ending, place)


def _check_magic(start: bytes, ending: str, place: Place) -> None:
    found = next((name for magic, name in _MAGIC.items() if start.startswith(magic)), "text")
    expected = "text"
    if ending.endswith(".gz"):
        expected = "gzip"
    elif ending == ".parquet":
        expected = "Parquet"
    elif ending == ".xlsx":
        expected = "an XLSX or ZIP archive"
    if found != expected and not (expected == "text" and ending in _DOCUMENTS and "web" in found):
        raise DataError(
            f"the name ends in {ending}, but the content is {found}",
            hint="save the workbook as .xlsx without a password"
            if "Office" in found
            else "give the file the ending of what it is, or convert it",
            place=place,
        )
