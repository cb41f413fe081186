"""Attention over a forest, one scaled-dot-product call a segment.

A segment is a run of tokens without a fork: every ancestor of its first token is an ancestor
of all, and within it attention is causal. So a segment attends to its ancestors' segments,
whole, and to itself. Without shared prefixes a segment is a row, and the call is the
ordinary causal one, whose kernel needs no mask.

    weights = softmax(cap(scale * q k^T)),   cap(x) = c tanh(x / c) where the model has a cap

Shapes: S tokens of the forest, L of a segment, K keys that a segment sees, H heads, G heads
of keys and values, D width of a head. The batch is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tunesmith.models.parts import attend_by_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A run of tokens without a fork, and the segments above it, from the root down."""

    start: int
    length: int
    ancestors: tuple[int, ...]
    descendants_end: int
    """Index after the last token that descends from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionCall:
    """What a layer asks of attention, beside queries, keys and values."""

    scale: float
    dropout: float
    window: int | None
    """Sliding window in positions: a token sees those less than `window` before it."""
    cap: float | None
    """Soft cap of the scores (Gemma 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The shape of one forest, shared by all layers of a forward pass.

    Where FlexAttention computes it, it is padded with a row that no other sees.
    """

    positions_S: Tensor
    depths_S: NDArray[np.int64]
    """The same on the host, where no device need be waited for."""
    subtree_end_S: NDArray[np.int64]
    longest: int
    """Tokens of the longest row."""
    wanted_U: Tensor | None = None
    """Tokens whose last hidden states are asked for, ascending; None for all."""
    beside: tuple[Tensor, ...] = ()
    """What went to the device in the same copy."""
    flexible: bool = False
    """Whether FlexAttention computes it, else scaled-dot-product attention by segment."""
    proved: set[tuple[AttentionCall, torch.Size, torch.Size]] | None = None
    """Calls and shapes for which FlexAttention's gradients were compared with those by segment;
    None where they need not be."""
    masks: dict[tuple[int, int | None], Tensor] = field(default_factory=dict)
    """Masks by segment and window, filled by the first layer that needs them."""
    tables: dict[int | None, tuple[Tensor, ...]] = field(default_factory=dict)
    """The same for FlexAttention, by window."""
    calls: dict[nn.Module, AttentionCall] = field(default_factory=dict)
    """What each attention module asked for; the proof at load looks at it."""
    _found: list[tuple[Segment, ...]] = field(default_factory=list)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Its runs without a fork, found when they are first asked for."""
        if not self._found:
            self._found.append(find_segments(self.subtree_end_S))
        return self._found[0]


def find_segments(subtree_end_S: NDArray[np.int64]) -> tuple[Segment, ...]:
    """Cut a forest at its forks and at its rows' starts."""
    size = subtree_end_S.size
    if size == 0:
        return ()
    # A token continues its segment when it is the only child of the one before.
    only_child = (subtree_end_S[1:] == subtree_end_S[:-1]) & (
        np.arange(1, size) < subtree_end_S[:-1]
    )
    starts = np.concatenate([[0], np.flatnonzero(~only_child) + 1])
    lengths = np.diff(np.concatenate([starts, [size]]))
    segments: list[Segment] = []
    open_segments: list[int] = []
    for index, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
        while open_segments and subtree_end_S[segments[open_segments[-1]].start] <= start:
            open_segments.pop()
        segments.append(
            Segment(
                start=start,
                length=length,
                ancestors=tuple(open_segments),
                descendants_end=int(subtree_end_S[start + length - 1]),
            )
        )
        open_segments.append(index)
    return tuple(segments)


def attend_by_segment(
    query_HSD: Tensor, key_GSD: Tensor, value_GSD: Tensor, layout: Layout, call: AttentionCall
) -> Tensor:
    """Attention of every segment over its ancestors and itself.

    Args:
        query_HSD: queries, `(1, H, S, D)`.
        key_GSD: keys, `(1, G, S, D)`, where G divides H.
        value_GSD: values, like the keys.
        layout: the forest.
        call: scale, window, cap and dropout.

    Returns:
        `(1, S, H, D)`, contiguous.
    """
    # Latent attention has narrower values; autocast leaves queries and values of unlike types.
    alike = query_HSD.shape[-1] == value_GSD.shape[-1] and (
        query_HSD.dtype == key_GSD.dtype == value_GSD.dtype
    )
    if alike and takes_parts(query_HSD, layout, call):
        query_SHD, key_SGD, value_SGD = (
            states.squeeze(0).transpose(0, 1) for states in (query_HSD, key_GSD, value_GSD)
        )
        return attend_by_parts(query_SHD, key_SGD, value_SGD, layout, call.scale)[None]
    lengths = [segment.length for segment in layout.segments]
    # One split, not slices: the gradient of a slice is as long as the whole forest.
    queries = torch.split(query_HSD, lengths, dim=2)
    keys = torch.split(key_GSD, lengths, dim=2)
    values = torch.split(value_GSD, lengths, dim=2)
    outputs = []
    for index, segment in enumerate(layout.segments):
        seen = (*segment.ancestors, index)
        key, value = _joined(keys, seen), _joined(values, seen)
        mask = _mask(layout, index, call.window)
        if call.cap is None:
            output = functional.scaled_dot_product_attention(
                queries[index],
                key,
                value,
                attn_mask=mask,
                dropout_p=call.dropout,
                is_causal=mask is None and segment.length > 1,
                scale=call.scale,
                enable_gqa=key.shape[1] != queries[index].shape[1],
            )
        else:
            output = _attend_capped(queries[index], key, value, mask, call)
        outputs.append(output.transpose(1, 2))
    return torch.cat(outputs, dim=1) if len(outputs) > 1 else outputs[0].contiguous()


def takes_parts(query: Tensor, layout: Layout, call: AttentionCall) -> bool:
    """Whether no score needs a mask, a cap or dropout of its own, so that parts suffice."""
    masked = call.window is not None and layout.longest > call.window
    return query.device.type == "cpu" and not masked and call.cap is None and call.dropout == 0


def _joined(parts: Sequence[Tensor], seen: tuple[int, ...]) -> Tensor:
    if len(seen) == 1:
        return parts[seen[0]]
    return torch.cat([parts[index] for index in seen], dim=2)


def _mask(layout: Layout, index: int, window: int | None) -> Tensor | None:
    """Which keys each token of a segment sees, `(L, K)`; None is plainly causal."""
    segment = layout.segments[index]
    depth = sum(layout.segments[other].length for other in (*segment.ancestors, index))
    if window is not None and depth <= window:
        window = None
    if window is None and not segment.ancestors:
        return None
    if (index, window) not in layout.masks:
        spans = [layout.segments[other] for other in (*segment.ancestors, index)]
        device = layout.positions_S.device
        ranges = [
            torch.arange(span.start, span.start + span.length, device=device) for span in spans
        ]
        seen = torch.cat(ranges)
        own = seen[-segment.length :]
        mask_LK = seen[None, :] <= own[:, None]
        if window is not None:
            distance_LK = layout.positions_S[own][:, None] - layout.positions_S[seen][None, :]
            mask_LK &= distance_LK < window
        layout.masks[index, window] = mask_LK
    return layout.masks[index, window]


def _attend_capped(
    query_HLD: Tensor, key_GKD: Tensor, value_GKD: Tensor, mask: Tensor | None, call: AttentionCall
) -> Tensor:
    """Attention written out, because the fused kernels know no soft cap."""
    repeats = query_HLD.shape[1] // key_GKD.shape[1]
    key_HKD = key_GKD.repeat_interleave(repeats, dim=1)
    value_HKD = value_GKD.repeat_interleave(repeats, dim=1)
    scores_HLK = query_HLD @ key_HKD.transpose(2, 3) * call.scale
    if call.cap is not None:
        scores_HLK = torch.tanh(scores_HLK / call.cap) * call.cap
    if mask is None:
        length = query_HLD.shape[2]
        mask = torch.ones(length, length, dtype=torch.bool, device=query_HLD.device).tril()
    scores_HLK = scores_HLK.masked_fill(~mask, float("-inf"))
    weights_HLK = functional.softmax(scores_HLK, dim=-1, dtype=torch.float32).to(query_HLD.dtype)
    weights_HLK = functional.dropout(weights_HLK, p=call.dropout, training=call.dropout > 0)
    return weights_HLK @ value_HKD
