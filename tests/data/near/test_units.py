"""Rows that say nearly the same stay on one side, over any number of steps."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.data.near.clusters import clusters
from tunesmith.data.near.pairs import NearPairs
from tunesmith.data.near.units import apart, units_of
from tunesmith.data.split import Keys, split

ROWS = 40
PAIRS = st.lists(
    st.tuples(st.integers(0, ROWS - 1), st.integers(0, ROWS - 1)).filter(lambda p: p[0] < p[1]),
    max_size=12,
    unique=True,
)
GROUPS = st.lists(st.integers(0, 30), min_size=ROWS, max_size=ROWS)


def pairs_of(found: list[tuple[int, int]]) -> NearPairs:
    ordered = sorted(found)
    return NearPairs(
        first_P=np.array([one for one, _ in ordered], dtype=np.int64),
        second_P=np.array([other for _, other in ordered], dtype=np.int64),
        similarity_P=np.full(len(ordered), 0.9, dtype=np.float32),
        is_copy_P=np.zeros(len(ordered), dtype=bool),
    )


@given(PAIRS, GROUPS, st.integers(0, 5))
def test_no_pair_is_divided_unless_its_unit_is_too_large(
    found: list[tuple[int, int]], groups: list[int], seed: int
) -> None:
    pairs = pairs_of(found)
    groups_R = np.array(groups, dtype=np.uint64)
    alike = units_of(pairs, clusters(pairs, ROWS), groups_R)
    assert len(alike) == (2 if found else 0)
    keys = Keys(digests_R=np.arange(1, ROWS + 1, dtype=np.uint64), groups_R=groups_R, alike=alike)
    held_out = set(split(keys, 8, seed).held_out.tolist())
    widest = alike[0] if alike else groups_R
    for one, other in found:
        assert widest[one] == widest[other] != 0
        if np.count_nonzero(widest == widest[one]) <= 4:
            assert (one in held_out) == (other in held_out)


def test_a_chain_stays_together_and_a_giant_falls_apart() -> None:
    groups_R = np.zeros(100, dtype=np.uint64)
    digests_R = np.arange(1, 101, dtype=np.uint64)
    chain = pairs_of([(0, 1), (1, 2), (2, 3)])
    alike = units_of(chain, clusters(chain, 100), groups_R)
    assert len(set(alike[0][:4].tolist())) == 1
    assert set(alike[0][4:].tolist()) == {0}
    for seed in range(20):
        keys = Keys(digests_R=digests_R, groups_R=groups_R, alike=alike)
        held_out = set(split(keys, 10, seed).held_out.tolist())
        assert len(held_out & {0, 1, 2, 3}) in (0, 4)
    giant = pairs_of([(0, other) for other in range(1, 60)])
    alike = units_of(giant, clusters(giant, 100), groups_R)
    keys = Keys(digests_R=digests_R, groups_R=groups_R, alike=alike)
    assert len(split(keys, 10, 0).held_out) == 10


@given(PAIRS, GROUPS, st.sets(st.integers(0, ROWS - 1), min_size=1))
def test_what_is_near_the_other_side_is_trained_on(
    found: list[tuple[int, int]], groups: list[int], chosen: set[int]
) -> None:
    pairs, held_out = pairs_of(found), np.array(sorted(chosen), dtype=np.int64)
    groups_R = np.array(groups, dtype=np.uint64)
    left = set(apart(pairs, held_out, groups_R, 0).tolist())
    assert left <= chosen
    assert all((one in left) == (other in left) for one, other in found)
    members = [{row for row in range(ROWS) if groups[row] == name} for name in set(groups) - {0}]
    for group in members:
        if group <= chosen:
            assert group <= left or not group & left
    for row in chosen - left:
        # A row is only given up for a reason: what is near it, or its group, was not left either.
        together = [set(pair) for pair in found] + [group for group in members if group <= chosen]
        assert any(row in some and not some <= left for some in together)
    enough = apart(pairs, held_out, groups_R, len(left) + 1)
    assert enough.tolist() == held_out.tolist()
