"""The forest: how the rows of a step lie in memory, without padding.

A forest is a flat sequence of tokens, the prefix trees of its rows laid out depth first.
Each token knows its depth in its own row and `subtree_end`, the index after the last token
that descends from it; attention is then one rule, packing included:

    token q attends to token k   when   k <= q < subtree_end[k]

Two rows `a b c` and `d e`, of which `b c` and `e` are trained, become

    ids          a b d        positions    0 1 0        subtree_end  2 2 3
    source_index 0 1 2        target_ids   b c e        rows         0 0 1

The last token of a row that is trained is predicted but never predicts, so it is not in the
sequence, and neither is what follows it. Here trees do not branch: one tree a row.

Shapes: S tokens of the forest, N trained tokens, T tokens of a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.contracts import TokenRow


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

    def path_to(self, index: int) -> NDArray[np.int64]:
        """The indices of the token `index` and of its ancestors, from the root down."""
        before = np.arange(index + 1)
        return before[index < self.subtree_end_S[: index + 1]]


def build_forests(rows: Sequence[tuple[int, TokenRow]], tokens_per_forest: int) -> list[Forest]:
    """Pack rows, in the given order, each into the fullest forest that still has room.

    Args:
        rows: each row with its index within the step.
        tokens_per_forest: room of a forest in tokens; a longer row gets one of its own.

    Returns:
        Forests in the order of their first rows. A row without a trained token is left out:
        it adds nothing to the loss.
    """
    members: list[list[tuple[int, TokenRow, int]]] = []
    room: list[int] = []
    for index, row in rows:
        length = _needed_length(row)
        if length == 0:
            continue
        fitting = [place for place, free in enumerate(room) if free >= length]
        if fitting:
            place = min(fitting, key=lambda candidate: (room[candidate], candidate))
        else:
            place = len(members)
            members.append([])
            room.append(max(tokens_per_forest, length))
        members[place].append((index, row, length))
        room[place] -= length
    return [_forest(group) for group in members]


def _needed_length(row: TokenRow) -> int:
    """How many tokens must be computed: those before the last trained one."""
    trained = np.flatnonzero(row.weights_T > 0)
    return int(trained[-1]) if trained.size else 0


def _forest(group: Sequence[tuple[int, TokenRow, int]]) -> Forest:
    lengths = np.array([length for _, _, length in group], dtype=np.int64)
    ends = np.cumsum(lengths)
    sources, targets, weights, owners = [], [], [], []
    for (index, row, length), end in zip(group, ends, strict=True):
        trained = np.flatnonzero(row.weights_T > 0)
        sources.append(trained - 1 + (end - length))
        targets.append(row.ids_T[trained])
        weights.append(row.weights_T[trained])
        owners.append(np.full(trained.size, index))
    return Forest(
        ids_S=np.concatenate([row.ids_T[:length] for _, row, length in group]).astype(np.int64),
        positions_S=np.concatenate([np.arange(length) for length in lengths]).astype(np.int64),
        subtree_end_S=np.repeat(ends, lengths),
        source_index_N=np.concatenate(sources).astype(np.int64),
        target_ids_N=np.concatenate(targets).astype(np.int64),
        weights_N=np.concatenate(weights).astype(np.float32),
        rows_N=np.concatenate(owners).astype(np.int64),
    )
