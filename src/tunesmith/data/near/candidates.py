"""Pairs of rows that may be alike, from sketches alone.

    key of tree t  =  four slots, one after the other          (16 bits each)
    rows in the order of their keys: neighbours that agree in three slots are candidates

Sorted keys are trees of slots, read in the order of their leaves (LSH forest; Bawa, Condie and
Ganesan, WWW 2005): where few rows agree, three equal slots make a candidate; where thousands
do, as those of one template, the fourth slot decides which are neighbours, and each row meets
`reach` of them. So a crowd of n rows costs O(n), never O(n^2).

What is kept, of a row's candidates, are the `most` with the greatest *evidence*: the weighted
share of equal slots, where a value that h of R rows hold weighs log(sqrt(R) / h), and nothing
from h = sqrt(R). Words of a template are held by many rows and are no evidence.

Shapes: R rows, K slots, P pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.data.near.sketch import SLOTS

_STEPS = (1, 7, 19)
"""Slots of a tree lie this far apart; each step uses every slot again in another company."""
_BLOCK = 2**16
_WAITING = 2**20
"""Pairs beyond which what the trees found is merged."""
_BUDGET, _BUDGET_A_ROW = 200_000, 1
"""Candidates of all rows together; a comparison takes about a tenth of a millisecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Pairs of rows, first < second, ascending."""

    first_P: NDArray[np.int64]
    second_P: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which pairs are candidates."""

    agreement: float
    """Share of equal slots."""
    evidence: float
    """Weighted share of equal slots."""
    reach: int = 8
    """Neighbours on each side that a row meets in a tree."""
    most: int = 16
    """Candidates of a row."""


def candidates(slots_RK: NDArray[np.uint16], wanted: Wanted) -> Candidates:
    """The pairs among the rows, none of which is a copy of another."""
    rows = len(slots_RK)
    if rows < 2:
        return _unpacked(np.zeros(0, dtype=np.int64), rows)
    weights_KV = _weights(slots_RK)
    kept_P, scores_P = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    fresh = [(kept_P, scores_P)]
    for tree in _trees():
        met_P = _met(slots_RK, tree, wanted.reach)
        fresh.append(_scored(slots_RK, weights_KV, met_P, wanted))
        if sum(len(packed_P) for packed_P, _ in fresh) > _WAITING + wanted.most * rows:
            fresh = [_merged(fresh, rows, wanted.most)]
    kept_P, scores_P = _merged(fresh, rows, wanted.most)
    return _unpacked(np.sort(_within_budget(kept_P, scores_P, rows, wanted.most)), rows)


def _merged(
    found: list[tuple[NDArray[np.int64], NDArray[np.float32]]], rows: int, most: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Each pair once, of those that are among the `most` best of a row: so memory stays bounded.

    What later trees find can only push a pair further back, so nothing is lost by it.
    """
    packed_P, first_P = np.unique(np.concatenate([one for one, _ in found]), return_index=True)
    scores_P = np.concatenate([scores for _, scores in found])[first_P]
    is_best_P = _places(packed_P, scores_P, rows) < most
    return packed_P[is_best_P], scores_P[is_best_P]


def _trees() -> list[list[int]]:
    """The slots of each tree: every step walks all slots once, four a tree but three fresh."""
    return [
        [(begin + place) * step % SLOTS for place in range(4)]
        for step in _STEPS
        for begin in range(0, SLOTS, 3)
    ]


def _weights(slots_RK: NDArray[np.uint16]) -> NDArray[np.float32]:
    """How much a value says, by slot."""
    rows, slots = slots_RK.shape
    weights_KV = np.empty((slots, 2**16), dtype=np.float32)
    for slot in range(slots):
        held_V = np.bincount(slots_RK[:, slot], minlength=2**16)
        weights_KV[slot] = np.maximum(np.log(np.sqrt(rows) / np.maximum(held_V, 1)), 0)
    return weights_KV


def _met(slots_RK: NDArray[np.uint16], tree: list[int], reach: int) -> NDArray[np.int64]:
    """Neighbours that agree in the first three slots of a tree, packed."""
    rows = len(slots_RK)
    keys_R = np.zeros(rows, dtype=np.uint64)
    for slot in tree:
        keys_R = (keys_R << np.uint64(16)) | slots_RK[:, slot]
    order_R = np.argsort(keys_R, kind="stable")
    prefix_R = keys_R[order_R] >> np.uint64(16)
    found = []
    for distance in range(1, min(reach, rows - 1) + 1):
        near = np.flatnonzero(prefix_R[distance:] == prefix_R[:-distance])
        if not len(near):
            break
        one, other = order_R[near], order_R[near + distance]
        found.append(np.minimum(one, other) * rows + np.maximum(one, other))
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def _scored(
    slots_RK: NDArray[np.uint16],
    weights_KV: NDArray[np.float32],
    packed_P: NDArray[np.int64],
    wanted: Wanted,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The pairs that agree enough, and their evidence."""
    kept, scores = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.float32)]
    rows, slots = slots_RK.shape
    columns_K = np.arange(slots)
    for begin in range(0, len(packed_P), _BLOCK):
        block_P = packed_P[begin : begin + _BLOCK]
        one_PK, other_PK = slots_RK[block_P // rows], slots_RK[block_P % rows]
        equal_PK = one_PK == other_PK
        agrees_P = equal_PK.sum(axis=1) >= wanted.agreement * slots
        one_PK, other_PK, equal_PK = one_PK[agrees_P], other_PK[agrees_P], equal_PK[agrees_P]
        mean_PK = (weights_KV[columns_K, one_PK] + weights_KV[columns_K, other_PK]) / 2
        total_P = mean_PK.sum(axis=1)
        shared_P = (mean_PK * equal_PK).sum(axis=1)
        evidence_P = np.where(total_P > 0, shared_P / np.maximum(total_P, 1e-9), 1.0)
        enough_P = evidence_P >= wanted.evidence
        kept.append(block_P[agrees_P][enough_P])
        scores.append(evidence_P[enough_P].astype(np.float32))
    return np.concatenate(kept), np.concatenate(scores)


def _places(
    packed_P: NDArray[np.int64], scores_P: NDArray[np.float32], rows: int
) -> NDArray[np.int64]:
    """The better of a pair's places among those of its two rows; ties go to the earlier rows."""
    order_P = np.lexsort((packed_P, -scores_P))
    ordered_P = packed_P[order_P]
    place_P = np.full(len(packed_P), len(packed_P), dtype=np.int64)
    for row_P in (ordered_P // rows, ordered_P % rows):
        by_row_P = np.argsort(row_P, kind="stable")
        sorted_P = row_P[by_row_P]
        rank_P = np.arange(len(sorted_P)) - np.searchsorted(sorted_P, sorted_P, side="left")
        place_P[order_P[by_row_P]] = np.minimum(place_P[order_P[by_row_P]], rank_P)
    return place_P


def _within_budget(
    packed_P: NDArray[np.int64], scores_P: NDArray[np.float32], rows: int, most: int
) -> NDArray[np.int64]:
    """Of crowded rows fewer pairs are kept each, until all can be compared in time."""
    place_P = _places(packed_P, scores_P, rows)
    # how many pairs are among the best one, the best two, ... of a row
    counts = np.cumsum(np.bincount(place_P, minlength=most)[:most])
    fitting = int(np.searchsorted(counts, _BUDGET + _BUDGET_A_ROW * rows, side="right"))
    return packed_P[place_P < max(1, fitting)]


def _unpacked(packed_P: NDArray[np.int64], rows: int) -> Candidates:
    return Candidates(first_P=packed_P // max(rows, 1), second_P=packed_P % max(rows, 1))
