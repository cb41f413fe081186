r"""Refuse regular expressions that can take for ever.

A tokenizer file may carry expressions that a backtracking engine runs on every text. One
such as `(\w+)+$` needs time that doubles with every character. Tokenizers in use never
repeat a group whose inside repeats too, so that form is refused when the file is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tunesmith.contracts import Json
from tunesmith.errors import ModelError, Place

_LONGEST = 10_000
_OPEN_ENDED = re.compile(r"[*+]|\{\d+,\}")


def refuse_slow_patterns(content: Json, path: Path) -> None:
    """Check each `{"Regex": ...}` in tokenizer.json.

    Raises:
        ModelError: an expression is too long or repeats a repetition.
    """
    for pattern in _patterns(content):
        if len(pattern) > _LONGEST or repeats_a_repetition(pattern):
            raise ModelError(
                f"the tokenizer splits text with an expression that can take for ever:"
                f" {pattern[:80]!r}",
                hint="get the tokenizer from a source that you trust",
                place=Place(file=path),
            )


def repeats_a_repetition(pattern: str) -> bool:
    """Whether a group repeated without end holds something repeated without end."""
    inner_repeats = [False]
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            position += 2
            continue
        if character == "[":
            position = _end_of_class(pattern, position)
            continue
        if character == "(":
            inner_repeats.append(False)
        elif character == ")" and len(inner_repeats) > 1:
            repeats = inner_repeats.pop()
            if repeats and _OPEN_ENDED.match(pattern, position + 1):
                return True
            inner_repeats[-1] = inner_repeats[-1] or repeats
        elif _OPEN_ENDED.match(pattern, position):
            inner_repeats[-1] = True
        position += 1
    return False


def _end_of_class(pattern: str, start: int) -> int:
    """The index after the `]` that closes the class; classes may nest."""
    depth, position = 0, start
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            position += 1
        elif character == "[":
            depth += 1
        elif character == "]":
            depth -= 1
            if depth == 0:
                return position + 1
        position += 1
    return position


def _patterns(content: Json) -> Iterator[str]:
    if isinstance(content, dict):
        for key, value in content.items():
            if key == "Regex" and isinstance(value, str):
                yield value
            elif key not in ("vocab", "merges"):
                yield from _patterns(value)
    elif isinstance(content, list):
        for item in content:
            yield from _patterns(item)
