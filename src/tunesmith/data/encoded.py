"""A source in tokens: made in parts the first time, and found in the cache ever after.

    files -> parts of rows (parts.py) -> one packed folder in the cache -> EncodedSource

Rows are kept before truncation, so that another `max_length` needs no new tokens.

Shapes: R rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.contracts import JsonObject
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
    raise_faults,
)
from tunesmith.data.provenance import VERSION, StampedSource
from tunesmith.data.store import PackedRows
from tunesmith.data.worker import workers
from tunesmith.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedSource:
    """A source in tokens, before truncation."""

    packed: PackedRows
    example_R: NDArray[np.int64] = field(repr=False)
    """The example of each row, counted without those that cannot be used."""
    notices: tuple[str, ...] = ()


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
        example_R=np.unique(packed.example_of, return_inverse=True)[1].astype(np.int64),
        notices=_notices([opened]),
    )


def _encode(folder: Path, task: PartsTask, progress: Callable[[int], None]) -> PackedRows:
    try:
        with in_use(task.folder):
            parts = _parts(task, progress)
            selections = [everything(part) for part in parts]
            return gather_packed(folder, selections, {"notices": list(_notices(parts))})
    except InputError:
        discard_parts(task.folder)
        raise


def _parts(task: PartsTask, progress: Callable[[int], None]) -> tuple[PackedRows, ...]:
    try:
        with workers(task):
            parts = None
            while parts is None:
                parts = open_parts(task, make_missing(task, progress))
    except InputError:
        raise_faults(task)
        raise
    return parts


def _notices(folders: Sequence[PackedRows]) -> tuple[str, ...]:
    """What was decided for the user while the rows were made, each sentence once."""
    notices: dict[str, None] = {}
    for folder in folders:
        said = folder.extra["notices"]
        assert isinstance(said, list), "the manifest's digest was checked"
        notices.update((str(sentence), None) for sentence in said)
    return tuple(notices)
