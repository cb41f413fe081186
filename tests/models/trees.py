"""Rows that share beginnings in every way that trees allow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from tests.models.tiny import VOCABULARY
from tunesmith.contracts import TokenRow
from tunesmith.errors import Place

DEPTH = 5
LONGEST_RUN = 7

TENTHS = st.integers(1, 20).map(lambda tenths: tenths / 10)
WEIGHTS = st.one_of(st.just(0.0), TENTHS)


def row(ids: list[int], weights: list[float]) -> TokenRow:
    return TokenRow(
        ids_T=np.array(ids, dtype=np.int32),
        weights_T=np.array(weights, dtype=np.float32),
        place=Place(file="rows"),
        digest="",
    )


@dataclass
class Node:
    """A run of tokens, perhaps empty, and how it goes on; a row may end here too."""

    run: list[int]
    ends: bool
    children: list[Node] = field(default_factory=list)

    def rows(self, before: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
        """The tokens of every row that ends at this node or below it."""
        path = (*before, *self.run)
        if self.ends or not self.children:
            yield path
        for child in self.children:
            yield from child.rows(path)


def _nodes(depth: int) -> st.SearchStrategy[Node]:
    run = st.lists(st.integers(3, VOCABULARY - 1), max_size=LONGEST_RUN)
    children: st.SearchStrategy[list[Node]] = st.just([])
    if depth > 1:
        # Few go on far below the first forks, so that rows stay a handful.
        children = st.lists(_nodes(depth - 1), max_size=2)
    return st.builds(Node, run=run, ends=st.booleans(), children=children)


@st.composite
def tree_rows(draw: st.DrawFn, most: int = 7) -> list[TokenRow]:
    """Rows of two trees in any order: prefixes of one another, duplicates, rows beside them.

    Trained tokens stand anywhere but first, with weights of 0.1 to 2; some rows have one.
    """
    paths = [list(path) for _ in range(2) for path in draw(_nodes(DEPTH)).rows()]
    paths = [path for path in paths if len(path) > 1]
    if not paths:
        paths = [draw(st.lists(st.integers(3, VOCABULARY - 1), min_size=2, max_size=12))]
    paths += draw(st.lists(st.sampled_from(paths), max_size=2))
    paths = draw(st.permutations(paths))[:most]
    made = []
    for path in paths:
        size = len(path)
        if draw(st.booleans()):
            weights = [0.0] * size
            weights[draw(st.integers(1, size - 1))] = draw(TENTHS)
        else:
            weights = [0.0, *draw(st.lists(WEIGHTS, min_size=size - 1, max_size=size - 1))]
        made.append(row(path, weights))
    return made


BRANCHING = [
    row([5, 6, 7, 8, 9, 10, 11, 12], [0, 0, 0, 1, 1, 0, 1, 1]),
    row([5, 6, 7, 8, 9, 20, 21], [0, 0, 0, 0, 0, 0.5, 0.1]),
    row([5, 6, 7, 8, 9], [0, 2, 0, 0, 0.3]),
    row([5, 6, 7, 8, 9], [0, 2, 0, 0, 0.3]),
    row([5, 6, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39], [0] * 11 + [0.7]),
    row([5, 6, 30, 31, 32, 33, 34, 40, 41, 42, 43, 44, 45, 46, 47, 48], [0, 0.2] + [1] * 14),
    row([5, 40], [0, 1.3]),
    row([50, *range(10, 33)], [0, 0] + [0.9] * 22),
    row([50, 11], [0, 1]),
]
"""A tree of three levels with a prefix of another row, duplicates, and a row beside it."""
