"""What the split keeps together: rows that say nearly the same, directly or over others.

    near pairs (0, 3), (3, 7), groups {7, 8}      ->      0, 3, 7 and 8 stay together

The widest units follow every pair to its end, so that no near copy of a held-out row is
trained on. Where that makes a unit too large, the split falls back to narrower ones, whose
rows all resemble one leader, and at last to the groups alone.

Shapes: R rows, P pairs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunesmith.data.near.pairs import NearPairs


def units_of(
    pairs: NearPairs, leaders_R: NDArray[np.int64], groups_R: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], ...]:
    """Two levels of units for `Keys.alike`, the widest first; none without pairs.

    Args:
        pairs: rows that say nearly the same.
        leaders_R: the leader of each row's cluster; a row alone leads itself.
        groups_R: of each row; 0 for none.
    """
    if not len(pairs):
        return ()
    edges = (pairs.first_P, pairs.second_P)
    rows = np.arange(len(groups_R))
    return (
        _united(edges, groups_R),
        _united((leaders_R, rows), groups_R),
    )


def apart(
    pairs: NearPairs, held_out: NDArray[np.int64], groups_R: NDArray[np.uint64], least: int
) -> NDArray[np.int64]:
    """The held-out rows without those that are near a row that is trained on.

    Only a unit that was too large to stay together leaves such rows behind. They are trained
    on instead, and with them their group, what is near them, and so on.

    Args:
        pairs: rows that say nearly the same.
        held_out: indices of the rows that are held out, ascending.
        groups_R: of each row; 0 for none.
        least: rows that must stay held out; where fewer would, all stay and the audit tells.

    Returns:
        Indices, ascending.
    """
    is_held_out_R = np.zeros(len(groups_R), dtype=bool)
    is_held_out_R[held_out] = True
    _, group_R, sizes_G = np.unique(groups_R, return_inverse=True, return_counts=True)
    is_whole_R = (np.bincount(group_R[held_out], minlength=len(sizes_G)) == sizes_G)[group_R]
    is_whole_R &= groups_R != 0
    while True:
        divided_P = is_held_out_R[pairs.first_P] != is_held_out_R[pairs.second_P]
        given_up_R = is_whole_R & ~is_held_out_R
        broken_G = np.bincount(group_R[given_up_R], minlength=len(sizes_G)) > 0
        broken_R = is_whole_R & is_held_out_R & broken_G[group_R]
        if not divided_P.any() and not broken_R.any():
            break
        is_held_out_R[pairs.first_P[divided_P]] = False
        is_held_out_R[pairs.second_P[divided_P]] = False
        is_held_out_R[broken_R] = False
    left = np.flatnonzero(is_held_out_R)
    return left if len(left) >= least else held_out


def _united(
    edges: tuple[NDArray[np.int64], NDArray[np.int64]], groups_R: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    """Connected rows by the name of one of their groups; rows of a group are connected."""
    own_R = np.arange(len(groups_R)).astype(np.uint64) | np.uint64(1 << 63)
    names_R = np.where(groups_R == 0, own_R, groups_R)
    names_U, unit_R = np.unique(names_R, return_inverse=True)
    parent = list(range(len(names_U)))

    def root(unit: int) -> int:
        while parent[unit] != unit:
            parent[unit] = parent[parent[unit]]
            unit = parent[unit]
        return unit

    differing = unit_R[edges[0]] != unit_R[edges[1]]
    for one, other in zip(
        unit_R[edges[0][differing]].tolist(), unit_R[edges[1][differing]].tolist(), strict=True
    ):
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    roots_U = np.array([root(unit) for unit in range(len(names_U))], dtype=np.int64)
    united_R: NDArray[np.uint64] = names_U[roots_U[unit_R]]
    # A row that is alone needs no unit: its own content is one.
    counts_U = np.bincount(roots_U[unit_R], minlength=len(names_U))
    alone_R = (counts_U[roots_U[unit_R]] == 1) & (groups_R == 0)
    united_R[alone_R] = 0
    return united_R
