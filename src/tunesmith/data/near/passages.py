"""Passages of texts, looked for in rows: as a whole, or enough of them in runs of words.

    passage  natalia sold clips to 48 of her friends in april and then she sold half as many
    row      Natalia sold clips to 48 of her friends in April - and then, sold half as many ...
        ->   88 % of its words stand in the row in runs of RUN words

A passage is a text as a whole, a long line of it (a question, an answer), or a block of short
ones (a dialogue). Small edits interrupt the runs and do not hide them. A short passage must be
there unchanged.

Shapes: L passages, G runs of all of them, W words of a passage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.data.near.grams import covered, longest_run, run_hashes, spread_over
from tunesmith.data.near.text import words

RUN = 5
FEW = 8
"""Words of a passage below which it is not looked for in runs."""
_LONG = 40
"""Words of a passage from which the share holds as it is; ..."""
_WHOLE = 13
"""... up to this many, all must be there; in between, a share in between."""
_DIALOGUE = 6
"""Lines of a text beyond which it is a dialogue, whose turns are much like those of others."""
_STRICTER = 0.5
"""Half of what the share leaves out must be there too, of a dialogue."""
_MOST = 12
"""Passages that a row is compared with, those of which it has most."""
_NONE = np.zeros(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Words that are looked for."""

    words: tuple[str, ...]
    stricter: float = 0.0
    """What is needed beyond the share, as a share of the rest."""

    def needed(self, share: float) -> float:
        """The share of its words that must be found."""
        missing = (_LONG - len(self.words)) / (_LONG - _WHOLE)
        return share + (1 - share) * min(max(missing, self.stricter), 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A passage that was found."""

    passage: int
    share: float
    """Of its words that stand in the row."""
    shown: str
    """The longest piece of it that does."""


def spoken(text: str) -> list[str]:
    """The words of a text without signs, which formulas share with one another."""
    return [word for word in words(text) if word[0].isalnum()]


def passages(text: str) -> dict[Passage, None]:
    """The passages of a text, in order, each once."""
    lines = [spoken(line) for line in text.splitlines()]
    stricter = _STRICTER if len(lines) > _DIALOGUE else 0.0
    return dict.fromkeys(
        Passage(words=tuple(found), stricter=stricter) for found in _parts(lines) if found
    )


def _parts(lines: list[list[str]]) -> Iterator[list[str]]:
    """All lines together, the long ones alone, the others in blocks."""
    yield [word for line in lines for word in line]
    shortest = _WHOLE if len(lines) <= _DIALOGUE else _LONG
    block: list[str] = []
    for line in lines:
        if len(line) >= shortest or len(lines) <= 2:
            yield line
            block = []
            continue
        block = block + line
        if len(block) >= _LONG:
            yield block
            block = []


class PassageIndex:
    """All passages by their runs of words."""

    def __init__(self, known: list[Passage], share: float) -> None:
        """Index the passages of FEW words and more.

        Args:
            known: the passages.
            share: of a long passage's words that must be found.
        """
        self._passages = known
        self._share = share
        hashes_L = [
            run_hashes(list(one.words), RUN) if len(one.words) >= FEW else _NONE for one in known
        ]
        sizes = [len(hashes) for hashes in hashes_L]
        self._begins_L = np.cumsum([0, *sizes])
        self._hashes_G = np.concatenate([_NONE, *hashes_L])
        owners_G = np.repeat(np.arange(len(known), dtype=np.int32), sizes)
        order_G = np.argsort(self._hashes_G, kind="stable")
        self._runs_G, self._owners_G = self._hashes_G[order_G], owners_G[order_G]
        self._known = set(self._runs_G.tolist())

    def best(self, text: list[str]) -> Sighting | None:
        """The passage of which most stands in a text, if it is enough."""
        for place in self._candidates(text):
            passage = list(self._passages[place].words)
            is_covered_W = covered(text, passage, RUN)
            share = float(is_covered_W.mean())
            if share >= self._passages[place].needed(self._share):
                shown = longest_run(passage, is_covered_W)
                return Sighting(passage=place, share=share, shown=shown)
        return None

    def _candidates(self, text: list[str]) -> list[int]:
        """Passages of which enough seems to stand in the text, the fullest first."""
        shared = set(run_hashes(text, RUN).tolist()) & self._known
        if not shared:
            return []
        runs = np.array(sorted(shared), dtype=np.uint64)
        begins = np.searchsorted(self._runs_G, runs, side="left").tolist()
        ends = np.searchsorted(self._runs_G, runs, side="right").tolist()
        owners = [self._owners_G[begin:end] for begin, end in zip(begins, ends, strict=True)]
        places, counts = np.unique(np.concatenate(owners), return_counts=True)
        sizes = self._begins_L[places + 1] - self._begins_L[places] + RUN - 1
        possible = np.flatnonzero(counts * RUN >= self._share * sizes)
        most = possible[np.lexsort((places[possible], -counts[possible] / sizes[possible]))]
        likely: list[tuple[float, int]] = []
        for place, size in zip(
            places[most[:_MOST]].tolist(), sizes[most[:_MOST]].tolist(), strict=True
        ):
            share = self._covering(place, runs) / size
            if share >= self._passages[place].needed(self._share):
                likely.append((-share, place))
        return [place for _, place in sorted(likely)]

    def _covering(self, place: int, runs: NDArray[np.uint64]) -> int:
        """Words of a passage that stand in these runs."""
        hashes = self._hashes_G[self._begins_L[place] : self._begins_L[place + 1]]
        nearest = np.searchsorted(runs[:-1], hashes)
        return int(spread_over(runs[nearest] == hashes, RUN).sum())
