"""How many questions hold a word, or two words side by side, counted in bounded memory.

    "Is the cf open?"  ->  is, the, cf, open, ?  and  "is the", "the cf", "cf open", "open ?"

Words are counted one by one; where there are too many of them the rarest are forgotten, so
that a count may be too low. Pairs are counted in a table of two places each (a count-min
sketch), so that a count may be too high.
"""

from __future__ import annotations

import re
import zlib
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

PLACES = 1 << 22
WAITING = 1 << 16
MOST_WORDS = 300_000
LONGEST = 240
"""Words of a question that are looked at: half from its beginning, half from its end."""
_WORDS = re.compile(r"\w+|[^\w\s]+")


def words_of(question: str) -> list[str]:
    """Words and signs of a question in small letters."""
    if len(question) > 12 * LONGEST:
        question = f"{question[: 6 * LONGEST]} {question[-6 * LONGEST :]}"
    words = _WORDS.findall(question.lower())
    if len(words) > LONGEST:
        return words[: LONGEST // 2] + words[-LONGEST // 2 :]
    return words


def pairs_of(words: list[str]) -> set[str]:
    """Words that stand side by side."""
    return {f"{first} {second}" for first, second in zip(words, words[1:], strict=False)}


@dataclass(slots=True)
class WordCounts:
    """How many texts hold a word."""

    texts: int = 0
    _counts: Counter[str] = field(default_factory=Counter)
    _lost: int = 0

    def add(self, words: Sequence[str]) -> None:
        """Count the words of a text, each once."""
        self.texts += 1
        self._counts.update(set(words))
        while len(self._counts) > MOST_WORDS:
            self._lost += 1
            self._counts = Counter(
                {word: count for word, count in self._counts.items() if count > self._lost}
            )

    def different(self) -> int:
        """Different words that are remembered."""
        return len(self._counts)

    def holding(self, word: str) -> int:
        """Texts with a word: at least so many."""
        return self._counts.get(word, self._lost)


@dataclass(slots=True)
class QuestionWords:
    """Counts of words and pairs over questions."""

    words: WordCounts = field(default_factory=WordCounts)
    _pairs: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(PLACES, dtype=np.uint32))
    _waiting: array[int] = field(default_factory=lambda: array("I", [0]))
    """Hashes of words in their order, 0 between questions; counted many at a time."""
    _hashes: dict[str, int] = field(default_factory=dict)
    _in_table: int = 0

    @property
    def questions(self) -> int:
        """Questions that were counted."""
        return self.words.texts

    @property
    def vocabulary(self) -> int:
        """Different words that are remembered."""
        return self.words.different()

    def add(self, words: list[str]) -> None:
        """Count the words of a question, each once, and its pairs as often as they come."""
        self.words.add(words)
        known = self._hashes
        self._waiting.extend([known.get(word) or self._hash(word) for word in words])
        self._waiting.append(0)
        if len(self._waiting) > WAITING:
            self._count()

    def holding(self, word: str) -> int:
        """Questions with a word: at least so many."""
        return self.words.holding(word)

    def holding_pair(self, pair: str) -> int:
        """How often two words stand side by side, less what others in their places may add."""
        if len(self._waiting) > 1:
            self._count()
        first, _, second = pair.partition(" ")
        hashes = np.array([self._hash(first), self._hash(second)], dtype=np.uint64)
        most = min(int(self._pairs[places[0]]) for places in _places(hashes[:1], hashes[1:]))
        return max(1, most - 2 * self._in_table // PLACES)

    def _hash(self, word: str) -> int:
        if len(self._hashes) > MOST_WORDS:
            self._hashes.clear()
        value = self._hashes[word] = zlib.crc32(word.encode("utf-8", "surrogatepass")) or 1
        return value

    def _count(self) -> None:
        hashes = np.array(self._waiting, dtype=np.uint64)
        self._waiting = array("I", [0])
        both = (hashes[:-1] != 0) & (hashes[1:] != 0)
        first, second = hashes[:-1][both], hashes[1:][both]
        self._in_table += len(first)
        for places in _places(first, second):
            np.add.at(self._pairs, places, 1)


def _places(
    first: NDArray[np.uint64], second: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The two places of each pair, by multiplicative hashing of both words."""
    mixed = (first * np.uint64(0x9E3779B97F4A7C15)) ^ (second * np.uint64(0xC2B2AE3D27D4EB4F))
    mixed *= np.uint64(0xD6E8FEB86659FD93)
    bits = np.uint64(64 - PLACES.bit_length() + 1)
    return mixed >> bits, (mixed * np.uint64(0xA0761D6478BD642F)) >> bits
