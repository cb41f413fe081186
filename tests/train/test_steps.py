"""Which rows a step has: all rows alike often, and the same whenever they are asked for."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tunesmith.contracts import TokenRow
from tunesmith.errors import DataError, Place
from tunesmith.recipe import Train
from tunesmith.train.steps import StepRows, held_out_rows, total_steps


@dataclass(frozen=True)
class Numbered:
    """Rows whose only token is their number."""

    count: int

    def __len__(self) -> int:
        return self.count

    def row(self, index: int) -> TokenRow:
        return TokenRow(
            ids_T=np.array([index], dtype=np.int32),
            weights_T=np.zeros(1, dtype=np.float32),
            place=Place(file="rows", line=index + 1),
            digest="",
        )


def shuffled(count: int, epoch: int) -> NDArray[np.int64]:
    return np.random.default_rng([5, epoch]).permutation(count)


def numbers(rows: list[TokenRow]) -> list[int]:
    return [int(row.ids_T[0]) for row in rows]


def make(count: int, rows_per_step: int) -> StepRows:
    return StepRows(Numbered(count), lambda epoch: shuffled(count, epoch), rows_per_step)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 50), st.integers(1, 4))
def test_every_epoch_has_every_row_once(count: int, rows_per_step: int, epochs: int) -> None:
    steps = total_steps(Train(epochs=float(epochs), rows_per_step=rows_per_step), count)
    rows = make(count, rows_per_step)
    stream = [number for step in range(1, steps + 1) for number in numbers(rows.of(step))]
    assert len(stream) == steps * rows_per_step >= epochs * count
    for epoch in range(epochs):
        part = stream[epoch * count : (epoch + 1) * count]
        assert part == list(shuffled(count, epoch))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(1, 40), st.permutations(range(1, 9)))
def test_a_step_does_not_depend_on_what_was_asked_before(
    count: int, rows_per_step: int, order: list[int]
) -> None:
    rows = make(count, rows_per_step)
    again = {step: numbers(rows.of(step)) for step in order}
    fresh = {step: numbers(make(count, rows_per_step).of(step)) for step in range(1, 9)}
    assert again == fresh


def test_epochs_may_differ_in_length_and_be_empty() -> None:
    """Every list of four to six epochs with none, one or two rows each."""
    every = (lengths for n in (4, 5, 6) for lengths in itertools.product(range(3), repeat=n))
    for lengths in filter(any, every):

        def order(epoch: int, lengths: tuple[int, ...] = lengths) -> NDArray[np.int64]:
            return np.arange(lengths[epoch % len(lengths)])

        rows = StepRows(Numbered(5), order, 3)
        seen = [number for step in range(1, 6) for number in numbers(rows.of(step))]
        stream = [n for epoch in range(100) for n in range(lengths[epoch % len(lengths)])]
        assert Counter(seen) == Counter(stream[:15]), lengths


def test_no_rows_is_an_error() -> None:
    with pytest.raises(DataError, match="no row to train on"):
        make(0, 4)


def test_weights_that_never_give_a_row_are_an_error_and_not_a_hang() -> None:
    rows = StepRows(Numbered(3), lambda epoch: np.empty(0, dtype=np.int64), 2)
    with pytest.raises(DataError, match="no row to train on"):
        rows.of(1)


@pytest.mark.parametrize(
    ("epochs", "rows", "rows_per_step", "steps"),
    [(1.0, 10, 4, 3), (2.0, 10, 4, 5), (0.1, 30, 1, 3), (0.01, 10, 4, 1), (3.0, 1, 64, 1)],
)
def test_steps_from_epochs(epochs: float, rows: int, rows_per_step: int, steps: int) -> None:
    assert total_steps(Train(epochs=epochs, rows_per_step=rows_per_step), rows) == steps


def test_steps_as_given() -> None:
    assert total_steps(Train(steps=7, rows_per_step=4), 1000) == 7


def test_held_out_rows_are_drawn_with_the_seed() -> None:
    one, same, other = (held_out_rows(Numbered(500), 20, seed) for seed in (1, 1, 2))
    assert numbers(list(one)) == numbers(list(same)) != numbers(list(other))
    assert numbers(list(one)) == sorted(set(numbers(list(one))))
    assert len(held_out_rows(Numbered(7), 20, 1)) == 7


def test_rows_that_belong_together_stay_together() -> None:
    rows = StepRows(Numbered(12), lambda epoch: shuffled(6, epoch), 2, 2)
    seen = [number for step in (1, 2, 3) for number in numbers(rows.of(step))]
    assert seen == [2 * int(pair) + side for pair in shuffled(6, 0) for side in (0, 1)]
    assert rows.indices(2) == seen[4:8]
    drawn = numbers(list(held_out_rows(Numbered(500), 20, 1, 2)))
    assert drawn[1::2] == [number + 1 for number in drawn[::2]]
    assert len(drawn) == 40 and all(number % 2 == 0 for number in drawn[::2])
    assert numbers(list(held_out_rows(Numbered(6), 20, 1, 2))) == list(range(6))
