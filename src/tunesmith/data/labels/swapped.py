"""Pairs of rows whose answers seem to have been exchanged, and runs of them that are shifted.

    "What is scurvy?" -> "Gout is ..."      "What is gout?" -> "Scurvy is ..."

The fit of an answer to a question is the share of the question's rare words that the answer
repeats, each word weighing log(1 + rows / rows with it). Two rows are reported when each
one's question is fitted clearly better by the other's answer than by its own:

    fit(q1, a2) - fit(q1, a1)  +  fit(q2, a1) - fit(q2, a2)  >=  gain

A run of rows is reported where the answer of the next row (or of the one before) fits each
question clearly better than its own: a column that slipped by one.

Rows whose own answers fit (the better half) are not looked at again, unless hardly any fits.
A row takes 4 * KEPT bytes; at most MOST_CANDIDATES rows are read again.

Shapes: R rows, W the KEPT rarest words of each question.
"""

from __future__ import annotations

import heapq
import re
import zlib
from array import array
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KEPT = 12
MOST_CANDIDATES = 40_000
_WORDS = 2**20
_IN_ANSWER = np.uint32(2**31)
_NONE = np.uint32(2**30)
_LONGEST = 4000
"""Characters of a question or an answer that are looked at."""
_LEAST_EACH = 0.1
_MOST_SHARED = 400
"""Candidates that may share a word which pairs are looked for by."""
_MOST_STEPS = 20_000_000
_MOST_PARTNERS = 20
_HARDLY = 0.25
"""A fit of most rows below which all are looked at."""
_LEAST_SHIFTED = 0.3
_SHORTEST_RUN = 3
_MOST_APART = 2
_OPENING_MARKS = "\n\t\"'(*-/<>=$[“"
# A word's first letters: close enough to its stem in many languages.
_WORD = re.compile(r"\b(?:\d+|[^\W\d_]{3,7})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """Two rows whose answers belong to each other's question."""

    first: int
    second: int
    gain: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifted:
    """Rows one after the other whose answers stand one row off."""

    first: int
    last: int
    offset: int
    """Where their answers are: 1 for the next row, -1 for the one before."""
    rows: int
    """How many of them were told by their words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misplaced:
    """Answers that belong to other rows."""

    exchanged: tuple[Exchanged, ...] = ()
    shifted: tuple[Shifted, ...] = ()


def _stems(text: str) -> set[str]:
    return set(_WORD.findall(text[:_LONGEST].lower()))


def _spaced(text: str) -> str:
    """A text in small letters whose words have a space before them."""
    text = f" {text[:_LONGEST].lower()}"
    for mark in _OPENING_MARKS:
        if mark in text:
            text = text.replace(mark, " ")
    return text


def _number(stem: str) -> int:
    """1 to _WORDS - 1: 0 stands for no word."""
    return zlib.crc32(stem.encode("utf-8", "surrogatepass")) % (_WORDS - 1) + 1


class ExchangeSearch:
    """Questions and answers as they come; pairs of exchanged answers at the end."""

    def __init__(self) -> None:
        """Begin empty."""
        self._rows = array("q")
        self._words_RW = array("I")
        self._counts = array("I", bytes(4 * _WORDS))

    def add(self, index: int, question: str, answer: str) -> None:
        """Keep the rarest words of a question, and which of them its answer repeats."""
        asked = {_number(stem): stem for stem in sorted(_stems(question))}
        if len(asked) < 2:
            return
        counts = self._counts
        for number in asked:
            counts[number] += 1
        rarest = sorted(asked, key=lambda number: (counts[number], -len(asked[number]), number))
        # A search for each kept word is ten times as fast as all words of the answer.
        said = _spaced(answer)
        kept = [
            number + (int(_IN_ANSWER) if f" {asked[number]}" in said else 0)
            for number in rarest[:KEPT]
        ]
        self._words_RW.extend(kept + [int(_NONE)] * (KEPT - len(kept)))
        self._rows.append(index)

    def misplaced(self, answer_of: Callable[[int], str], gain: float) -> Misplaced:
        """Runs of shifted answers, and rows that gain so much together from exchanging theirs.

        A row is in one pair at most, and in none where it is in a run.

        Args:
            answer_of: the answer of a row by its index; asked for candidates only.
            gain: of both fits together, 0 to 2.
        """
        if len(self._rows) < 2:
            return Misplaced()
        words_RW = np.frombuffer(self._words_RW, dtype=np.uint32).reshape(-1, KEPT)
        numbers_RW = words_RW & (_NONE - np.uint32(1))
        counts = np.frombuffer(self._counts, dtype=np.uint32)
        often_RW = np.maximum(counts[numbers_RW], 1).astype(np.float32)
        weights_RW = np.log1p(np.float32(len(words_RW)) / often_RW)
        weights_RW[(words_RW & _NONE) > 0] = 0
        weights_RW /= weights_RW.sum(axis=1, keepdims=True)
        own_R = (weights_RW * ((words_RW & _IN_ANSWER) > 0)).sum(axis=1)
        looked_at = (len(own_R) + 1) // 2 if np.median(own_R) > _HARDLY else len(own_R)
        order = np.argsort(own_R, kind="stable")[: min(MOST_CANDIDATES, looked_at)]
        places = np.sort(order[own_R[order] < 1 - _LEAST_EACH])
        wanted = set(numbers_RW[places].flat)
        said = [
            {_number(stem) for stem in _stems(answer_of(self._rows[place]))} & wanted
            for place in places
        ]
        gains = _gains(numbers_RW[places], weights_RW[places], said)
        rows = [self._rows[place] for place in places]
        runs = _runs(gains, rows)
        in_run = {
            place
            for place, row in enumerate(rows)
            if any(run.first <= row <= run.last for run in runs)
        }
        pairs = _best_pairs(gains, rows, gain, in_run)
        return Misplaced(exchanged=tuple(pairs), shifted=tuple(runs))


def _gains(
    numbers_RW: NDArray[np.uint32],
    weights_RW: NDArray[np.float32],
    said: Sequence[set[int]],
) -> dict[tuple[int, int], float]:
    """How much better another candidate's answer fits, by question and answer.

    Args:
        numbers_RW: words of each candidate's question.
        weights_RW: theirs, 1 in all.
        said: those words of all questions that its answer holds.
    """
    answers: defaultdict[int, list[int]] = defaultdict(list)
    for candidate, numbers in enumerate(said):
        for number in sorted(numbers):
            answers[number].append(candidate)
    shared = min(_MOST_SHARED, max(20, _MOST_STEPS // (KEPT * max(len(said), 1))))
    gains: dict[tuple[int, int], float] = {}
    for asked, numbers in enumerate(numbers_RW.tolist()):
        words = dict(zip(numbers, weights_RW[asked].tolist(), strict=True))
        own = sum(weight for number, weight in words.items() if number in said[asked])
        fits: defaultdict[int, float] = defaultdict(float)
        for number, weight in words.items():
            having = answers.get(number, ()) if weight > 0 else ()
            if len(having) <= shared:
                for other in having:
                    fits[other] += weight
        better = [
            (own - fit, other)
            for other, fit in fits.items()
            if other != asked and fit - own >= _LEAST_EACH
        ]
        for loss, other in heapq.nsmallest(_MOST_PARTNERS, better):
            gains[asked, other] = -loss
    return gains


def _runs(gains: Mapping[tuple[int, int], float], rows: Sequence[int]) -> list[Shifted]:
    """Runs of rows whose neighbour's answer fits, in order; a row in between may be missing."""
    found: list[Shifted] = []
    for offset in (1, -1):
        told = sorted(
            rows[asked]
            for (asked, other), gain in gains.items()
            if rows[other] - rows[asked] == offset and gain >= _LEAST_SHIFTED
        )
        begin = 0
        for place in range(1, len(told) + 1):
            if place == len(told) or told[place] - told[place - 1] > _MOST_APART:
                if place - begin >= _SHORTEST_RUN:
                    found.append(
                        Shifted(
                            first=told[begin],
                            last=told[place - 1],
                            offset=offset,
                            rows=place - begin,
                        )
                    )
                begin = place
    return sorted(found, key=lambda run: (run.first, run.offset))


def _best_pairs(
    gains: Mapping[tuple[int, int], float],
    rows: Sequence[int],
    least: float,
    without: AbstractSet[int],
) -> list[Exchanged]:
    both = [
        (gain + gains[other, asked], asked, other)
        for (asked, other), gain in gains.items()
        if asked < other and (other, asked) in gains
    ]
    used = set(without)
    found: list[Exchanged] = []
    for gain, first, second in sorted(both, key=lambda one: (-one[0], one[1], one[2])):
        if gain >= least and not {first, second} & used:
            used |= {first, second}
            found.append(Exchanged(first=rows[first], second=rows[second], gain=gain))
    return sorted(found, key=lambda one: one.first)
