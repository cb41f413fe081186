"""A source in tokens: made in parts the first time, and found in the cache ever after.

    files -> parts of rows (parts.py) -> one packed folder in the cache -> EncodedSource

Rows are kept before truncation, so that another `max_length` needs no new tokens.

Shapes: E examples, R rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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
from tunesmith.data.provenance import StampedSource
from tunesmith.data.split import Keys
from tunesmith.data.store import PackedRows
from tunesmith.data.survey import Places, Survey, joined_survey, survey_from_json
from tunesmith.data.worker import workers
from tunesmith.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedSource:
    """A source in tokens, before truncation."""

    packed: PackedRows
    survey: Survey
    keys: Keys = field(repr=False)
    """Of each example, in order."""
    places: Places = field(repr=False)


def encode_source(
    stamped: StampedSource, coding: Coding, progress: Callable[[int], None]
) -> EncodedSource:
    """The tokens of a source, from the cache where they were made before.

    Raises:
        DataError, RecipeError: as `read_examples`; a file that changes meanwhile.
        TemplateError, DataError: a row whose mask cannot be proved, with its place.
    """
    key = sha256(
        canonical({"source": stamped.deciding(), "coding": coding.as_json()}).encode()
    ).hexdigest()
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
    kept = opened.extra["survey"]
    assert isinstance(kept, dict), "the manifest's digest was checked"
    survey = survey_from_json(kept)
    findings = tuple(replace(one, file=names[int(one.file)]) for one in survey.findings)
    first = _first_rows(packed, survey.rows)
    return EncodedSource(
        packed=packed,
        survey=replace(survey, findings=findings),
        keys=_keys(first),
        places=Places(
            files=packed.files,
            file_E=first["file"].astype(np.int32),
            line_E=first["line"].astype(np.int64),
        ),
    )


def _encode(folder: Path, task: PartsTask, progress: Callable[[int], None]) -> PackedRows:
    try:
        with in_use(task.folder):
            parts = _parts(task, progress)
            survey = joined_survey([part.extra for part in parts]).as_json()
            return gather_packed(folder, [everything(part) for part in parts], {"survey": survey})
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


def _first_rows(packed: PackedRows, examples: int) -> NDArray[np.void]:
    """The record of each example's first row."""
    found, first = np.unique(packed.example_of, return_index=True)
    assert len(found) == examples, "every example gives a row"
    return packed.records_R[first]


def _keys(records: NDArray[np.void]) -> Keys:
    starts = np.ascontiguousarray(records["digest"]).view(">u8").reshape(-1, 4)[:, 0]
    return Keys(digests_R=starts.astype(np.uint64), groups_R=records["group"].astype(np.uint64))
