r"""JSON as the standard has it, and nothing that would be lost or altered in silence.

    {"a": 1, "a": 2}      refused: the first value would vanish
    {"a": NaN}            refused: not JSON, and not a value to learn from
    {"a": "\ud800"}        refused: half a character, which no tokenizer can encode

Python's own parser accepts all three. Its position of a syntax error is kept.
"""

from __future__ import annotations

import json
import re
from math import isfinite

from tunesmith.contracts import Json, JsonObject
from tunesmith.data.columns import printable

MAX_DEPTH = 100
_ESCAPES = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")


class JsonFault(ValueError):
    """JSON that parses, but that we refuse; `hint` says how to repair it."""

    def __init__(self, what: str, hint: str) -> None:
        """Keep both sentences apart."""
        super().__init__(what)
        self.what = what
        self.hint = hint


def _object(pairs: list[tuple[str, Json]]) -> JsonObject:
    values = dict(pairs)
    if len(values) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise JsonFault(f'the key "{printable(key)}" occurs twice', "keep one of the two")
            seen.add(key)
    return values


def _constant(text: str) -> Json:
    raise JsonFault(f"{text} is not a JSON value", "write null, a number, or leave the key out")


def _integer(text: str) -> int:
    if len(text) <= 20 and -(2**63) <= int(text) < 2**64:
        return int(text)
    raise JsonFault(
        f"the whole number {text[:30]} does not fit into 64 bits",
        f'write it as text: "{text[:30]}"',
    )


def _float(text: str) -> float:
    value = float(text)
    if isfinite(value):
        return value
    raise JsonFault(f"the number {text[:30]} is infinite", "write it as text, or leave it out")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_constant=_constant,
    parse_int=_integer,
    parse_float=_float,
)


def decode(text: str, start: int = 0) -> tuple[Json, int]:
    """The value that begins at `start`, and the index after it.

    Raises:
        json.JSONDecodeError: not JSON; `pos`, `lineno` and `colno` say where.
        JsonFault: JSON that is refused.
    """
    try:
        value, end = _DECODER.raw_decode(text, start)
    except RecursionError:
        raise _too_deep() from None
    brackets = text.count("[", start, end) + text.count("{", start, end)
    if brackets > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise _too_deep()
    if _ESCAPES.search(text, start, end):
        _check_characters(value)
    return value, end


def _too_deep() -> JsonFault:
    return JsonFault(f"nested more than {MAX_DEPTH} levels deep", "flatten the row, or remove it")


def _depth(value: Json) -> int:
    deepest, open_values = 0, [(value, 1)]
    while open_values:
        inner, level = open_values.pop()
        deepest = max(deepest, level)
        if isinstance(inner, dict):
            open_values += [(entry, level + 1) for entry in inner.values()]
        elif isinstance(inner, list):
            open_values += [(entry, level + 1) for entry in inner]
    return deepest


def _check_characters(value: Json) -> None:
    if isinstance(value, dict):
        for key, entry in value.items():
            _check_characters(key)
            _check_characters(entry)
    elif isinstance(value, list):
        for entry in value:
            _check_characters(entry)
    elif isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise JsonFault(
                f"half a character: \\u{ord(value[error.start]):04x} without its other half",
                "write the character itself, or both halves of the pair",
            ) from None
