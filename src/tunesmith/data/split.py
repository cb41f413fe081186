"""Which rows are kept from training: a seeded choice that never divides a group.

A row's *unit* is what stays together: rows that say nearly the same, else its group (same
system prompt and first exchange), else its own content. Units are put in the order of

    mix(key of the unit, seed)

and taken until the held-out side is full. The order depends on nothing but the unit and the
seed: new rows in a file move few of the old ones.

Shapes: R rows, U units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.errors import DataError

OVERSIZED_SHARE = 0.05
OVERSIZED_ROWS = 4
"""A group above both is split: as a whole it would decide what is measured."""
_FILL_UP = 10_000
"""Units that are tried, after the first that does not fit, to fill the last places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What the split knows of each row: 16 bytes, whatever the row's length."""

    digests_R: NDArray[np.uint64]
    groups_R: NDArray[np.uint64]
    """0 for a row without a group."""
    alike: tuple[NDArray[np.uint64], ...] = ()
    """Wider groups of rows that say nearly the same, the widest first (`near.units`)."""

    def __len__(self) -> int:
        return len(self.digests_R)


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversized:
    """A group that was split for its size."""

    row: int
    """Index of its first row."""
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """What the split did not divide."""

    rows: int = 0
    """Rows that stay with others."""
    units: int = 0
    """Units that they form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Indices of rows, ascending; together they are all rows, once each."""

    train: NDArray[np.int64]
    held_out: NDArray[np.int64]
    oversized: tuple[Oversized, ...] = ()
    together: Together = Together()


def key_of(digest: str) -> int:
    """The first 8 bytes of a hexadecimal digest; 0 for none."""
    return int(digest[:16], 16) if digest else 0


def split(keys: Keys, held_out: float | int | None, seed: int) -> Split:
    """Choose the held-out rows.

    Args:
        keys: of all rows.
        held_out: a share below 1, a number of rows, or 0 or None for none.
        seed: of the recipe.

    Raises:
        DataError: there are too few rows, or too few different ones, for both sides.
    """
    everything = np.arange(len(keys), dtype=np.int64)
    if not held_out:
        return Split(train=everything, held_out=everything[:0])
    count = held_out if isinstance(held_out, int) else max(1, round(held_out * len(keys)))
    if count >= len(keys):
        raise DataError(
            f"held_out asks for {count:,} of {len(keys):,} rows, which leaves none to learn from",
            hint="lower data.held_out, or set it to 0 to measure nothing",
        )
    units_R, oversized = _units(keys)
    chosen_U, rows_of_U = np.unique(units_R, return_inverse=True)
    sizes_U = np.bincount(rows_of_U, minlength=len(chosen_U))
    if len(chosen_U) < 2:
        raise DataError(
            f"all {len(keys):,} rows say the same, so none can be held out",
            hint="add different rows, or set data.held_out to 0",
        )
    order_U = np.argsort(_mix(chosen_U, seed), kind="stable")
    taken_U = np.zeros(len(chosen_U), dtype=bool)
    taken_U[_fill(order_U, sizes_U, count)] = True
    is_held_out_R = taken_U[rows_of_U]
    return Split(
        train=everything[~is_held_out_R],
        held_out=everything[is_held_out_R],
        oversized=oversized,
        together=Together(rows=int(sizes_U[sizes_U > 1].sum()), units=int((sizes_U > 1).sum())),
    )


def _units(keys: Keys) -> tuple[NDArray[np.uint64], tuple[Oversized, ...]]:
    """The unit of each row, and the groups that were too large to be one.

    A row's unit is the widest of its groups that is not too large, or its own content.
    """
    limit = max(OVERSIZED_ROWS, OVERSIZED_SHARE * len(keys))
    units_R = keys.digests_R.copy()
    oversized: tuple[Oversized, ...] = ()
    for groups_R in (keys.groups_R, *reversed(keys.alike)):
        _, first_U, rows_of_U, sizes_U = np.unique(
            groups_R, return_index=True, return_inverse=True, return_counts=True
        )
        large_U = (sizes_U > limit) & (groups_R[first_U] != 0)
        if groups_R is keys.groups_R:
            oversized = tuple(
                Oversized(row=int(first_U[unit]), rows=int(sizes_U[unit]))
                for unit in np.flatnonzero(large_U)
            )
        units_R = np.where((groups_R == 0) | large_U[rows_of_U], units_R, groups_R)
    return units_R, oversized


def _fill(order_U: NDArray[np.int64], sizes_U: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Units, in order, whose sizes add up to `count` or as little below it as comes easily."""
    sums_U = np.cumsum(sizes_U[order_U])
    prefix = int(np.searchsorted(sums_U, count, side="right"))
    taken = list(order_U[:prefix])
    missing = count - (int(sums_U[prefix - 1]) if prefix else 0)
    for unit in order_U[prefix : prefix + _FILL_UP]:
        if missing == 0:
            break
        if sizes_U[unit] <= missing:
            taken.append(unit)
            missing -= int(sizes_U[unit])
    if not taken:
        taken = [order_U[np.argmin(sizes_U[order_U])]]
    return np.array(taken, dtype=np.int64)


def _mix(keys_U: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """splitmix64: every bit of key and seed moves every bit of the result."""
    mixed = keys_U + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))
