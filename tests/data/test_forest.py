"""Forests: every trained token once, with the tokens that it follows, and no padding.

Rows that share much: nothing is lost, divided, or computed more often than alone.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.models.tiny import CONFIGS, tiny_model
from tunesmith.contracts import TokenRow
from tunesmith.data.forest import Forest, Packing, build_forests, tokens_alone
from tunesmith.errors import Place
from tunesmith.methods import sft
from tunesmith.models.adapters import lora
from tunesmith.models.attention import enable_forest
from tunesmith.models.score import forest_scores


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


Label = tuple[int, tuple[int, ...], int, float]
"""Row, tokens before, target, weight."""


@st.composite
def alike_rows(draw: st.DrawFn, most: int = 12) -> list[TokenRow]:
    """Rows over so few tokens that they begin alike more often than not."""
    letters = draw(st.integers(1, 4))
    stems = draw(st.lists(st.lists(st.integers(1, letters), max_size=20), min_size=1, max_size=3))
    made = []
    for _ in range(draw(st.integers(0, most))):
        ids = draw(st.sampled_from(stems)) + draw(st.lists(st.integers(1, letters), max_size=6))
        ids = [*ids, 1]
        weights = draw(
            st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=len(ids), max_size=len(ids))
        )
        made.append(row(ids, [0.0, *weights[1:]]))
    return made


PACKINGS = st.builds(
    Packing,
    tokens_per_forest=st.sampled_from([1, 10, 25, 60, 10_000]),
    share=st.sampled_from([True, True, True, False]),
    shortest_shared=st.sampled_from([1, 2, 16]),
    rows_together=st.sampled_from([1, 1, 2, 3]),
    border=st.sampled_from([None, None, 0, 12]),
)


def labels_of(forest: Forest) -> list[Label]:
    """Every trained token with the row and the path that lead to it."""
    found = []
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
    return found


def expected_labels(rows: list[TokenRow]) -> list[Label]:
    return [
        (index, tuple(one.ids_T[:t].tolist()), int(one.ids_T[t]), float(one.weights_T[t]))
        for index, one in enumerate(rows)
        for t in np.flatnonzero(one.weights_T > 0).tolist()
    ]


def built(rows: list[TokenRow], packing: Packing) -> list[Forest]:
    return build_forests(list(enumerate(rows)), packing)


def computed(forests: list[Forest]) -> int:
    return sum(forest.ids_S.size for forest in forests)


@given(rows=alike_rows(), packing=PACKINGS)
def test_every_label_once_with_its_own_path(rows: list[TokenRow], packing: Packing) -> None:
    forests = built(rows, packing)
    found = [label for forest in forests for label in labels_of(forest)]
    assert Counter(found) == Counter(expected_labels(rows))


@given(rows=alike_rows(), packing=PACKINGS)
def test_a_forest_is_one(rows: list[TokenRow], packing: Packing) -> None:
    """Depth first: subtrees nest, and a token's parent is one less deep; none is there in vain."""
    for forest in built(rows, packing):
        ends = forest.subtree_end_S
        open_ends: list[int] = []
        used = np.zeros(forest.ids_S.size, dtype=bool)
        for index, end in enumerate(ends.tolist()):
            while open_ends and open_ends[-1] <= index:
                open_ends.pop()
            assert index < end <= (open_ends[-1] if open_ends else ends.size)
            assert forest.positions_S[index] == len(open_ends)
            open_ends.append(end)
        for source in forest.source_index_N.tolist():
            used[forest.path_to(source)] = True
        # What follows a row's last label is there only where its whole length counts.
        assert used.all() or packing.border is not None


@given(rows=alike_rows(), packing=PACKINGS)
def test_units_stay_together_and_within_the_room(rows: list[TokenRow], packing: Packing) -> None:
    forests = built(rows, packing)
    unit_of = {index: index // packing.rows_together for index in range(len(rows))}
    homes: dict[int, int] = {}
    for place, forest in enumerate(forests):
        units = {unit_of[index] for index in forest.rows_N.tolist()}
        assert all(homes.setdefault(unit, place) == place for unit in units)
        assert forest.ids_S.size <= packing.tokens_per_forest or len(units) == 1


@given(rows=alike_rows(), packing=PACKINGS)
def test_sharing_never_computes_more(rows: list[TokenRow], packing: Packing) -> None:
    alone = sum(tokens_alone(one, packing.border) for one in rows)
    assert computed(built(rows, replace(packing, share=False))) == alone
    shared = computed(built(rows, replace(packing, share=True)))
    assert shared <= alone


@given(rows=alike_rows(), shortest=st.sampled_from([1, 2, 16]))
def test_all_that_may_be_shared_is(rows: list[TokenRow], shortest: int) -> None:
    """With room for all: one token of a prefix tree each, where one token is worth sharing."""
    packing = Packing(tokens_per_forest=10_000, shortest_shared=shortest)
    size = computed(built(rows, packing))
    paths = {
        tuple(one.ids_T[:length].tolist())
        for one in rows
        for length in range(1, tokens_alone(one) + 1)
    }
    assert size >= len(paths), "a tree has every path"
    if shortest == 1:
        assert size == len(paths), "once"


@given(rows=alike_rows(), data=st.data(), packing=PACKINGS)
def test_the_order_of_rows_does_not_matter(
    rows: list[TokenRow], data: st.DataObject, packing: Packing
) -> None:
    """What is computed, and for whom; equal rows may change places with one another."""
    packing = replace(packing, rows_together=1)
    order = data.draw(st.permutations(range(len(rows))))
    first = built(rows, packing)
    second = build_forests([(index, rows[index]) for index in order], packing)
    assert computed(first) == computed(second)
    found = [Counter(label for one in made for label in labels_of(one)) for made in (first, second)]
    assert found[0] == found[1]


@given(rows=alike_rows(), packing=PACKINGS)
def test_built_again_the_same(rows: list[TokenRow], packing: Packing) -> None:
    for first, second in zip(built(rows, packing), built(rows, packing), strict=True):
        for name in ("ids_S", "positions_S", "subtree_end_S", "source_index_N", "rows_N"):
            assert np.array_equal(getattr(first, name), getattr(second, name)), name


@pytest.mark.parametrize("shared", [0, 600])
def test_building_is_a_small_part_of_a_step(shared: int) -> None:
    """64 rows of 1,000 tokens: under 10 % of a step of the smallest model there is."""
    random = np.random.default_rng(0)
    stem = random.integers(3, 97, shared).tolist()
    rows = [
        row([*stem, *random.integers(3, 97, 1000 - shared).tolist()], [0.0] * 700 + [1.0] * 300)
        for _ in range(64)
    ]
    packing = Packing(tokens_per_forest=16_000)
    model = lora.attach(tiny_model(CONFIGS["llama"]), lora.Config(rank=4))
    support = enable_forest(model)
    torch.manual_seed(0)
    built(rows, packing)
    start = time.process_time()
    forests = built(rows, packing)
    building = time.process_time() - start
    start = time.process_time()
    for forest in forests:
        sft.loss(forest_scores(model, forest, support=support), sft.Config()).backward()
    step = time.process_time() - start
    assert building < 0.1 * (building + step), f"{building:.3f} s beside {step:.3f} s"
