"""Tables of blocks against the rule, asked for every pair."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.nn.attention.flex_attention import create_block_mask

from tunesmith.models.blocks import (
    BLOCK,
    BlockTables,
    Listed,
    block_tables,
    padded,
    padded_ends,
    room_for,
)


def random_forest(seed: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions and subtree ends of a forest of runs that fork, padded."""
    random = np.random.default_rng(seed)
    positions, ends = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    path: list[int] = []
    start = 0
    while start < size:
        stay = int(random.integers(0, len(path) + 1)) if random.random() < 0.7 else 0
        for token in path[stay:]:
            ends[token] = start
        del path[stay:]
        length = min(int(random.choice([1, 7, 40, 130, 300, 600])), size - start)
        positions[start : start + length] = np.arange(len(path), len(path) + length)
        path += range(start, start + length)
        start += length
    ends[path] = size
    room = room_for(size)
    return padded(positions, room), padded_ends(ends, room)


def by_rule(
    positions: NDArray[np.int64], ends: NDArray[np.int64], window: int | None
) -> NDArray[np.bool_]:
    query, key = np.arange(ends.size)[:, None], np.arange(ends.size)[None]
    seen = (key <= query) & (query < ends[None])
    if window is not None:
        seen &= positions[:, None] - positions[None] < window
    return np.asarray(seen, dtype=np.bool_)


def marked(listed: Listed) -> NDArray[np.bool_]:
    found = np.zeros(listed.indices_nn.shape, dtype=np.bool_)
    for row, count in enumerate(listed.counts_n):
        columns = listed.indices_nn[row, :count]
        assert (np.diff(columns) > 0).all(), "ascending, each once"
        found[row, columns] = True
    return found


def spread(blocks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.kron(blocks, np.ones((BLOCK, BLOCK), dtype=np.bool_))


def dense(tables: BlockTables, seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What a kernel lets through: full blocks whole, partial ones as the rule says."""
    return spread(marked(tables.full_keys)) | (spread(marked(tables.partial_keys)) & seen)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    size=st.integers(1, 1400),
    window=st.sampled_from([None, 1, 5, 127, 128, 129, 300, 700]),
)
def test_the_blocks_and_the_rule_let_through_what_the_rule_does(
    seed: int, size: int, window: int | None
) -> None:
    positions, ends = random_forest(seed, size)
    seen = by_rule(positions, ends, window)
    tables = block_tables(ends, positions, window)
    assert np.array_equal(dense(tables, seen), seen)
    assert np.array_equal(marked(tables.partial_queries), marked(tables.partial_keys).T)
    assert np.array_equal(marked(tables.full_queries), marked(tables.full_keys).T)
    assert not (marked(tables.full_keys) & marked(tables.partial_keys)).any()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 1400))
def test_without_a_window_no_block_is_masked_that_need_not_be(seed: int, size: int) -> None:
    positions, ends = random_forest(seed, size)
    tables = block_tables(ends, positions, None)
    end_P = torch.from_numpy(ends)
    mask = create_block_mask(
        lambda batch, head, query, key: (key <= query) & (query < end_P[key]),
        None,
        None,
        ends.size,
        ends.size,
        device="cpu",
    )
    assert mask.full_kv_num_blocks is not None
    assert np.array_equal(tables.partial_keys.counts_n, mask.kv_num_blocks[0, 0].numpy())
    assert np.array_equal(tables.full_keys.counts_n, mask.full_kv_num_blocks[0, 0].numpy())


def test_a_window_leaves_out_what_lies_behind_it() -> None:
    """A row of 10 blocks, and a window of 2 of them: each block sees itself and two more."""
    size = 10 * BLOCK
    tables = block_tables(np.full(size, size), np.arange(size), 2 * BLOCK)
    assert tables.full_keys.counts_n.tolist() == [0] + [1] * 9
    assert tables.partial_keys.counts_n.tolist() == [1, 1] + [2] * 8


def test_rooms_are_few_and_little_larger() -> None:
    sizes = np.arange(1, 2**15)
    rooms = np.array([room_for(int(size)) for size in sizes])
    assert (rooms >= sizes).all()
    assert (rooms % BLOCK == 0).all()
    assert (rooms >= 2 * BLOCK).all()
    long = sizes >= 2**12
    assert (rooms[long] <= sizes[long] * (1 + 1 / 32) + 1).all()
    assert len(set(rooms[long].tolist())) == 3 * 32 + 1
    assert [room_for(room) for room in set(rooms.tolist())] == list(set(rooms.tolist()))


@pytest.mark.parametrize("size", [1, 255, 256])
def test_padding_sees_nothing_else_and_is_not_seen(size: int) -> None:
    ends = padded_ends(np.full(size, size), room_for(size))
    seen = by_rule(padded(np.arange(size), ends.size), ends, None)
    assert np.array_equal(seen[size:, size:], np.tri(ends.size - size, dtype=np.bool_))
    assert not seen[size:, :size].any()
    assert not seen[:size, size:].any()
