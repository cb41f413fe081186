"""Groups of rows that the split keeps together.

Every member is near its group's *leader*, so a group is at most two steps wide: a chain a-b,
b-c, c-d, ... of rows that are pairwise alike does not join what has nothing in common. Leaders
are chosen by how many rows are near them, then by their place.

Shapes: R rows, P pairs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tunesmith.data.near.pairs import NearPairs


def clusters(pairs: NearPairs, rows: int) -> NDArray[np.int64]:
    """The leader of each row; a row that is near no other leads itself."""
    leader_R = np.arange(rows, dtype=np.int64)
    is_near_P = ~pairs.is_copy_P
    first_P, second_P = pairs.first_P[is_near_P], pairs.second_P[is_near_P]
    _follow(leader_R, first_P, second_P)
    copies, originals = pairs.second_P[pairs.is_copy_P], pairs.first_P[pairs.is_copy_P]
    leader_R[copies] = leader_R[originals]
    return leader_R


def _follow(
    leader_R: NDArray[np.int64], first_P: NDArray[np.int64], second_P: NDArray[np.int64]
) -> None:
    """Give each row that is near others its leader."""
    one = np.concatenate([first_P, second_P])
    other = np.concatenate([second_P, first_P])
    order = np.lexsort((other, one))
    one, other = one[order], other[order]
    members, begins, counts = np.unique(one, return_index=True, return_counts=True)
    is_free = np.ones(len(leader_R), dtype=bool)
    for member in np.lexsort((members, -counts)):
        row = members[member]
        if not is_free[row]:
            continue
        is_free[row] = False
        near = other[begins[member] : begins[member] + counts[member]]
        near = near[is_free[near]]
        is_free[near] = False
        leader_R[near] = row
