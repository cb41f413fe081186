"""Attention by segment against the forest's rule written out as one mask."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from tunesmith.models.attention import layout_of
from tunesmith.models.segments import AttentionCall, Layout, attend_by_segment, find_segments

CPU = torch.device("cpu")


def tree(parents: list[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions and subtree ends of tokens given by their parents, depth first; -1 is a root."""
    size = len(parents)
    positions = np.zeros(size, dtype=np.int64)
    ends = np.arange(1, size + 1, dtype=np.int64)
    for token, parent in enumerate(parents):
        positions[token] = 0 if parent < 0 else positions[parent] + 1
        while parent >= 0:
            ends[parent] = token + 1
            parent = parents[parent]
    return positions, ends


@st.composite
def forests(draw: st.DrawFn) -> list[int]:
    """Any forest in depth-first order: each token's parent is on the path to the one before."""
    parents = [-1]
    for _ in range(draw(st.integers(0, 25))):
        path = [len(parents) - 1]
        while path[-1] >= 0:
            path.append(parents[path[-1]])
        parents.append(draw(st.sampled_from(path)))
    return parents


def by_rule(
    query: Tensor, key: Tensor, value: Tensor, layout: Layout, call: AttentionCall
) -> Tensor:
    """Softmax over all keys that the rule lets through, in float64."""
    size = query.shape[2]
    index, end = torch.arange(size), torch.from_numpy(layout.subtree_end_S)
    mask = (index[None] <= index[:, None]) & (index[:, None] < end[None])
    if call.window is not None:
        distance = layout.positions_S[:, None] - layout.positions_S[None]
        mask &= distance < call.window
    repeats = query.shape[1] // key.shape[1]
    scores = query @ key.repeat_interleave(repeats, 1).transpose(2, 3) * call.scale
    if call.cap is not None:
        scores = torch.tanh(scores / call.cap) * call.cap
    weights = scores.masked_fill(~mask, float("-inf")).softmax(-1)
    return (weights @ value.repeat_interleave(repeats, 1)).transpose(1, 2)


@settings(max_examples=60, deadline=None)
@given(
    parents=forests(),
    window=st.sampled_from([None, 1, 3]),
    cap=st.sampled_from([None, 2.0]),
    heads=st.sampled_from([(2, 2), (4, 2), (2, 1)]),
)
def test_segments_follow_the_rule(
    parents: list[int], window: int | None, cap: float | None, heads: tuple[int, int]
) -> None:
    positions, ends = tree(parents)
    layout = layout_of(positions, ends, device=CPU, flexible=False)
    torch.manual_seed(0)
    size = len(parents)
    query = torch.randn(1, heads[0], size, 4, dtype=torch.float64, requires_grad=True)
    key, value = (
        torch.randn(1, heads[1], size, 4, dtype=torch.float64, requires_grad=True) for _ in "kv"
    )
    call = AttentionCall(scale=0.7, dropout=0.0, window=window, cap=cap)
    found = attend_by_segment(query, key, value, layout, call)
    expected = by_rule(query, key, value, layout, call)
    assert found.shape == (1, size, heads[0], 4)
    assert found.is_contiguous()
    # The capped path takes its softmax in fp32, as Transformers does.
    close = {"atol": 1e-6, "rtol": 1e-6} if cap is not None else {"atol": 1e-12, "rtol": 1e-12}
    torch.testing.assert_close(found, expected, **close)
    weight = torch.randn_like(found)
    ours = torch.autograd.grad((found * weight).sum(), (query, key, value))
    theirs = torch.autograd.grad((expected * weight).sum(), (query, key, value))
    for left, right in zip(ours, theirs, strict=True):
        torch.testing.assert_close(left, right, **close)


@given(parents=forests())
def test_segments_cover_the_forest_and_know_their_ancestors(parents: list[int]) -> None:
    _, ends = tree(parents)
    segments = find_segments(ends)
    covered = [t for s in segments for t in range(s.start, s.start + s.length)]
    assert covered == list(range(len(parents)))
    for segment in segments:
        seen = {
            t
            for other in segment.ancestors
            for t in range(segments[other].start, segments[other].start + segments[other].length)
        }
        path, token = set(), parents[segment.start]
        while token >= 0:
            path.add(token)
            token = parents[token]
        assert seen == path


def test_rows_side_by_side_are_one_segment_each() -> None:
    segments = find_segments(np.array([3, 3, 3, 5, 5, 6]))
    assert [(s.start, s.length, s.ancestors) for s in segments] == [
        (0, 3, ()),
        (3, 2, ()),
        (5, 1, ()),
    ]
    assert find_segments(np.zeros(0, dtype=np.int64)) == ()


@pytest.mark.parametrize("window", [None, 3, 8])
def test_masks_are_made_only_where_causal_does_not_do(window: int | None) -> None:
    """Rows of 5 and 2 tokens: only a window below 5 needs a mask, and only for the first."""
    layout = layout_of(
        np.array([0, 1, 2, 3, 4, 0, 1]), np.array([5] * 5 + [7] * 2), device=CPU, flexible=False
    )
    states = torch.randn(1, 2, 7, 4)
    call = AttentionCall(scale=1.0, dropout=0.0, window=window, cap=None)
    attend_by_segment(states, states, states, layout, call)
    assert list(layout.masks) == ([(0, 3)] if window == 3 else [])
