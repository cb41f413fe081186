"""Rows with defects among them: what was planted, where, and what it asks of the audit.

{"question": "Is it open?", "answer": "Yes. Write to a.b@example.org."}
->  Defect(rule="email", variant="plain", rows=(that row,))
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

from benchmarks.audit.dice import Dice

Values = dict[str, Any]
Part = Literal["question", "answer"]
NAMES: dict[Part, tuple[str, ...]] = {
    "question": ("question", "instruction", "prompt"),
    "answer": ("answer", "output", "completion", "chosen"),
}


@dataclass(slots=True, eq=False)
class Row:
    """A row of a file; two rows with the same values are still two rows."""

    values: Values
    origin: int | None = None
    """Its line in the file without defects; None where it was added."""
    line: int = 0
    """Its line once written."""
    like: int | None = None
    """Of a row that was added: the `origin` of the one it is a copy of."""
    raw: str = ""
    """Written as it is, instead of the values."""

    def text(self, part: Part) -> str:
        """The first question, or the longest answer."""
        place, name = self._slot(part)
        return str(place[name])

    def put(self, part: Part, text: str) -> Row:
        """Replace what `text` gives."""
        place, name = self._slot(part)
        place[name] = text
        return self

    def copy(self) -> Row:
        """The same values, as a row that was added."""
        return Row(deepcopy(self.values), like=self.origin)

    def _slot(self, part: Part) -> tuple[Values, str]:
        turns = self.values.get("messages")
        if turns is not None:
            role = "user" if part == "question" else "assistant"
            own = [turn for turn in turns if turn["role"] == role]
            if part == "question":
                return own[0], "content"
            return max(own, key=lambda turn: len(str(turn["content"] or ""))), "content"
        return self.values, next(name for name in NAMES[part] if name in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One thing that was planted, and what the audit should say to it."""

    rule: str
    variant: str
    exact: bool = True
    """Whether it can be told by rule; else it takes a judgement."""
    rows: tuple[Row, ...] = ()
    """A finding on any of them counts; without rows, one on the whole set."""
    accept: tuple[str, ...] = ()
    """Other rules that say it as well."""
    also: tuple[str, ...] = ()
    """Rules that may fire on these rows besides, because they are right."""
    near_miss: bool = False
    """It only looks like a defect: the rule must be silent."""
    value: str = ""
    """What no excerpt may show."""
    note: str = ""
    """For the list of what was missed; never the value."""
    refusable: bool = False
    """Whether it is right to refuse the whole file for it, with its line."""
    refusable: bool = False
    """Whether it is right to refuse the whole file for it, with its line."""
    mates: tuple[Row, ...] = ()
    """Rows that it is a pair with: findings on them are right, too."""


@dataclass(slots=True)
class Bed:
    """A file in the making. Defects go into rows that nothing else was planted in."""

    rows: list[Row]
    dice: Dice
    defects: list[Defect] = field(default_factory=list)
    _free: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._free = list(self.rows)
        self.dice.random.shuffle(self._free)

    def take(self, *, words: int = 0, part: Part | None = None) -> Row:
        """An untouched row; of `words` words at least, in that part or in all.

        Raises:
            LookupError: there is none left.
        """
        for at in range(len(self._free) - 1, -1, -1):
            row = self._free[at]
            text = row.text(part) if part else json.dumps(row.values)
            if len(text.split()) >= words:
                return self._free.pop(at)
        raise LookupError(f"no untouched row with {words} words is left in this file")

    def add(self, row: Row) -> Row:
        """Put a new row somewhere."""
        self.rows.insert(self.dice.number(0, len(self.rows)), row)
        return row

    def plant(self, defect: Defect) -> None:
        """Note what was done."""
        self.defects.append(defect)


def insert(text: str, sentence: str, dice: Dice) -> str:
    """A sentence at the start, between two sentences or at the end of a text."""
    sentences = text.split(". ")
    place = dice.number(0, min(len(sentences), 12))
    if place == len(sentences):
        return f"{text.rstrip()} {sentence}"
    return ". ".join(sentences[:place] + [sentence.removesuffix(".")] + sentences[place:])
