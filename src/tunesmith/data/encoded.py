"""A source in tokens: made in parts the first time, and found in the cache ever after.

    files -> parts of rows (parts.py) -> one packed folder in the cache -> EncodedSource

Rows are kept before truncation, so that another `max_length` needs no new tokens.

Shapes: R rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.contracts import Json, JsonObject
from tunesmith.data.cache import cache_folder, cached
from tunesmith.data.coding import Coding
from tunesmith.data.content import canonical
from tunesmith.data.gather import everything, gather_packed
from tunesmith.data.parts import (
    ROWS_PER_PART,
    PartsTask,
    discard_parts,
    in_use,
    make_missing,
    open_parts,
)
from tunesmith.data.provenance import VERSION, StampedSource
from tunesmith.data.store import PackedRows
from tunesmith.data.worker import workers
from tunesmith.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFault:
    """An example that cannot be made into tokens, such as one with a special token in a text."""

    example: int
    rule: str
    what: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedSource:
    """A source in tokens, before truncation."""

    packed: PackedRows
    example_R: NDArray[np.int64] = field(repr=False)
    """The example of each row, counted without those that the format cannot read."""
    notices: tuple[str, ...] = ()
    faults: tuple[TokenFault, ...] = ()
    """Examples that are passed over."""


def encode_source(
    stamped: StampedSource, coding: Coding, progress: Callable[[int], None]
) -> EncodedSource:
    """The tokens of a source, from the cache where they were made before.

    Raises:
        DataError, RecipeError: a file cannot be read, or changes meanwhile.
        TemplateError, DataError: a row whose mask cannot be proved, with its place.
    """
    deciding: JsonObject = {
        "version": VERSION,
        "source": stamped.deciding(),
        "coding": coding.as_json(),
    }
    key = sha256(canonical(deciding).encode()).hexdigest()
    parts = PartsTask(
        stamped=stamped,
        coding=coding,
        folder=cache_folder() / f"{key}.parts-{ROWS_PER_PART}",
        rows_per_part=ROWS_PER_PART,
    )
    opened = cached(key, lambda folder: _encode(folder, parts, progress))
    discard_parts(parts.folder)
    names = tuple(stamp.path for stamp in stamped.files)
    packed = replace(opened, files=tuple(names[int(ordinal)] for ordinal in opened.files))
    return EncodedSource(
        packed=packed,
        example_R=_counted(packed, packed.example_of),
        notices=_notices([opened]),
        faults=tuple(_faults(packed)),
    )


def _encode(folder: Path, task: PartsTask, progress: Callable[[int], None]) -> PackedRows:
    try:
        with in_use(task.folder):
            parts = _parts(task, progress)
            extra: JsonObject = {
                "notices": list(_notices(parts)),
                "faults": [fault for part in parts for fault in _listed(part, "faults")],
                "gaps": _gaps(parts),
            }
            return gather_packed(folder, [everything(part) for part in parts], extra)
    except InputError:
        discard_parts(task.folder)
        raise


def _parts(task: PartsTask, progress: Callable[[int], None]) -> tuple[PackedRows, ...]:
    with workers(task):
        parts = None
        while parts is None:
            parts = open_parts(task, make_missing(task, progress))
    return parts


def _listed(folder: PackedRows, name: str) -> list[Json]:
    found = folder.extra[name]
    assert isinstance(found, list), "the manifest's digest was checked"
    return found


def _gaps(parts: Sequence[PackedRows]) -> list[Json]:
    """Numbers that no example has: where they begin, and how many.

    Each part has as many numbers as rows; those that the format cannot read leave some unused.
    """
    gaps: list[Json] = []
    for number, part in enumerate(parts[:-1]):
        usable = part.extra["usable"]
        assert isinstance(usable, int), "the manifest's digest was checked"
        if usable < ROWS_PER_PART:
            gaps.append([number * ROWS_PER_PART + usable, ROWS_PER_PART - usable])
    return gaps


def _counted(gathered: PackedRows, examples: NDArray[np.int64]) -> NDArray[np.int64]:
    """The examples' numbers without the gaps."""
    gaps = np.array(_listed(gathered, "gaps"), dtype=np.int64).reshape(-1, 2)
    before = np.concatenate([[0], np.cumsum(gaps[:, 1])])
    counted: NDArray[np.int64] = examples - before[np.searchsorted(gaps[:, 0], examples)]
    return counted


def _faults(gathered: PackedRows) -> Iterator[TokenFault]:
    for fault in _listed(gathered, "faults"):
        assert isinstance(fault, list) and isinstance(fault[0], int), "written by a part"
        rule, what, hint = (str(text) for text in fault[1:])
        (example,) = _counted(gathered, np.array([fault[0]])).tolist()
        yield TokenFault(example=example, rule=rule, what=what, hint=hint)


def _notices(folders: Sequence[PackedRows]) -> tuple[str, ...]:
    """What was decided for the user while the rows were made, each sentence once."""
    notices: dict[str, None] = {}
    for folder in folders:
        notices.update((str(sentence), None) for sentence in _listed(folder, "notices"))
    return tuple(notices)
