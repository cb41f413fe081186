"""Pairs of rows that say nearly the same.

Shapes: P pairs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class NearPairs:
    """Pairs, ordered by first and then by second row."""

    first_P: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    second_P: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Index of the later row."""
    similarity_P: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    """From 0 to 1."""

    def __len__(self) -> int:
        return len(self.first_P)
