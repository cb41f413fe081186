"""The forest: how the rows of a step lie in memory, without padding.

A forest is a flat sequence of tokens: the prefix trees of its rows, laid out depth first.
Rows that begin alike share that beginning. Each token knows its depth in its own row and
`subtree_end`, the index after the last token that descends from it; attention is then one
rule, packing included:

    token q attends to token k   when   k <= q < subtree_end[k]

Rows `a b c`, `a b d e` and `f g`, of which `b c`, `d e` and `g` are trained, become

    ids          a b d f      positions    0 1 2 0      subtree_end  3 3 3 4
    source_index 0 1 1 2 3    target_ids   b c d e g    rows         0 0 1 1 2

The last token of a row that is trained is predicted but never predicts, so it is not in the
sequence, and neither is what follows it. A trained token that several rows share stands once
for each of them, with the weight that it has there.

Shapes: S tokens of the forest, N trained tokens, T tokens of a row, L of those that must be
computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tunesmith.contracts import TokenRow

SHORTEST_SHARED = 16
"""Tokens that a common beginning must have: a fork costs more than fewer tokens save."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """Rows of one step in one sequence, and which of its tokens predict a trained one."""

    ids_S: NDArray[np.int64]
    positions_S: NDArray[np.int64]
    subtree_end_S: NDArray[np.int64]
    source_index_N: NDArray[np.int64]
    """Index in the sequence of the token that predicts each trained token."""
    target_ids_N: NDArray[np.int64]
    weights_N: NDArray[np.float32]
    rows_N: NDArray[np.int64]
    """Index within the step of the row that each trained token belongs to."""
    reference_N: NDArray[np.float32] | None = None
    """Log-probabilities under the reference, where the rows carry them."""
    straddles: bool = False
    """Whether its rows lie on either side of `Packing.border`: then none of them share tokens,
    and each needs a forward pass of its own."""

    def path_to(self, index: int) -> NDArray[np.int64]:
        """The indices of the token `index` and of its ancestors, from the root down."""
        before = np.arange(index + 1)
        return before[index < self.subtree_end_S[: index + 1]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """How rows become forests; none of it changes the result, up to rounding."""

    tokens_per_forest: int
    """Room of a forest; what may not be divided and is longer gets one of its own."""
    share: bool = True
    """Whether rows that begin alike share the beginning."""
    shortest_shared: int = SHORTEST_SHARED
    """Fewest tokens that are shared."""
    rows_together: int = 1
    """Rows that follow one another and stay in one forest: 2 for pairs."""
    border: int | None = None
    """Length past which a model treats a whole row differently (longrope). Rows on either side
    of it never share a forest, and a longer one is kept whole: its length is what counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A row as far as it must be computed."""

    index: int
    row: TokenRow
    trained_N: NDArray[np.int64]
    ids_L: NDArray[np.int32]
    key: bytes
    """Orders rows by their tokens; a row that begins another stands before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Growth:
    """A family of rows so far, laid out depth first."""

    rows: tuple[_Row, ...] = ()
    joins: tuple[int, ...] = ()
    """Depth at which each row leaves the path of the row before it."""
    forks: tuple[int, ...] = ()
    """Depths, on the last row's path, at which others have left it; ascending."""
    size: int = 0


def build_forests(rows: Sequence[tuple[int, TokenRow]], packing: Packing) -> list[Forest]:
    """Lay rows out in as few forests as their room allows, without dividing what is shared.

    Args:
        rows: each row with its index within the step.
        packing: room and sharing.

    Returns:
        Forests in the order of their first rows, on either side of the border. A row without a
        trained token is left out: it adds nothing to the loss.
    """
    units = _units(rows, packing)
    if packing.border is None:
        return _packed(units, packing)
    sides: tuple[list[tuple[_Row, ...]], ...] = ([], [])
    straddling = []
    for unit in units:
        past = {row.row.ids_T.size > packing.border for row in unit}
        if len(past) == 1:
            sides[past.pop()].append(unit)
        else:
            family = _grown(_Growth(), unit, replace(packing, share=False))
            straddling.append(replace(_forest([family]), straddles=True))
    return [*_packed(sides[0], packing), *_packed(sides[1], packing), *straddling]


def _packed(units: Sequence[tuple[_Row, ...]], packing: Packing) -> list[Forest]:
    """Families of units, each in the fullest forest that has room for it."""
    groups: list[list[_Growth]] = []
    room: list[int] = []
    for family in _families(units, packing):
        fitting = [place for place, free in enumerate(room) if free >= family.size]
        if fitting:
            place = min(fitting, key=lambda candidate: (room[candidate], candidate))
        else:
            place = len(groups)
            groups.append([])
            room.append(max(packing.tokens_per_forest, family.size))
        groups[place].append(family)
        room[place] -= family.size
    return [_forest(group) for group in groups]


def tokens_alone(row: TokenRow, border: int | None = None) -> int:
    """Tokens that must be computed for a row alone: those before the last trained one.

    A row that is longer than `border` is computed whole.
    """
    trained = np.flatnonzero(row.weights_T > 0)
    if not trained.size:
        return 0
    past = border is not None and row.ids_T.size > border
    return row.ids_T.size if past else int(trained[-1])


def _units(rows: Sequence[tuple[int, TokenRow]], packing: Packing) -> list[tuple[_Row, ...]]:
    """The rows that need computing, those of one unit together."""
    units = []
    for start in range(0, len(rows), packing.rows_together):
        members = []
        for index, row in rows[start : start + packing.rows_together]:
            trained_N = np.flatnonzero(row.weights_T > 0)
            if trained_N.size:
                ids_L = row.ids_T[: tokens_alone(row, packing.border)]
                # Big-endian bytes of numbers that are not negative are ordered as the numbers.
                key = ids_L.astype(">i4").tobytes() if packing.share else b""
                members.append(
                    _Row(index=index, row=row, trained_N=trained_N, ids_L=ids_L, key=key)
                )
        if members:
            units.append(tuple(sorted(members, key=lambda row: (row.key, row.index))))
    return units


def _families(units: Sequence[tuple[_Row, ...]], packing: Packing) -> list[_Growth]:
    """Units that begin alike, divided where they would outgrow a forest; by their first rows."""
    families: list[_Growth] = []
    family = _Growth()
    for unit in sorted(units, key=lambda unit: unit[0].key):
        grown = _grown(family, unit, packing)
        alone = grown.joins[len(family.rows)] == 0
        if family.rows and (alone or grown.size > packing.tokens_per_forest):
            families.append(family)
            grown = _grown(_Growth(), unit, packing)
        family = grown
    if family.rows:
        families.append(family)
    return sorted(families, key=lambda family: min(row.index for row in family.rows))


def _grown(family: _Growth, unit: Sequence[_Row], packing: Packing) -> _Growth:
    """The family with one more unit laid out after it."""
    joins, forks, size = list(family.joins), list(family.forks), family.size
    before = family.rows[-1].ids_L if family.rows else None
    for row in unit:
        join = 0
        if packing.share and before is not None:
            shared = _shared(before, row.ids_L)
            nearest = max((fork for fork in forks if fork <= shared), default=0)
            # A row that goes on where the last one ends makes no fork.
            goes_on = shared == min(before.size, row.ids_L.size)
            enough = shared - nearest >= packing.shortest_shared
            join = shared if enough or (goes_on and shared >= packing.shortest_shared) else nearest
            forks = [fork for fork in forks if fork <= join]
            if join and join < before.size and join not in forks:
                forks.append(join)
        joins.append(join)
        size += row.ids_L.size - join
        before = row.ids_L
    return _Growth(rows=(*family.rows, *unit), joins=tuple(joins), forks=tuple(forks), size=size)


def _shared(first_L: NDArray[np.int32], second_L: NDArray[np.int32]) -> int:
    """How many tokens two rows begin with alike."""
    shorter = min(first_L.size, second_L.size)
    differs = first_L[:shorter] != second_L[:shorter]
    place = int(differs.argmax()) if shorter else 0
    return place if shorter and differs[place] else shorter


def _forest(families: Sequence[_Growth]) -> Forest:
    size = sum(family.size for family in families)
    ids_S = np.empty(size, dtype=np.int64)
    positions_S = np.empty(size, dtype=np.int64)
    subtree_end_S = np.empty(size, dtype=np.int64)
    sources, targets, weights, owners, references = [], [], [], [], []
    path_L = np.empty(0, dtype=np.int64)
    start = 0
    for family in families:
        for row, join in zip(family.rows, family.joins, strict=True):
            end = start + row.ids_L.size - join
            subtree_end_S[path_L[join:]] = start
            ids_S[start:end] = row.ids_L[join:]
            positions_S[start:end] = np.arange(join, row.ids_L.size)
            path_L = np.concatenate([path_L[:join], np.arange(start, end)])
            sources.append(path_L[row.trained_N - 1])
            targets.append(row.row.ids_T[row.trained_N])
            weights.append(row.row.weights_T[row.trained_N])
            owners.append(np.full(row.trained_N.size, row.index))
            if row.row.reference_T is not None:
                references.append(row.row.reference_T[row.trained_N])
            start = end
    subtree_end_S[path_L] = size
    return Forest(
        ids_S=ids_S,
        positions_S=positions_S,
        subtree_end_S=subtree_end_S,
        source_index_N=np.concatenate(sources),
        target_ids_N=np.concatenate(targets).astype(np.int64),
        weights_N=np.concatenate(weights).astype(np.float32),
        rows_N=np.concatenate(owners).astype(np.int64),
        reference_N=np.concatenate(references) if references else None,
    )
