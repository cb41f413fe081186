r"""A row put right: every text in the columns that its format uses, and nothing else.

    {"question": "Open?\u200b", "answer": " Yes. ", "id": " 7 "}
        ->   {"question": "Open?", "answer": "Yes.", "id": " 7 "}

Turns, and JSON that stands in a text (arguments of calls, columns of a table), are mended
inside; such a text is written anew only where something in it changed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from tunesmith.contracts import Json, JsonObject
from tunesmith.data.cleaning.texts import mended, redacted
from tunesmith.data.personal import Redactor
from tunesmith.data.recognise import Recognised
from tunesmith.data.strict_json import JsonFault, decode
from tunesmith.data.watched import columns_used

_MACHINE = frozenset(
    {"tools", "functions", "tool_calls", "function_call", "arguments", "parameters", "function"}
)
"""Keys below which texts are a program's: no space is removed around them."""
_FIXED = frozenset({"role", "from", "type", "id", "tool_call_id", "weight", "label"})
"""Keys whose values mean something to us; nothing in them is replaced."""
_CALLERS = frozenset({"function_call", "tool_call"})
"""Speakers of sharegpt whose words are JSON."""
_CONTAINERS = ("[", "{")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What was done to a text of a row, and why."""

    where: str
    """`messages[1].content`."""
    why: tuple[str, ...]
    """Rules of the audit, and what else cleaning puts right."""
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MendedRow:
    """A row and what was done to it."""

    values: JsonObject
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the walk through a row is."""

    name: str
    key: str = ""
    machine: bool = False
    trim: bool = True
    replaces: bool = True
    is_column: bool = False
    in_text: bool = False
    """Inside JSON in a text: what was damaged there may be a key."""

    def under(self, key: str) -> _Place:
        machine = self.machine or key in _MACHINE
        return replace(
            self,
            name=f"{self.name}.{key}",
            key=key,
            machine=machine,
            trim=self.trim and not machine,
            replaces=key not in _FIXED,
            is_column=False,
        )

    def at(self, index: int) -> _Place:
        return replace(self, name=f"{self.name}[{index}]", is_column=False)


@dataclass(slots=True)
class RowMender:
    """Mends the rows of one data set."""

    redactor: Redactor | None = None
    _used: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict)
    _changes: list[Change] = field(default_factory=list)

    def mend(self, recognised: Recognised, values: JsonObject) -> MendedRow:
        """The row with its texts put right; other columns are the same objects as before."""
        self._changes = []
        trim = recognised.name != "input_output"  # whose author writes every space
        used = self._columns(recognised, values)
        out = {
            name: self._value(
                value, _Place(name=name, machine=name in _MACHINE, trim=trim, is_column=True)
            )
            if name in used
            else value
            for name, value in values.items()
        }
        return MendedRow(values=out, changes=tuple(self._changes))

    def _columns(self, recognised: Recognised, values: JsonObject) -> frozenset[str]:
        """Columns that are mended; all of a row that cannot be used, which may then become so.

        What a format asks for depends on which columns there are, not on what stands in them.
        """
        key = (recognised.name, *values)
        if key not in self._used:
            found = columns_used(recognised, values)
            if found is None:
                return frozenset(values)
            self._used[key] = found
        return self._used[key]

    def _value(self, value: Json, place: _Place) -> Json:
        match value:
            case str():
                return self._text(value, place)
            case list():
                return [self._value(entry, place.at(index)) for index, entry in enumerate(value)]
            case dict():
                speaker = value.get("from")
                is_call = isinstance(speaker, str) and speaker in _CALLERS
                return {
                    self._key(key, place) if place.in_text else key: self._value(
                        entry,
                        replace(place.under(key), machine=True, trim=False)
                        if is_call and key == "value"
                        else place.under(key),
                    )
                    for key, entry in value.items()
                }
            case bool() | None:
                return value
            case _:
                return self._number(value, place)

    def _text(self, text: str, place: _Place) -> str:
        holds_json = text.lstrip()[:1] in _CONTAINERS and text.strip() != ""
        if holds_json and (place.machine or place.is_column):
            inner = _container(text, place)
            if inner is not None:
                return self._inside(text, inner, place)
        redactor = self.redactor if place.replaces else None
        announced = place.key if place.machine else ""
        done = mended(text, redactor, announced=announced, trim=place.trim)
        if not done.why:
            return text
        if holds_json and _parsed(text) is not None and _parsed(done.text) is None:
            inner = _parsed(text)  # mending from outside would break it
            return self._inside(text, inner, replace(place, trim=False))
        self._changes.append(Change(where=place.name, why=done.why, before=text, after=done.text))
        return done.text

    def _inside(self, text: str, inner: Json, place: _Place) -> str:
        """A text of JSON, mended inside."""
        better = self._value(inner, replace(place, is_column=False, in_text=True))
        return text if better == inner else json.dumps(better, ensure_ascii=False)

    def _key(self, key: str, place: _Place) -> str:
        done = mended(key, None, trim=False)
        if done.why:
            name = f"{place.name}.{done.text}"
            self._changes.append(Change(where=name, why=done.why, before=key, after=done.text))
        return done.text

    def _number(self, value: int | float, place: _Place) -> Json:
        """A number in the arguments of a call, which may be somebody's."""
        if self.redactor is None or not place.machine or not place.replaces:
            return value
        text, found = redacted(str(value), self.redactor, place.key)
        if not found:
            return value
        self._changes.append(Change(where=place.name, why=found, before=str(value), after=text))
        return text


def _container(text: str, place: _Place) -> Json:
    """JSON in a text: of a program anything, of a column a list of objects."""
    value = _parsed(text)
    if place.machine:
        return value
    is_turns = isinstance(value, list) and all(isinstance(entry, dict) for entry in value)
    return value if is_turns and value else None


def _parsed(text: str) -> Json:
    """The list or object that a text holds; None where it holds none."""
    try:
        value, end = decode(text, len(text) - len(text.lstrip()))
    except (json.JSONDecodeError, JsonFault):
        return None
    return value if isinstance(value, list | dict) and not text[end:].strip() else None
