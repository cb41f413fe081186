"""Attention over a forest by FlexAttention, for CUDA.

The forest's rule is the mask, and a sliding window compares positions:

    k <= q < subtree_end[k]   and   position[q] - position[k] < window

Blocks that the rule leaves empty are never computed. The sequence is padded to whole blocks
with tokens that see themselves only, so that few shapes are compiled.

Shapes: S tokens of the forest, P after padding, H heads, G heads of keys and values, D width.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

from tunesmith.models.segments import AttentionCall, Layout

BLOCK = 128


@cache
def _compiled_attention() -> Callable[..., object]:
    """Compiled when it is first needed: the compiler takes seconds to load."""
    return torch.compile(flex_attention)


def attend_flexibly(
    query_HSD: Tensor, key_GSD: Tensor, value_GSD: Tensor, layout: Layout, call: AttentionCall
) -> Tensor:
    """The same as `attend_by_segment`, in one kernel; attention dropout is not offered.

    Returns:
        `(1, S, H, D)`, contiguous.
    """
    size = query_HSD.shape[2]
    padding = -size % BLOCK
    query, key, value = (
        functional.pad(states, (0, 0, 0, padding)) for states in (query_HSD, key_GSD, value_GSD)
    )
    output = _compiled_attention()(
        query,
        key,
        value,
        score_mod=_capped(call.cap) if call.cap is not None else None,
        block_mask=block_mask(layout, call.window),
        scale=call.scale,
        enable_gqa=key.shape[1] != query.shape[1],
    )
    assert isinstance(output, Tensor), "log-sum-exp was not asked for"
    return output[:, :, :size].transpose(1, 2).contiguous()


def block_mask(layout: Layout, window: int | None) -> BlockMask:
    """The rule as blocks; made once a forest and window."""
    known = layout.block_masks.get(window)
    if known is not None:
        return known
    size = layout.subtree_end_S.shape[0]
    padded = size + -size % BLOCK
    device = layout.subtree_end_S.device
    # A padding token's subtree is itself; its position is its own index, seen by no other.
    end_P = torch.arange(1, padded + 1, device=device)
    end_P[:size] = layout.subtree_end_S
    position_P = torch.arange(padded, device=device)
    position_P[:size] = layout.positions_S
    reach = padded if window is None else window

    def rule(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        descends = (key <= query) & (query < end_P[key])
        return descends & (position_P[query] - position_P[key] < reach)

    mask = create_block_mask(rule, None, None, padded, padded, device=device, BLOCK_SIZE=BLOCK)
    layout.block_masks[window] = mask
    return mask


def _capped(cap: float) -> Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]:
    def modify(score: Tensor, batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return torch.tanh(score / cap) * cap

    return modify
