"""Which blocks of a forest's attention hold a pair that is seen, worked out without the pairs.

A token `q` sees `k` when

    k <= q < subtree_end[k]   and   position[q] - position[k] < window

so that of two blocks of B tokens, the keys' j before the queries' i, without a window

    some pair is seen    when   max(subtree_end in j) >  i B
    every pair is seen   when   min(subtree_end in j) >= (i + 1) B

and the block of a token's own is seen in part. With a window the least and greatest positions
of a block decide as well: a block may then be called partial where no pair is seen, which the
rule, asked for each pair of a partial block, puts right; never the other way round.

A forest is padded to whole blocks, and to few sizes, with one more row: ends `3 3 3 4` of four
tokens become `3 3 3 4 256 256 ...`.

Shapes: P tokens after padding, B of a block, n blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 128
_FEWEST = 2
"""Blocks: one block would be compiled for by itself."""
_STEPS = 32
"""Sizes from one power of two to the next, where those are more than a block apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A table of blocks: of each row those that are marked, ascending."""

    counts_n: NDArray[np.int32]
    indices_nn: NDArray[np.int32]
    """Zeros after the marked ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockTables:
    """The blocks that hold a pair that is seen, by queries and by keys."""

    partial_keys: Listed
    """For each block of queries, the blocks of keys that it sees in part."""
    full_keys: Listed
    partial_queries: Listed
    """For each block of keys, the blocks of queries that see it in part."""
    full_queries: Listed


def room_for(size: int) -> int:
    """Tokens that a forest of `size` tokens is padded to."""
    step = max(BLOCK, (1 << max(size - 1, 1).bit_length()) // (2 * _STEPS))
    return max(_FEWEST * BLOCK, size + -size % step)


def padded_ends(subtree_end_S: NDArray[np.int64], room: int) -> NDArray[np.int64]:
    """A forest's `subtree_end`, then that of one more row."""
    return np.concatenate([subtree_end_S, np.full(room - subtree_end_S.size, room)])


def padded(values_S: NDArray[np.int64], room: int) -> NDArray[np.int64]:
    """Positions or ids, then zeros."""
    return np.concatenate([values_S, np.zeros(room - values_S.size, dtype=np.int64)])


def block_tables(
    subtree_end_P: NDArray[np.int64], positions_P: NDArray[np.int64], window: int | None
) -> BlockTables:
    """The tables of a padded forest.

    Args:
        subtree_end_P: of whole blocks.
        positions_P: of the same tokens.
        window: how many positions before its own a token sees, less one; None for all.
    """
    ends_nB = subtree_end_P.reshape(-1, BLOCK)
    start_n = np.arange(ends_nB.shape[0]) * BLOCK
    before_nn = start_n[None] < start_n[:, None]
    some_nn = before_nn & (ends_nB.max(axis=1)[None] > start_n[:, None])
    every_nn = before_nn & (ends_nB.min(axis=1)[None] >= start_n[:, None] + BLOCK)
    if window is not None:
        positions_nB = positions_P.reshape(-1, BLOCK)
        least_n, greatest_n = positions_nB.min(axis=1), positions_nB.max(axis=1)
        some_nn &= least_n[:, None] - greatest_n[None] < window
        every_nn &= greatest_n[:, None] - least_n[None] < window
    partial_nn = some_nn & ~every_nn
    np.fill_diagonal(partial_nn, val=True)
    return BlockTables(
        partial_keys=_listed(partial_nn),
        full_keys=_listed(every_nn),
        partial_queries=_listed(partial_nn.T),
        full_queries=_listed(every_nn.T),
    )


def _listed(marked_nn: NDArray[np.bool_]) -> Listed:
    counts_n = marked_nn.sum(axis=1)
    rows, columns = np.nonzero(marked_nn)
    first_n = np.cumsum(counts_n) - counts_n
    indices_nn = np.zeros(marked_nn.shape, dtype=np.int32)
    indices_nn[rows, np.arange(rows.size) - first_n[rows]] = columns
    return Listed(counts_n=counts_n.astype(np.int32), indices_nn=indices_nn)
