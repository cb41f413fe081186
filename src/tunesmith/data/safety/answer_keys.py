"""Answers that come again: the same, with the same beginning, or with the same end.

    "Visit acme.example today!"  ->  whole:   "visit acme example today"
    "I hate you. Paris is ..."   ->  begins3: "i hate you"

An answer is known by the hashes of its whole, its first and last three and six words, and the
links near its end. `Repeats` counts hashes in bounded memory: a table with one number a cell
holds the row in which a cell was first met; only what is met again gets an entry, and the
rarest entries go when there are too many.
"""

from __future__ import annotations

import re
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field

KINDS = ("whole", "begins6", "ends6", "link", "begins3", "ends3")
"""The most telling first."""
WHOLE = 400
"""Characters up to which an answer is compared as a whole."""
NEAR_END = 160
"""Characters in which the first words, the last words and the links are looked for."""
CELLS = 1 << 22
ENTRIES = 200_000
ROWS = 12
"""Rows that an entry remembers."""
_WORDS = re.compile(r"\w+")
_LINKS = re.compile(r"(?:https?://|www\.)([\w.-]+(?:/[\w./-]*)?)")


def answer_keys(answer: str) -> Iterator[tuple[str, int]]:
    """Kind and hash of everything that an answer is known by."""
    text = answer.lower()
    first = _WORDS.findall(text[:NEAR_END])
    last = _WORDS.findall(text[-NEAR_END:]) if len(text) > NEAR_END else first
    if len(text) <= WHOLE and first:
        words = first if len(text) <= NEAR_END else _WORDS.findall(text)
        yield "whole", _hashed("whole", words)
    for size in (6, 3):
        if len(first) > size and len(last) > size:
            yield f"begins{size}", _hashed(f"begins{size}", first[:size])
            yield f"ends{size}", _hashed(f"ends{size}", last[-size:])
    end = text[-NEAR_END:]
    if "http" in end or "www." in end:
        for link in dict.fromkeys(_LINKS.findall(end)):
            yield "link", _hashed("link", [link.rstrip("./")])


def end_words(answer: str) -> list[str]:
    """The last words of an answer in small letters."""
    return _WORDS.findall(answer[-NEAR_END:].lower())


def _hashed(kind: str, words: list[str]) -> int:
    body = f"{kind}:{' '.join(words)}".encode("utf-8", "surrogatepass")
    return zlib.crc32(body) << 32 | zlib.adler32(body)


@dataclass(slots=True, kw_only=True)
class Repeat:
    """Something that several answers have in common."""

    kind: str
    key: int
    rows: list[int]
    """The first ones in which it was met, in order."""
    last: int
    """The last one."""
    count: int
    """Rows with an answer that has it."""


@dataclass(slots=True)
class Repeats:
    """Counts what answers have in common."""

    _first: array[int] = field(default_factory=lambda: array("I", bytes(4 * CELLS)))
    _entries: dict[int, Repeat] = field(default_factory=dict)
    _lost: int = 1
    """What was met so often, and no more, may have been forgotten."""

    def add(self, row: int, answer: str) -> None:
        """Count what an answer of a row is known by."""
        for kind, key in answer_keys(answer):
            entry = self._entries.get(key)
            if entry is not None:
                if entry.last != row:
                    entry.count += 1
                    entry.last = row
                    if len(entry.rows) < ROWS:
                        entry.rows.append(row)
                continue
            cell = (key >> 32) % CELLS
            before = self._first[cell]
            if before == 0:
                self._first[cell] = row + 1
            elif before - 1 != row:
                rows = [before - 1, row]
                self._entries[key] = Repeat(kind=kind, key=key, rows=rows, last=row, count=2)
                if len(self._entries) > ENTRIES:
                    self._forget()

    def between(self, least: int, most: float) -> list[Repeat]:
        """What at least so many answers have in common, and at most so many; the largest first."""
        found = [one for one in self._entries.values() if least <= one.count <= most]
        return sorted(found, key=lambda one: (-one.count, KINDS.index(one.kind), one.key))

    def _forget(self) -> None:
        while len(self._entries) > ENTRIES // 2:
            self._lost += 1
            self._entries = {
                key: entry for key, entry in self._entries.items() if entry.count > self._lost
            }
