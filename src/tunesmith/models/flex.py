"""Attention over a forest by FlexAttention, for CUDA.

The forest's rule is the mask, and a sliding window compares positions:

    k <= q < subtree_end[k]   and   position[k] > oldest[q] = position[q] - window

Blocks that the rule leaves empty are never computed, and those that it fills are not masked;
which these are is worked out on the host (`blocks.py`).

It is compiled once for a way of attending, whatever the forest: the number of blocks is a
symbol, whole blocks are known to divide the length, and the forest's arrays are arguments like
any. Were it compiled again and again the compiler would be given up, which is an error here: an
uncompiled call holds the scores of all pairs.

Shapes: P tokens of the padded forest, in n blocks of B tokens, H heads, G heads of keys and
values, D width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch._dynamo import mark_dynamic
from torch.nn.attention.flex_attention import BlockMask, flex_attention

from tunesmith.models.blocks import BLOCK, block_tables
from tunesmith.models.compiled import compiled_apart
from tunesmith.models.segments import AttentionCall, Layout
from tunesmith.models.transfer import sent


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """What a kernel is compiled for."""

    widths: tuple[tuple[int, ...], ...]
    """Heads and width of queries, keys and values."""
    dtype: torch.dtype
    device: torch.device
    scale: float
    cap: float | None
    windowed: bool


def attend_flexibly(
    query_HPD: Tensor, key_GPD: Tensor, value_GPD: Tensor, layout: Layout, call: AttentionCall
) -> Tensor:
    """The same as `attend_by_segment`, in one kernel; attention dropout is not offered.

    Args:
        query_HPD: queries, `(1, H, P, D)`, best a view of memory laid out as `(P, H, D)`.
        key_GPD: keys, `(1, G, P, D)`, where G divides H.
        value_GPD: values, like the keys.
        layout: the forest, padded.
        call: scale, window and cap.

    Returns:
        `(1, P, H, D)`, contiguous.
    """
    assert call.dropout == 0, "attention by segment knows dropout"
    states = _alike([query_HPD, key_GPD, value_GPD])
    window = call.window if call.window is not None and call.window < layout.longest else None
    way = _Way(
        widths=tuple((one.shape[1], one.shape[3]) for one in states),
        dtype=states[0].dtype,
        device=states[0].device,
        scale=call.scale,
        cap=call.cap,
        windowed=window is not None,
    )
    blocks = []
    for one in states:
        by_token = one.squeeze(0).transpose(0, 1)
        in_blocks = by_token.view(-1, BLOCK, *by_token.shape[1:])
        mark_dynamic(in_blocks, 0)
        blocks.append(in_blocks)
    output = _compiled(way)(*blocks, _tables(layout, window), call.scale, call.cap)
    assert isinstance(output, Tensor), "log-sum-exp was not asked for"
    return output.contiguous()


def _alike(states: list[Tensor]) -> list[Tensor]:
    """All in one precision, and all with gradients where one has: fewer cases to compile for."""
    device = states[0].device.type
    dtype = states[0].dtype
    if device != "meta" and torch.is_autocast_enabled(device):
        dtype = torch.get_autocast_dtype(device)
    states = [one.to(dtype) for one in states]
    if torch.is_grad_enabled() and any(one.requires_grad for one in states):
        return [one if one.requires_grad else one.detach().requires_grad_() for one in states]
    return states


@cache
def _compiled(way: _Way) -> Callable[..., object]:
    """The kernel for a way of attending; it is compiled when it is called."""
    return compiled_apart(_attend_blocks)


def _attend_blocks(
    query_nBHD: Tensor,
    key_nBGD: Tensor,
    value_nBGD: Tensor,
    tables: tuple[Tensor, ...],
    scale: float,
    cap: float | None,
) -> object:
    """What is compiled: `(1, P, H, D)`."""
    query, key, value = (
        states.flatten(0, 1).transpose(0, 1)[None] for states in (query_nBHD, key_nBGD, value_nBGD)
    )
    assert query.shape[2] == value.shape[2]
    end_P, position_P, oldest_P = (tables[place].flatten() for place in (8, -2, -1))
    windowed = len(tables) > 9

    def rule(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (key <= query) & (query < end_P[key])

    def rule_within(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        descends = (key <= query) & (query < end_P[key])
        return descends & (position_P[key] > oldest_P[query])

    def capped(score: Tensor, batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return torch.tanh(score / cap) * cap if cap is not None else score

    keys, indices, full_keys, full_indices = (table[None, None] for table in tables[:4])
    queries, query_indices, full_queries, full_query_indices = (
        table[None, None] for table in tables[4:8]
    )
    mask = BlockMask(
        seq_lengths=(query.shape[2], query.shape[2]),
        kv_num_blocks=keys,
        kv_indices=indices,
        full_kv_num_blocks=full_keys,
        full_kv_indices=full_indices,
        q_num_blocks=queries,
        q_indices=query_indices,
        full_q_num_blocks=full_queries,
        full_q_indices=full_query_indices,
        BLOCK_SIZE=(BLOCK, BLOCK),
        mask_mod=rule_within if windowed else rule,
    )
    output = flex_attention(
        query,
        key,
        value,
        score_mod=None if cap is None else capped,
        block_mask=mask,
        scale=scale,
        enable_gqa=key.shape[1] != query.shape[1],
    )
    return output.transpose(1, 2)


def _tables(layout: Layout, window: int | None) -> tuple[Tensor, ...]:
    """The forest's blocks, then the arrays of the rule; made once a forest and window."""
    known = layout.tables.get(window)
    if known is not None:
        return known
    tables = block_tables(layout.subtree_end_S, layout.depths_S, window)
    arrays = []
    for listed in (
        tables.partial_keys,
        tables.full_keys,
        tables.partial_queries,
        tables.full_queries,
    ):
        arrays += [listed.counts_n, listed.indices_nn]
    shape = [layout.subtree_end_S]
    if window is not None:
        shape += [layout.depths_S, layout.depths_S - window]
    arrays += [values.astype(np.int32).reshape(-1, BLOCK) for values in shape]
    made = tuple(sent(arrays, layout.positions_S.device))
    for place, table in enumerate(made):
        mark_dynamic(table, (0, 1) if place < 8 and table.dim() == 2 else 0)
    layout.tables[window] = made
    return made
