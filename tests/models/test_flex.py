"""FlexAttention's mask against the rule (its kernel needs a GPU; the mask does not)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.attention.flex_attention import create_mask

from tests.models.test_segments import tree
from tunesmith.models.attention import layout_of
from tunesmith.models.flex import BLOCK, block_mask

PARENTS = [-1, 0, 1, 1, 3, 0, 5, -1, 7, 7]


@pytest.mark.parametrize("window", [None, 2])
def test_the_mask_is_the_rule(window: int | None) -> None:
    positions, ends = tree(PARENTS)
    layout = layout_of(positions, ends, device=torch.device("cpu"), flexible=True)
    mask = block_mask(layout, window)
    assert block_mask(layout, window) is mask, "made once"
    rule = mask.mask_mod
    dense = create_mask(rule, None, None, BLOCK, BLOCK, device="cpu")[0, 0]
    size = len(PARENTS)
    query, key = np.arange(size)[:, None], np.arange(size)[None]
    expected = (key <= query) & (query < ends[None])
    if window is not None:
        expected &= positions[:, None] - positions[None] < window
    assert np.array_equal(dense[:size, :size].numpy(), expected)
    assert torch.equal(dense[size:, size:], torch.eye(BLOCK - size, dtype=torch.bool))
    assert not dense[size:, :size].any()
    assert not dense[:size, size:].any()
