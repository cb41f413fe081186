"""How many questions hold a word, or two words side by side, counted in bounded memory.

    "Is the cf open?"  ->  is, the, cf, open, ?  and  "is the", "the cf", "cf open", "open ?"

Words are counted one by one; where there are too many of them the rarest are forgotten, so
that a count may be too low by `lost`. Pairs are counted in a table of two places each (a
count-min sketch), so that a count may be too high.
"""

from __future__ import annotations

import re
import zlib
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

PLACES = 1 << 21
MOST_WORDS = 300_000
LONGEST = 120
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
    _pairs: array[int] = field(default_factory=lambda: array("I", bytes(4 * PLACES)))
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
        """Count the words of a question, each once."""
        self.words.add(words)
        table = self._pairs
        pairs = pairs_of(words)
        self._in_table += len(pairs)
        for pair in pairs:
            place = zlib.crc32(pair.encode("utf-8", "surrogatepass"))
            table[place % PLACES] += 1
            table[place // 2048] += 1

    def holding(self, word: str) -> int:
        """Questions with a word: at least so many."""
        return self.words.holding(word)

    def holding_pair(self, pair: str) -> int:
        """Questions with two words side by side, less what other pairs in its places may add."""
        place = zlib.crc32(pair.encode("utf-8", "surrogatepass"))
        most = min(self._pairs[place % PLACES], self._pairs[place // 2048])
        return max(1, most - 2 * self._in_table // PLACES)
