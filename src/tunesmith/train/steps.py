"""Which rows each optimizer step learns from: decided by the seed and the step's number alone.

The epochs follow one another in one endless stream of rows, cut every `rows_per_step`:

    epoch 0: c a e b d | epoch 1: b d a c e | ...      3 rows a step: (c a e) (b d b) (d a c)

Where rows belong together, as the two of a pair do, each letter stands for a pair.

So all steps have the same size and all rows the same say; a step may reach into the next
epoch, and the last step of a run is filled up from there. Step s is the same however long
the run is, and needs no memory to find again.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tunesmith.contracts import TokenRow
from tunesmith.errors import DataError
from tunesmith.recipe import Train

_EMPTY_EPOCHS = 20_000
"""Sources of tiny weight give a row once in many epochs; beyond this, never."""


class Rows(Protocol):
    """Rows by index: what `data.store.PackedRows` offers."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def row(self, index: int) -> TokenRow:
        """One of them."""
        ...


EpochOrder = Callable[[int], NDArray[np.int64]]
"""The rows of an epoch (counted from 0), in the order in which they are seen."""


class StepRows:
    """The rows of any step, in memory of one epoch's order at a time."""

    def __init__(
        self, rows: Rows, order: EpochOrder, rows_per_step: int, rows_together: int = 1
    ) -> None:
        """Take rows, and how each epoch orders them.

        Args:
            rows: all rows.
            order: of their examples; an example is a row, or the rows that belong together.
            rows_per_step: examples of a step.
            rows_together: rows that follow one another and are one example: 2 for pairs.

        Raises:
            DataError: there is no row.
        """
        if len(rows) == 0:
            raise _nothing_to_train()
        self._rows = rows
        self._order = order
        self._rows_per_step = rows_per_step
        self._rows_together = rows_together
        self._epoch = 0
        self._indices = order(0)
        self._ends = [int(self._indices.size)]
        """Place in the stream where each epoch that was seen so far ends."""

    def of(self, step: int) -> list[TokenRow]:
        """The rows of `step`, counted from 1."""
        return [self._rows.row(index) for index in self.indices(step)]

    def indices(self, step: int) -> list[int]:
        """Where the rows of `step` stand among all rows."""
        start = (step - 1) * self._rows_per_step
        examples = [self._at(place) for place in range(start, start + self._rows_per_step)]
        together = self._rows_together
        return [index for one in examples for index in range(one * together, (one + 1) * together)]

    def _at(self, place: int) -> int:
        while place >= self._ends[-1]:
            if self._ends[-1] == 0 and len(self._ends) > _EMPTY_EPOCHS:
                raise _nothing_to_train()
            self._ends.append(self._ends[-1] + int(self._enter(len(self._ends)).size))
        epoch = bisect_right(self._ends, place)
        before = self._ends[epoch - 1] if epoch else 0
        return int(self._enter(epoch)[place - before])

    def _enter(self, epoch: int) -> NDArray[np.int64]:
        if epoch != self._epoch:
            self._epoch, self._indices = epoch, self._order(epoch)
        return self._indices


def _nothing_to_train() -> DataError:
    return DataError(
        "there is no row to train on", hint="add rows, lower data.held_out, or raise weights"
    )


def total_steps(settings: Train, epoch_rows: float) -> int:
    """Optimizer steps of a run: `steps`, or enough to see every row `epochs` times.

    Args:
        settings: with `rows_per_step`, and one of `steps` and `epochs`.
        epoch_rows: rows of an epoch, on average.
    """
    if settings.steps is not None:
        return settings.steps
    assert settings.epochs is not None and settings.rows_per_step is not None
    # The small number keeps 0.1 * 30 / 1 from being 4 steps.
    return max(1, math.ceil(settings.epochs * epoch_rows / settings.rows_per_step - 1e-9))


def held_out_rows(rows: Rows, most: int, seed: int, rows_together: int = 1) -> Sequence[TokenRow]:
    """The rows of at most `most` examples, drawn with the seed, in the order of the file."""
    count = len(rows) // rows_together
    if count <= most:
        chosen = np.arange(count)
    else:
        chosen = np.sort(np.random.default_rng([seed, count]).permutation(count)[:most])
    firsts = [int(example) * rows_together for example in chosen]
    return [rows.row(first + number) for first in firsts for number in range(rows_together)]
