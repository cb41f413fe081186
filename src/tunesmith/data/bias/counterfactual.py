"""Rows whose counterpart, the same row said of another group, is absent or answered otherwise.

    "She asked for a loan." -> approved       "He asked for a loan." -> refused

Every term is replaced by its axis and slot, so that a row and its counterparts have one
hash, whichever group they name. A row takes about 30 bytes, and only short rows that mention
one group of an axis are kept.

Shapes: N rows kept for one axis.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.data.bias.lexicon import lexicon
from tunesmith.data.bias.mentions import Reading

MOST_WORDS = 60
"""Words of a row beyond which a counterpart is not looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Counterparts that the data lacks, on one axis."""

    axis: str
    rows: int
    """Short rows that mention one group of the axis only."""
    without: int
    """Those whose counterpart is absent."""
    of_group: dict[str, int]
    first_row: int
    """The first of those without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unequal:
    """A row and its counterpart, whose label is another."""

    axis: str
    first: int
    second: int


class _Axis:
    def __init__(self) -> None:
        self.rows = array("q")
        self.texts = array("Q")
        self.answers = array("Q")
        self.groups = array("B")


class Counterparts:
    """Rows that mention one group, by the hash of what else they say."""

    def __init__(self) -> None:
        """Begin empty."""
        self._axes = {axis: _Axis() for axis in lexicon().axes}

    def add(self, index: int, reading: Reading, *, has_label: bool) -> None:
        """Keep a row where it is short.

        Args:
            index: of the row.
            reading: who it mentions.
            has_label: whether its answer is a label: then counterparts may differ in it.
        """
        if len(reading.tokens) > MOST_WORDS:
            return
        for axis, group in reading.alone(asked_only=has_label).items():
            kept = self._axes[axis]
            question, answer = _named(reading, axis)
            kept.rows.append(index)
            kept.texts.append(_hash(question if has_label else question + answer))
            kept.answers.append(_hash(answer) if has_label else 0)
            kept.groups.append(lexicon().axes[axis].index(group))

    def gaps(self) -> Iterator[Gap]:
        """By axis, where any row was kept."""
        for axis, kept in self._axes.items():
            if len(kept.rows):
                texts_N, groups_N = _arrays(kept)
                lonely_N = ~_has_other_group(texts_N, groups_N)
                names = lexicon().axes[axis]
                counts = np.bincount(groups_N, minlength=len(names))
                first = int(np.flatnonzero(lonely_N)[0]) if lonely_N.any() else 0
                yield Gap(
                    axis=axis,
                    rows=len(kept.rows),
                    without=int(lonely_N.sum()),
                    of_group={name: int(n) for name, n in zip(names, counts, strict=True) if n},
                    first_row=kept.rows[first],
                )

    def unequal(self) -> Iterator[Unequal]:
        """Rows and a counterpart with another label, each row once, in order."""
        for axis, kept in self._axes.items():
            texts_N, groups_N = _arrays(kept)
            order_N = np.argsort(texts_N, kind="stable")
            same = np.flatnonzero(np.diff(texts_N[order_N]) == 0)
            pairs = []
            for place in same:
                first, second = int(order_N[place]), int(order_N[place + 1])
                answers = (kept.answers[first], kept.answers[second])
                differ = groups_N[first] != groups_N[second] and answers[0] != answers[1]
                if differ and 0 not in answers:
                    pairs.append((kept.rows[first], kept.rows[second]))
            for first, second in sorted(pairs):
                yield Unequal(axis=axis, first=first, second=second)


def _named(reading: Reading, axis: str) -> tuple[list[str], list[str]]:
    """The tokens of question and answer, the axis' terms replaced by their slots."""
    terms = {one.start: one.term for one in reading.mentions if one.term.axis == axis}
    named: tuple[list[str], list[str]] = ([], [])
    place = 0
    while place < len(reading.tokens):
        term = terms.get(place)
        token = reading.tokens[place] if term is None else f"\0{term.slot}"
        named[place >= reading.answer_at].append(token)
        place += 1 if term is None else len(term.words)
    return named


def _hash(words: Sequence[str]) -> int:
    """Eight bytes of a hash; never 0."""
    text = " ".join(words).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") or 1


def _arrays(kept: _Axis) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
    return np.array(kept.texts, dtype=np.uint64), np.array(kept.groups, dtype=np.uint8)


def _has_other_group(texts_N: NDArray[np.uint64], groups_N: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether a row of the same text names another group."""
    _, number_N = np.unique(texts_N, return_inverse=True)
    lowest = np.full(int(number_N.max()) + 1, 255, dtype=np.uint8)
    highest = np.zeros_like(lowest)
    np.minimum.at(lowest, number_N, groups_N)
    np.maximum.at(highest, number_N, groups_N)
    differs = lowest != highest
    return np.asarray(differs[number_N], dtype=np.bool_)
