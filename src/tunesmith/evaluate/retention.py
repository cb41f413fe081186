"""General text to measure forgetting on: a text file, or the `.txt` files of a folder.

    The lighthouse had been dark for eleven years ...
    ---
    When the old king grew tired of flattery ...

Documents stand between lines of `---`. The part of a document is the name of its file, so
that a folder gives a figure for each of its files. Long documents are cut at paragraphs.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tunesmith.bundled import bundled_path, is_bundled
from tunesmith.errors import DataError, InputError, Place

MOST_CHARACTERS = 300_000
"""Text that is measured at most; beyond, documents are drawn with the seed."""
_LONGEST_DOCUMENT = 8_000
_LARGEST_FILE = 2**28
_SEPARATOR = re.compile(r"^---[ \t]*$", re.MULTILINE)

Document = tuple[str, str, Place]
"""Part, text, place."""


def read_documents(path: str, seed: int) -> tuple[Document, ...]:
    """The documents of `evaluate.retention`.

    Raises:
        DataError: there is no such file, it is not UTF-8 text, or it holds nothing.
        InputError: nothing of that name ships.
    """
    folder = bundled_path(path) if is_bundled(path) else Path(path).expanduser()
    files = sorted(folder.glob("*.txt")) if folder.is_dir() else [folder]
    documents = [document for file in files for document in _documents_of(file)]
    if not documents:
        raise DataError(
            "no text to measure forgetting on",
            hint="evaluate.retention names a text file, or a folder with .txt files",
            place=Place(file=folder),
        )
    order = np.random.default_rng([seed, len(documents)]).permutation(len(documents))
    chosen: list[int] = []
    room = MOST_CHARACTERS
    for index in order:
        room -= len(documents[index][1])
        if chosen and room < 0:
            break
        chosen.append(int(index))
    return tuple(documents[index] for index in sorted(chosen))


def _documents_of(file: Path) -> list[Document]:
    text = _text_of(file)
    documents: list[Document] = []
    start = 0
    for end, after in [*(match.span() for match in _SEPARATOR.finditer(text)), (len(text),) * 2]:
        for offset, piece in _pieces(text[start:end]):
            place = Place(file=file, line=text.count("\n", 0, start + offset) + 1)
            documents.append((file.stem, piece, place))
        start = after
    return documents


def _pieces(text: str) -> list[tuple[int, str]]:
    """The text without surrounding white space, cut after paragraphs where it is long."""
    pieces: list[tuple[int, str]] = []
    start = len(text) - len(text.lstrip())
    end = len(text.rstrip())
    while start < end:
        stop = min(end, start + _LONGEST_DOCUMENT)
        if stop < end:
            breaks = (text.rfind(mark, start + 1, stop) for mark in ("\n\n", "\n", " "))
            stop = next((found for found in breaks if found > start), stop)
        pieces.append((start, text[start:stop]))
        start = stop
        while start < end and text[start].isspace():
            start += 1
    return pieces


def _text_of(file: Path) -> str:
    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise DataError(
                "the file is larger than 256 MB",
                hint="a few hundred kilobytes of general text are enough",
                place=Place(file=file),
            )
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"the file is not UTF-8 text: {error.reason} at byte {error.start:,}",
            hint="save it as UTF-8",
            place=Place(file=file),
        ) from None
    except OSError as error:
        raise DataError(
            f"the text of evaluate.retention cannot be read: {error.strerror}",
            hint="check the path",
            place=Place(file=file),
        ) from None
    except ValueError:
        raise InputError(
            "evaluate.retention is no path", hint="give a text file or a folder"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
