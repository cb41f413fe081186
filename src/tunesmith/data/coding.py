"""From examples to rows of tokens: encoded and proved.

    Example -> encode (one row, or one a turn) -> prove the mask -> PackedRow

The proof runs over every row; what is in the cache has been proved.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from tunesmith.contracts import Content, Example, JsonObject, Preference, TokenRow
from tunesmith.data.provenance import VERSION
from tunesmith.data.split import key_of
from tunesmith.data.store import PackedRow
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

    def markers(self) -> tuple[str, ...]:
        """The special tokens as text, which no row should hold."""
        special = (self.tokenizer.token(index) for index in self.tokenizer.special_ids)
        return tuple(token for token in special if len(token) > 1)


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


def coded(
    examples: Iterator[Example],
    coding: Coding,
    *,
    first: int = 0,
    notice: Callable[[str], None] = lambda _: None,
    fault: Callable[[int, DataError], None],
) -> Iterator[PackedRow]:
    """The rows of the examples; those that cannot be made into tokens are passed over.

    Args:
        examples: of one source, as they follow one another.
        coding: makes the tokens.
        first: index of the first of them within its source.
        notice: told, in a sentence, what was decided for the user.
        fault: told the index of an example that is passed over, and what is wrong with it.

    Raises:
        TemplateError, DataError: a row whose mask cannot be proved, with its place.
    """
    while batch := list(itertools.islice(examples, _BATCH)):
        contents = [example.content for example in batch]
        results = encode_examples(
            contents, coding.tokenizer, coding.template, train_on=coding.train_on
        )
        for index, (example, encodings) in enumerate(zip(batch, results, strict=True), first):
            if isinstance(encodings, DataError):
                fault(index, _placed(encodings, example.place))
            else:
                yield from _rows_of(example, index, encodings, coding, notice)
        first += len(batch)


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
    if isinstance(error, DataError):
        return type(error)(error.what, hint=error.hint, place=place, rule=error.rule)
    return type(error)(error.what, hint=error.hint, place=place)


def stop_ids(coding: Coding) -> tuple[int, ...]:
    """The tokens that end an answer; plain text needs no template that ends turns."""
    try:
        return stop_tokens(coding.tokenizer, coding.template)
    except TemplateError:
        return coding.tokenizer.stop_ids
