"""Forests: every trained token once, with the tokens that it follows, and no padding."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.contracts import TokenRow
from tunesmith.data.forest import Packing, build_forests
from tunesmith.errors import Place


def row(ids: list[int], weights: list[float]) -> TokenRow:
    return TokenRow(
        ids_T=np.array(ids, dtype=np.int32),
        weights_T=np.array(weights, dtype=np.float32),
        place=Place(file="rows"),
        digest="",
    )


def plain(length: int) -> TokenRow:
    """A row of `length` tokens that need computing."""
    return row(list(range(length + 1)), [0.0] * length + [1.0])


def test_the_example_of_the_docstring() -> None:
    rows = [(0, row([1, 2, 3], [0, 1, 1])), (1, row([4, 5], [0, 1]))]
    (forest,) = build_forests(rows, Packing(tokens_per_forest=100))
    assert forest.ids_S.tolist() == [1, 2, 4]
    assert forest.positions_S.tolist() == [0, 1, 0]
    assert forest.subtree_end_S.tolist() == [2, 2, 3]
    assert forest.source_index_N.tolist() == [0, 1, 2]
    assert forest.target_ids_N.tolist() == [2, 3, 5]
    assert forest.rows_N.tolist() == [0, 0, 1]
    assert forest.path_to(1).tolist() == [0, 1]
    assert forest.path_to(2).tolist() == [2]


def test_best_fit_in_the_given_order() -> None:
    lengths = [5, 6, 4, 5]
    forests = build_forests(
        [(index, plain(size)) for index, size in enumerate(lengths)], Packing(tokens_per_forest=10)
    )
    members = [sorted(set(forest.rows_N.tolist())) for forest in forests]
    assert members == [[0, 3], [1, 2]], "the third goes to the fuller of two"


def test_a_long_row_has_a_forest_of_its_own() -> None:
    forests = build_forests(
        [(0, plain(3)), (1, plain(50)), (2, plain(3))], Packing(tokens_per_forest=10)
    )
    assert [forest.ids_S.size for forest in forests] == [6, 50]


def test_rows_without_a_trained_token_are_left_out() -> None:
    assert build_forests([(0, row([1, 2], [0, 0]))], Packing(tokens_per_forest=10)) == []
    assert build_forests([], Packing(tokens_per_forest=10)) == []


ROWS = st.lists(
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from([0.0, 0.5, 1.0])), min_size=1),
    max_size=8,
)


@given(rows=ROWS, room=st.integers(1, 40))
def test_forests_hold_what_the_rows_say(rows: list[list[tuple[int, float]]], room: int) -> None:
    made = [
        row([token for token, _ in given_row], [0.0] + [weight for _, weight in given_row[1:]])
        for given_row in rows
    ]
    forests = build_forests(list(enumerate(made)), Packing(tokens_per_forest=room))
    assert all(
        forest.ids_S.size <= room or len(set(forest.rows_N.tolist())) == 1 for forest in forests
    )
    found = []
    for forest in forests:
        for place, index in enumerate(forest.source_index_N.tolist()):
            path = forest.path_to(index)
            assert forest.positions_S[path].tolist() == list(range(path.size))
            found.append(
                (
                    int(forest.rows_N[place]),
                    tuple(forest.ids_S[path].tolist()),
                    int(forest.target_ids_N[place]),
                    float(forest.weights_N[place]),
                )
            )
    expected = [
        (index, tuple(one.ids_T[:t].tolist()), int(one.ids_T[t]), float(one.weights_T[t]))
        for index, one in enumerate(made)
        for t in np.flatnonzero(one.weights_T > 0).tolist()
    ]
    assert sorted(found) == sorted(expected)
