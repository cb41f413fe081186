"""A sketch of every row: SLOTS minima by which the similarity of two rows is estimated.

    slot k of a row  =  16 bits of  min over its shingles s of hash_k(s)
    share of equal slots of two rows  ~  Jaccard similarity of their shingles

A row costs 2 * SLOTS + 12 bytes, whatever its length. Shapes: R rows, K slots, B rows of a batch.
"""

from __future__ import annotations

from array import array

import numpy as np
import rensa
from numpy.typing import NDArray

from tunesmith.data.near.text import key, normalised, shingles, words

SLOTS = 64
_SEED = 42
_BATCH_ROWS, _BATCH_SHINGLES = 1024, 2**18
"""What waits for its sketch; rows that wait are held as text."""


class Sketches:
    """Grows by one row at a time; the arrays are complete after the last `add`."""

    def __init__(self) -> None:
        """Start without a row."""
        self._keys = array("Q")
        self._sizes = array("I")
        self._blocks: list[NDArray[np.uint16]] = []
        self._waiting: list[set[str]] = []
        self._held = 0

    def add(self, text: str) -> None:
        """Sketch the next row."""
        found = words(text)
        self._keys.append(key(" ".join(found) or normalised(text)))
        tokens = shingles(found)
        self._sizes.append(len(tokens))
        self._waiting.append(tokens)
        self._held += len(tokens)
        if len(self._waiting) == _BATCH_ROWS or self._held >= _BATCH_SHINGLES:
            self._flush()

    def __len__(self) -> int:
        return len(self._keys)

    def keys(self) -> NDArray[np.uint64]:
        """Of each row's normalised text: equal for rows that are copies of one another."""
        return np.array(self._keys, dtype=np.uint64)

    def sizes(self) -> NDArray[np.uint32]:
        """Shingles of each row; 0 for a text without words."""
        return np.array(self._sizes, dtype=np.uint32)

    def slots(self) -> NDArray[np.uint16]:
        """The sketches, shape (R, SLOTS)."""
        self._flush()
        if len(self._blocks) != 1:
            empty = np.zeros((0, SLOTS), dtype=np.uint16)
            self._blocks = [np.concatenate([empty, *self._blocks])]
        return self._blocks[0]

    def _flush(self) -> None:
        if not self._waiting:
            return
        rows = rensa.RMinHash.digests_from_token_sets(self._waiting, SLOTS, _SEED)
        minima_BK = np.array(rows, dtype=np.uint32)
        self._blocks.append(minima_BK.astype(np.uint16))
        self._waiting, self._held = [], 0
