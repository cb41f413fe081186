"""The split: groups stay together, sizes are met, the seed decides, and nothing is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.data.split import OVERSIZED_ROWS, OVERSIZED_SHARE, Keys, split
from tunesmith.errors import DataError


def keys(digests: list[int], groups: list[int] | None = None) -> Keys:
    return Keys(
        digests_R=np.array(digests, dtype=np.uint64),
        groups_R=np.array(groups if groups is not None else [0] * len(digests), dtype=np.uint64),
    )


def different(rows: int) -> Keys:
    return keys([index * 7919 + 1 for index in range(rows)])


@given(
    groups=st.lists(st.integers(0, 30), min_size=10, max_size=300),
    held_out=st.floats(0.05, 0.9) | st.integers(1, 9),
    seed=st.integers(0, 2**31 - 1),
)
@settings(max_examples=60, deadline=None)
def test_groups_stay_together_and_every_row_is_on_one_side(
    groups: list[int], held_out: float, seed: int
) -> None:
    rows = keys(list(range(1000, 1000 + len(groups))), groups)
    found = split(rows, held_out, seed)
    assert sorted([*found.train, *found.held_out]) == list(range(len(groups)))
    assert len(found.train)
    assert len(found.held_out)
    sides = np.zeros(len(groups), dtype=bool)
    sides[found.held_out] = True
    oversized = {groups[one.row] for one in found.oversized}
    for group in set(groups) - oversized - {0}:
        assert len(set(sides[np.array(groups) == group])) == 1
    limit = max(OVERSIZED_ROWS, OVERSIZED_SHARE * len(groups))
    assert oversized == {g for g in set(groups) - {0} if groups.count(g) > limit}


@pytest.mark.parametrize(
    ("rows", "held_out", "expected"),
    [(100, 0.1, 10), (1000, 0.05, 50), (10, 0.01, 1), (100, 7, 7), (2, 0.5, 1), (3, 1, 1)],
)
def test_sizes_are_met_exactly_where_rows_stand_alone(
    rows: int, held_out: float, expected: int
) -> None:
    assert len(split(different(rows), held_out, 0).held_out) == expected


def test_sizes_are_met_with_groups_of_many_sizes() -> None:
    groups = [group for group in range(1, 200) for _ in range(1 + group % 7)]
    rows = keys(list(range(1000, 1000 + len(groups))), groups)
    assert len(split(rows, 100, 3).held_out) == 100


@pytest.mark.parametrize("nothing", [0, 0.0, None])
def test_nothing_is_held_out_when_asked(nothing: float | None) -> None:
    found = split(different(5), nothing, 0)
    assert list(found.train) == [0, 1, 2, 3, 4]
    assert len(found.held_out) == 0


def test_the_seed_decides() -> None:
    first = split(different(1000), 0.1, 1)
    again = split(different(1000), 0.1, 1)
    other = split(different(1000), 0.1, 2)
    assert list(first.held_out) == list(again.held_out)
    assert list(first.held_out) != list(other.held_out)


def test_the_order_of_the_file_does_not_matter() -> None:
    rows = different(500)
    reversed_rows = keys(rows.digests_R[::-1].tolist())
    chosen = set(rows.digests_R[split(rows, 0.1, 0).held_out].tolist())
    assert chosen == set(reversed_rows.digests_R[split(reversed_rows, 0.1, 0).held_out].tolist())


def test_new_rows_move_few_of_the_old() -> None:
    before = set(split(different(1000), 0.1, 0).held_out.tolist())
    after = set(split(different(1050), 0.1, 0).held_out.tolist())
    assert len(before - after) <= 15


def test_every_row_is_as_likely_as_another() -> None:
    """200 seeds hold out 20 of 100 rows: each is expected 40 times, with deviation 5.7."""
    counts = np.zeros(100)
    for seed in range(200):
        counts[split(different(100), 0.2, seed).held_out] += 1
    assert counts.sum() == 4000
    assert counts.min() > 40 - 4 * 5.7
    assert counts.max() < 40 + 4 * 5.7


def test_copies_stay_together_without_a_group() -> None:
    rows = keys([1, 2, 3, 1, 4, 5, 1, 6])
    for seed in range(20):
        found = split(rows, 3, seed)
        assert {0, 3, 6} <= set(found.held_out.tolist()) or {0, 3, 6} <= set(found.train.tolist())


def test_a_large_group_is_reported_and_split_but_not_its_copies() -> None:
    groups = [9] * 20 + [0] * 80
    digests = [1, 1, *range(2, 100)]
    for seed in range(20):
        found = split(keys(digests, groups), 0.5, seed)
        assert [(one.row, one.rows) for one in found.oversized] == [(0, 20)]
        held_out = set(found.held_out.tolist())
        assert len({0 in held_out, 1 in held_out}) == 1
        assert 0 < len(held_out & set(range(20))) < 20


@pytest.mark.parametrize(
    ("rows", "held_out", "says"),
    [(1, 0.1, "leaves none"), (5, 5, "leaves none"), (5, 6, "leaves none"), (3, 0.9, "leaves")],
)
def test_too_few_rows_are_an_error(rows: int, held_out: float, says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        split(different(rows), held_out, 0)
    assert "set it to 0" in caught.value.hint


def test_rows_that_all_say_the_same_are_an_error() -> None:
    with pytest.raises(DataError, match="say the same"):
        split(keys([7] * 50), 0.1, 0)


def test_millions_of_rows_take_seconds() -> None:
    found = split(different(1_000_000), 0.01, 0)
    assert len(found.held_out) == 10_000


def test_many_copies_without_a_group_stay_together_and_are_no_group() -> None:
    found = split(keys([1] * 30 + list(range(2, 72))), 0.2, 0)
    assert found.oversized == ()
    assert len({index < 30 for index in found.held_out.tolist()}) == 1
