"""How large a template may make things, checked before they are made.

A few operations turn small values into huge ones: `'a' * 10**10`, `'%999999999d' % 1`,
`x.replace('a', x)` in a loop. Each is estimated first; one value may have 20 million
characters, and all values of one rendering 512 million, kept or not.
"""

from __future__ import annotations

import inspect
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from types import BuiltinMethodType

LARGEST_TEXT = 20 * 2**20
"""Characters of one value, and of what is rendered."""
_ALL_VALUES = 512 * 2**20
_MOST_BITS = 100_000
_LONG_NUMBER = re.compile(r"\d{7,}")
_SIZED_FILTERS = {
    **dict.fromkeys(("batch", "center", "indent", "slice", "truncate", "wordwrap"), LARGEST_TEXT),
    "round": 1000,
    "tojson": 100,
}
"""Filters that take the size of something, and the largest size."""
_SEQUENCES = (str, bytes, list, tuple)


class TooLarge(Exception):
    """A value or the text is larger than a template may make it."""


class _Spent(threading.local):
    characters: int = 0


_spent = _Spent()


def start_spending() -> None:
    """Begin the budget of one rendering on this thread."""
    _spent.characters = 0


def spend(characters: int) -> None:
    """Count a value that is about to be made.

    Raises:
        TooLarge: it, or all values together, are too large.
    """
    _spent.characters += characters
    if characters > LARGEST_TEXT or _spent.characters > _ALL_VALUES:
        raise TooLarge("it makes a text that is far too long")


def bound_operation(operator: str, left: object, right: object) -> None:
    """Check `left operator right` for one of `+`, `*`, `**` and `%`."""
    if operator == "+" and isinstance(left, _SEQUENCES) and isinstance(right, _SEQUENCES):
        spend(len(left) + len(right))
    elif operator == "*":
        for one, other in ((left, right), (right, left)):
            if isinstance(one, _SEQUENCES) and isinstance(other, int):
                spend(len(one) * max(other, 0))
        if isinstance(left, int) and isinstance(right, int):
            _bound_bits(left.bit_length() + right.bit_length())
    elif operator == "**" and isinstance(left, int) and isinstance(right, int):
        _bound_bits(left.bit_length() * max(right, 0))
    elif operator == "%" and isinstance(left, (str, bytes)):
        _bound_format(left, right if isinstance(right, tuple) else (right,))


def bound_call(function: object, arguments: Sequence[object]) -> None:
    """Check a call of a built-in method: the numbers passed, and what makes long texts."""
    if callable(function):
        # The sandbox wraps `str.format`; what is inside is the method of a text.
        function = inspect.unwrap(function)
    if isinstance(function, BuiltinMethodType):
        _bound_numbers(arguments, LARGEST_TEXT)
        if isinstance(function.__self__, (str, bytes)):
            _bound_method(function.__name__, function.__self__, arguments)


def bound_filter(name: str, value: object, arguments: Sequence[object]) -> None:
    """Check `value | name(arguments)`."""
    if name in _SIZED_FILTERS:
        _bound_numbers(arguments, _SIZED_FILTERS[name])
    if name == "join":
        separator = next((item for item in arguments if isinstance(item, str)), "")
        _bound_join(separator, value)
    elif name == "format" and isinstance(value, str):
        _bound_format(value, arguments)
    elif name == "replace" and len(arguments) >= 2:
        _bound_replace(str(value), str(arguments[0]), str(arguments[1]))
    elif name == "indent" and isinstance(value, str):
        widths = (item if isinstance(item, int) else _length(item) for item in arguments)
        spend(len(value) + (value.count("\n") + 1) * max(widths, default=4))
    elif name == "tojson" and any(isinstance(item, str) and item[100:] for item in arguments):
        raise TooLarge("it indents JSON by more than 100 characters")


def _bound_numbers(arguments: Iterable[object], largest: int) -> None:
    """Refuse numbers so large that they can only be the size of something."""
    for value in arguments:
        if isinstance(value, int) and abs(value) > largest:
            raise TooLarge(f"it passes the number {value:.3g} as the size of something")


def _bound_bits(bits: int) -> None:
    if bits > _MOST_BITS:
        raise TooLarge("it makes a number that is far too large")


def _bound_method(name: str, text: str | bytes, arguments: Sequence[object]) -> None:
    numbers = [value for value in arguments if isinstance(value, int)]
    if name in ("ljust", "rjust", "center", "zfill"):
        spend(len(text) + sum(numbers))
    elif name == "expandtabs":
        spend(len(text) * max([8, *numbers]))
    elif name == "replace" and len(arguments) >= 2:
        _bound_replace(text, arguments[0], arguments[1])
    elif name == "join" and arguments:
        _bound_join(text, arguments[0])
    elif name in ("format", "format_map"):
        _bound_format(text, arguments)
    elif name == "translate" and arguments and isinstance(arguments[0], Mapping):
        spend(len(text) * max(map(_length, arguments[0].values()), default=1))


def _bound_replace(text: str | bytes, old: object, new: object) -> None:
    count = text.count(old) if isinstance(text, str) and isinstance(old, str) else 0
    if isinstance(text, bytes) and isinstance(old, bytes):
        count = text.count(old)
    spend(len(text) + count * _length(new))


def _bound_join(separator: str | bytes, parts: object) -> None:
    if isinstance(parts, (list, tuple, dict, str)):
        spend(sum(_length(part) + len(separator) for part in parts))


def _bound_format(text: str | bytes, arguments: Iterable[object]) -> None:
    pattern = text.decode("latin-1") if isinstance(text, bytes) else text
    values = [*arguments]
    values += [part for value in values if isinstance(value, Mapping) for part in value.values()]
    # A number may be the width of a field: `%*d`, `{:{width}}`.
    widths = [0]
    if "*" in pattern or "{:{" in pattern:
        widths += [value for value in values if isinstance(value, int)]
    if _LONG_NUMBER.search(pattern) or max(widths) > LARGEST_TEXT:
        raise TooLarge("it formats with a width that is far too large")
    longest = max(map(_length, values), default=1)
    fields = pattern.count("%") + pattern.count("{")
    spend(len(pattern) + fields * (longest + max(widths)))


def _length(value: object) -> int:
    """Characters that a value takes in a text, about, where that is cheap to say."""
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, int):
        return value.bit_length() // 3 + 1
    return len(str(value)) if isinstance(value, (list, tuple, dict)) else 32
