"""From examples to rows of tokens: encoded, proved, and kept in the cache.

    Example -> encode (one row, or one a turn) -> prove the mask -> PackedRow

Rows are kept before truncation, so that another `max_length` needs no new tokens. The proof
runs over every row the first time; what is in the cache has been proved.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from tunesmith.contracts import (
    ROWS_PER_EXAMPLE,
    Content,
    Example,
    JsonObject,
    Preference,
    TokenRow,
)
from tunesmith.data.cache import cached
from tunesmith.data.content import canonical
from tunesmith.data.examples import MAX_FAULTS, together
from tunesmith.data.provenance import VERSION, StampedSource, check_still
from tunesmith.data.split import Keys, key_of
from tunesmith.data.store import PackedRow, PackedRows, write_packed
from tunesmith.data.survey import Places, Survey, Surveyor, survey_from_json
from tunesmith.errors import DataError, InputError, Place, TemplateError
from tunesmith.tokenizer.encode import Encoded, encode_examples
from tunesmith.tokenizer.load import Tokenizer, load_tokenizer
from tunesmith.tokenizer.proof import prove
from tunesmith.tokenizer.stop import stop_tokens
from tunesmith.tokenizer.template import Template, load_template

Fault = TypeVar("Fault", bound=InputError)
TrainOn = Literal["all", "last"]
_BATCH = 256
"""Examples that are tokenised at once, on all cores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """Everything that decides how words become tokens."""

    tokenizer: Tokenizer
    template: Template
    train_on: TrainOn

    def as_json(self) -> JsonObject:
        """What of it decides the tokens."""
        return {
            "version": VERSION,
            "tokenizer": self.tokenizer.digest,
            "template": self.template.digest,
            "train_on": self.train_on,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedSource:
    """A source in tokens, before truncation."""

    packed: PackedRows
    survey: Survey
    keys: Keys = field(repr=False)
    """Of each example, in order."""
    places: Places = field(repr=False)


def load_coding(base: Path, template: str | None, train_on: TrainOn, now: datetime) -> Coding:
    """The tokenizer of a base and the template to use with it.

    Args:
        base: the base's folder.
        template: as in the recipe.
        train_on: which assistant turns are trained.
        now: the date that the template may write.

    Raises:
        ModelError, TemplateError: they are missing, damaged or unsafe.
    """
    tokenizer = load_tokenizer(base)
    return Coding(
        tokenizer=tokenizer,
        template=load_template(tokenizer, template, now=now),
        train_on=train_on,
    )


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
    opened = cached(key, lambda folder: _encode(folder, stamped, coding, progress))
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


def _encode(
    folder: Path, stamped: StampedSource, coding: Coding, progress: Callable[[int], None]
) -> PackedRows:
    special = (coding.tokenizer.token(index) for index in coding.tokenizer.special_ids)
    surveyor = Surveyor(tuple(token for token in special if len(token) > 1))
    files = tuple(Path(stamp.path) for stamp in stamped.files)
    ordinals = {str(path): str(number) for number, path in enumerate(files)}
    extra: JsonObject = {}
    examples = surveyor.through(stamped.source, files, progress)
    first = next(examples)  # a file without rows is refused
    pairs = isinstance(first.content, Preference)
    together = ROWS_PER_EXAMPLE["preferences" if pairs else "answers"]

    def rows() -> Iterator[PackedRow]:
        nonlocal examples
        examples = itertools.chain([first], examples)
        for packed in _coded(examples, coding, surveyor.notice):
            place = replace(packed.row.place, file=ordinals[str(packed.row.place.file)])
            yield replace(packed, row=replace(packed.row, place=place))
        check_still(stamped)
        survey = surveyor.survey()
        moved = (replace(one, file=ordinals[one.file]) for one in survey.findings)
        extra["survey"] = replace(survey, findings=tuple(moved)).as_json()

    return write_packed(folder, rows(), extra, rows_per_example=together)


def _coded(
    examples: Iterator[Example], coding: Coding, notice: Callable[[str], None]
) -> Iterator[PackedRow]:
    """The rows of the examples; after a faulty one only its like are looked for."""
    faults: list[DataError] = []
    first = 0
    while batch := list(itertools.islice(examples, _BATCH)):
        contents = [example.content for example in batch]
        results = encode_examples(
            contents, coding.tokenizer, coding.template, train_on=coding.train_on
        )
        for index, (example, encodings) in enumerate(zip(batch, results, strict=True), first):
            if isinstance(encodings, DataError):
                faults.append(_placed(encodings, example.place))
            elif not faults:
                yield from _rows_of(example, index, encodings, coding, notice)
        if len(faults) >= MAX_FAULTS:
            break
        first += len(batch)
    if faults:
        raise together(faults[:MAX_FAULTS])


def _rows_of(
    example: Example,
    index: int,
    encodings: tuple[Encoded, ...],
    coding: Coding,
    notice: Callable[[str], None],
) -> Iterator[PackedRow]:
    for encoded, content in zip(encodings, _proved_by(example.content, encodings), strict=True):
        try:
            prove(encoded, content, coding.tokenizer, coding.template)
        except InputError as error:
            raise _placed(error, example.place) from error
        if encoded.notice:
            notice(encoded.notice)
        yield PackedRow(
            row=TokenRow(
                ids_T=np.asarray(encoded.ids, dtype=np.int32),
                weights_T=np.asarray(encoded.weights, dtype=np.float32),
                place=example.place,
                digest=example.digest,
            ),
            example=index,
            group=key_of(example.group),
        )


def _proved_by(content: Content, encodings: tuple[Encoded, ...]) -> tuple[Content, ...]:
    """What each row must be the tokens of."""
    if isinstance(content, Preference):
        return content.sides()
    return (content,) * len(encodings)


def _placed(error: Fault, place: Place) -> Fault:
    """The same error, with the row's place where it has none."""
    if error.place is not None:
        return error
    return type(error)(error.what, hint=error.hint, place=place)


def _first_rows(packed: PackedRows, examples: int) -> NDArray[np.void]:
    """The record of each example's first row."""
    found, first = np.unique(packed.example_of, return_index=True)
    assert len(found) == examples, "every example gives a row"
    return packed.records_R[first]


def _keys(records: NDArray[np.void]) -> Keys:
    starts = np.ascontiguousarray(records["digest"]).view(">u8").reshape(-1, 4)[:, 0]
    return Keys(digests_R=starts.astype(np.uint64), groups_R=records["group"].astype(np.uint64))


def stop_ids(coding: Coding) -> tuple[int, ...]:
    """The tokens that end an answer; plain text needs no template that ends turns."""
    try:
        return stop_tokens(coding.tokenizer, coding.template)
    except TemplateError:
        return coding.tokenizer.stop_ids
