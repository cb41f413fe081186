"""Prompts of one side of the split that stand, word for word, inside a text of the other.

    prompt  How long do I boil an egg of middle size until it is hard?
    text    ... somebody asked: "How long do I boil an egg of middle size until it is hard?" ...

A prompt is looked for by that run of its words which is rarest among the held-out rows.
Held-out rows are kept in memory (they are few), training rows pass by.

Shapes: E rows, G runs of all held-out texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.data.near.grams import run_hashes
from tunesmith.data.near.text import words

RUN = 8
"""Words of a run, and the fewest that a prompt can be looked for by."""
_MOST_HELD = 20_000
"""Held-out rows that are compared; beyond, every n-th."""
_MOST_ALIKE = 200
"""Held-out texts with one and the same rare run that are compared with a prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Containment:
    """A held-out row and a training row of which one holds the other's prompt."""

    held_out: int
    trained: int
    prompt_is_held_out: bool
    prompt: str


def find_contained(
    text_of: Callable[[int], tuple[str, str]], is_held_out_E: NDArray[np.bool_], fewest: int
) -> list[Containment]:
    """Of each held-out row the first containment, in the order of the held-out rows.

    Args:
        text_of: the prompt of a row that is looked for, and all that the row says, the prompt
            included; asked once for each, the held-out ones first.
        is_held_out_E: the split.
        fewest: words of a prompt that is looked for.
    """
    held = np.flatnonzero(is_held_out_E)
    held = held[:: max(1, -(-len(held) // _MOST_HELD))]
    index = _Index(max(fewest, RUN), held.tolist(), text_of)
    found: dict[int, Containment] = {}
    for trained in np.flatnonzero(~is_held_out_E).tolist():
        prompt, text = text_of(trained)
        for one in index.matches(trained, words(prompt), words(text)):
            found.setdefault(one.held_out, one)
    return [found[held_out] for held_out in sorted(found)]


class _Index:
    """Prompts and texts of the held-out rows, by their runs of words."""

    def __init__(
        self, fewest: int, held: list[int], text_of: Callable[[int], tuple[str, str]]
    ) -> None:
        self._fewest = fewest
        self._texts: list[str] = []
        self._held = held
        runs, owners = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.int32)]
        prompts: dict[str, list[int]] = {}
        for place, index in enumerate(held):
            prompt, said = (words(text) for text in text_of(index))
            found = run_hashes(said, RUN)
            runs.append(found)
            owners.append(np.full(len(found), place, dtype=np.int32))
            self._texts.append(_padded(said))
            if len(prompt) >= fewest:
                prompts.setdefault(_padded(prompt), []).append(index)
        runs_G, owners_G = np.concatenate(runs), np.concatenate(owners)
        order_G = np.argsort(runs_G, kind="stable")
        self._runs_G, self._owners_G = runs_G[order_G], owners_G[order_G]
        self._prompts: dict[int, list[tuple[str, list[int]]]] = {}
        for looked_for, indices in prompts.items():
            run, _, _ = self._rarest(looked_for.split())
            self._prompts.setdefault(run, []).append((looked_for, indices))

    def matches(self, trained: int, prompt: list[str], said: list[str]) -> Iterator[Containment]:
        """What a training row has to do with the held-out rows."""
        runs = set(run_hashes(said, RUN).tolist())
        known = self._prompts.keys() & runs
        text = _padded(said) if known else ""
        for run in known:
            for looked_for, indices in self._prompts[run]:
                if looked_for in text:
                    for index in indices:
                        yield _containment(index, trained, looked_for, is_held_out=True)
        if len(prompt) < self._fewest:
            return
        _, begin, count = self._rarest(prompt)
        looked_for = _padded(prompt) if count else ""
        for owner in self._owners_G[begin : begin + min(count, _MOST_ALIKE)].tolist():
            if looked_for in self._texts[owner]:
                yield _containment(self._held[owner], trained, looked_for, is_held_out=False)

    def _rarest(self, prompt: list[str]) -> tuple[int, int, int]:
        """The run of a prompt that the fewest held-out texts have: its hash, place and count."""
        runs = run_hashes(prompt, RUN)
        begins = np.searchsorted(self._runs_G, runs, side="left")
        counts = np.searchsorted(self._runs_G, runs, side="right") - begins
        rarest = int(np.argmin(counts))
        return int(runs[rarest]), int(begins[rarest]), int(counts[rarest])


def _padded(found: list[str]) -> str:
    """Words between spaces, so that one text holds another exactly where its words do."""
    return f" {' '.join(found)} "


def _containment(held_out: int, trained: int, prompt: str, *, is_held_out: bool) -> Containment:
    return Containment(
        held_out=held_out, trained=trained, prompt_is_held_out=is_held_out, prompt=prompt.strip()
    )
