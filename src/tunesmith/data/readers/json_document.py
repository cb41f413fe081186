"""JSON: an array of rows, an object with one list of rows, or one row; read piece by piece.

    [{"instruction": "Greet.", "output": "Hello!"}, ...]
    {"version": 1, "data": [{"instruction": "Greet.", "output": "Hello!"}, ...]}

Only one row is in memory at a time, also where the file is one line of many gigabytes.
JSON Lines in a `.json` file are read as such.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from tunesmith.contracts import Json, JsonObject, RawRow
from tunesmith.data import lines
from tunesmith.data.columns import kind_of, printable
from tunesmith.data.strict_json import JsonFault, decode
from tunesmith.errors import DataError, Place

_BLANK = " \t\r\n"
_LISTS_OF_A_ROW = {
    "messages",
    "conversations",
    "conversation",
    "segments",
    "prompt",
    "completion",
    "history",
    "tools",
    "functions",
}
"""Keys whose list belongs to one row, so that it is not taken for a list of rows."""


def rows(path: Path, notice: Callable[[str], None]) -> Iterator[RawRow]:
    """The rows of a file, each with the line on which it begins.

    Raises:
        DataError: not JSON, not rows, or something after the end.
    """
    scanner = _Scanner(path)
    match scanner.peek():
        case "":
            return
        case "[":
            yield from _array(scanner, "the file")
        case "{":
            yield from _object(scanner, notice)
        case _:
            place = scanner.place()
            value = scanner.value()
            raise DataError(
                f"the file is {kind_of(value)}; rows are expected",
                hint="write an array of objects: [{...}, {...}]",
                place=place,
            )
    if scanner.peek():
        raise DataError(
            "something follows after the end of the JSON value",
            hint="a .json file holds one value; for one object a line name it .jsonl",
            place=scanner.place(),
        )


def _array(scanner: _Scanner, where: str) -> Iterator[RawRow]:
    scanner.take("[")
    if scanner.peek() == "]":
        scanner.take("]")
        return
    while True:
        scanner.peek()
        place = scanner.place()
        value = scanner.value()
        if not isinstance(value, dict):
            raise DataError(
                f"an entry of {where} is {kind_of(value)}; an object is expected",
                hint="write every row as an object: {...}",
                place=place,
            )
        yield RawRow(values=value, place=Place(file=place.file, line=place.line))
        if scanner.peek() == "]":
            scanner.take("]")
            return
        scanner.take(",")


def _object(scanner: _Scanner, notice: Callable[[str], None]) -> Iterator[RawRow]:
    """One object: a holder of rows, one row, or the first of several (JSON Lines)."""
    place = scanner.place()
    row_list, values, keys = "", JsonObject(), set[str]()
    scanner.take("{")
    while keys or scanner.peek() != "}":
        key = _key(scanner)
        if key in keys:
            raise DataError(
                f'the key "{printable(key)}" occurs twice',
                hint="keep one of the two",
                place=scanner.place(),
            )
        keys.add(key)
        if key not in _LISTS_OF_A_ROW and scanner.peek() == "[" and scanner.holds_objects():
            if row_list:
                raise DataError(
                    f"the file holds two lists of rows, {printable(row_list)} and {printable(key)}",
                    hint="put each into a file of its own",
                    place=scanner.place(),
                )
            row_list = key
            notice(f"{Path(place.file).name}: the rows are those under {printable(key)}")
            yield from _array(scanner, printable(key))
        else:
            values[key] = scanner.value()
        if scanner.peek() == "}":
            break
        scanner.take(",")
    scanner.take("}")
    if row_list:
        return
    yield RawRow(values=values, place=Place(file=place.file, line=place.line))
    while scanner.peek() == "{":
        place = scanner.place()
        value = scanner.value()
        assert isinstance(value, dict), "it began with {"
        yield RawRow(values=value, place=Place(file=place.file, line=place.line))


def _key(scanner: _Scanner) -> str:
    place = scanner.place()
    key = scanner.value() if scanner.peek() == '"' else None
    if not isinstance(key, str):
        raise DataError(
            "not JSON: a key in double quotes is expected",
            hint="write the file with json.dump",
            place=place,
        )
    scanner.take(":")
    return key


class _Scanner:
    """A place in a text of which only a window is in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pieces = lines.text_pieces(path)
        self._window = ""
        self._at = 0
        self._marked = 0
        self._line = 1
        self._column = 1
        self._ended = False

    def place(self) -> Place:
        """Line and column of the next character."""
        found = self._place_of(self._at)
        self._marked, self._line, self._column = self._at, found.line, found.column
        return found

    def _place_of(self, at: int) -> Place:
        newlines = self._window.count("\n", self._marked, at)
        column = (
            at - self._window.rindex("\n", self._marked, at)
            if newlines
            else self._column + at - self._marked
        )
        return Place(file=self._path, line=self._line + newlines, column=column)

    def peek(self) -> str:
        """The next character that is not white space; empty at the end."""
        while True:
            while self._at < len(self._window) and self._window[self._at] in _BLANK:
                self._at += 1
            if self._at < len(self._window):
                return self._window[self._at]
            if not self._more():
                return ""

    def holds_objects(self) -> bool:
        """Whether the array that comes next begins with an object."""
        while True:
            inner = self._window[self._at + 1 :].lstrip(_BLANK)
            if inner or not self._more():
                return inner.startswith("{")

    def take(self, expected: str) -> None:
        """Step over a character that must come next."""
        found = self.peek()
        if found != expected:
            shown = f"{found} is there" if found else "the file ends"
            raise DataError(
                f"not JSON: {expected} is expected, {shown}",
                hint="the file was cut off; copy it again"
                if not found
                else "write the file with json.dump",
                place=self.place(),
            )
        self._at += 1

    def value(self) -> Json:
        """Step over the value that comes next and return it."""
        self.peek()
        while True:
            try:
                value, end = decode(self._window, self._at)
            except json.JSONDecodeError as error:
                place = self._place_of(error.pos)
                if len(self._window) - self._at > lines.MAX_ROW_BYTES:
                    raise lines.too_long(self.place()) from None
                if self._more():
                    continue
                raise DataError(
                    f"not JSON: {error.msg}",
                    hint="the file was cut off; copy it again"
                    if error.pos >= len(self._window.rstrip()) or "Unterminated" in error.msg
                    else "write the file with json.dump",
                    place=place,
                ) from None
            except JsonFault as fault:
                raise DataError(fault.what, hint=fault.hint, place=self.place()) from None
            # a number that ends with the window may go on after it
            if end == len(self._window) and not isinstance(value, dict | list) and self._more():
                continue
            self._at = end
            return value

    def _more(self) -> bool:
        """Forget what was consumed and at least double the window; False at the end."""
        if self._ended:
            return False
        self.place()
        kept = [self._window[self._at :]]
        held = size = len(kept[0])
        while size <= 2 * held:
            piece = next(self._pieces, None)
            if piece is None:
                self._ended = True
                break
            kept.append(piece)
            size += len(piece)
        self._window = "".join(kept)
        self._at = self._marked = 0
        return size > held
