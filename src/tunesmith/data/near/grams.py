"""Runs of words: which ones two texts share, found by hashes and told by words.

    words a b c d, runs of 3   ->   hash(a b c), hash(b c d)

The hashes hold for one process only; whoever finds a run by its hash compares the words.
Shapes: G runs of a text (its words less size plus 1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FACTOR = 0x9E3779B97F4A7C15


def run_hashes(found: list[str], size: int) -> NDArray[np.uint64]:
    """The hash of every run of `size` words; none for a shorter text."""
    count = len(found) - size + 1
    if count < 1:
        return np.zeros(0, dtype=np.uint64)
    words_W = np.fromiter(map(hash, found), dtype=np.int64, count=len(found)).view(np.uint64)
    hashes_G = np.zeros(count, dtype=np.uint64)
    factor = np.uint64(_FACTOR)
    for place in range(size):
        hashes_G = hashes_G * factor + words_W[place : place + count]
    return hashes_G


def covered(text: list[str], part: list[str], size: int) -> NDArray[np.bool_]:
    """Which words of `part` stand in runs of `size` words that `text` has too, by place."""
    runs = {tuple(text[begin : begin + size]) for begin in range(len(text) - size + 1)}
    shared = [tuple(part[begin : begin + size]) in runs for begin in range(len(part) - size + 1)]
    return spread_over(np.array(shared, dtype=np.bool_), size)


def spread_over(is_shared_G: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """The words that shared runs cover."""
    is_covered_W = np.zeros(len(is_shared_G) + size - 1, dtype=np.bool_)
    for place in range(size):
        is_covered_W[place : place + len(is_shared_G)] |= is_shared_G
    return is_covered_W


def longest_run(part: list[str], is_covered_W: NDArray[np.bool_]) -> str:
    """The longest piece of `part` that is covered, to be quoted."""
    best, begin = (0, 0), 0
    for place, is_covered in enumerate([*is_covered_W.tolist(), False]):
        if not is_covered:
            best = max(best, (place - begin, -begin))
            begin = place + 1
    return " ".join(part[-best[1] : -best[1] + best[0]])
