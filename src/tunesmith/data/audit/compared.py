"""Texts that must not be trained on, out of the benchmark files that a recipe names.

{"question": "Natalia sold clips to ...", "answer": "72"}   ->   one text a row
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tunesmith.contracts import Json
from tunesmith.data.audit.contracts import Compared
from tunesmith.data.read import read_rows


def benchmark_texts(paths: Iterable[str]) -> tuple[Compared, ...]:
    """The rows of benchmark files, of any kind that is read and with any columns.

    Raises:
        DataError: a file cannot be read.
    """
    return tuple(
        Compared(name=Path(path).name, place=row.place, text="\n".join(_texts(row.values)))
        for path in paths
        for row in read_rows(path)
    )


def _texts(value: Json) -> Iterable[str]:
    """All words in a value, in order."""
    match value:
        case str():
            yield value
        case list():
            for entry in value:
                yield from _texts(entry)
        case dict():
            for entry in value.values():
                yield from _texts(entry)
