"""The forest in any Transformers decoder, through Transformers' own interfaces.

An attention function is registered under a name that `set_attn_implementation` selects (for
the proof, under another name, with a mask function); the forest's layout travels as a keyword
argument of the model's forward. Nothing is patched. A model counts as supported when it proves
it: rows in a forest must give what they give alone. Otherwise rows run one at a time.

Shapes: S tokens of a forest, H heads, G heads of keys and values, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel

from tunesmith.data.forest import Packing
from tunesmith.models.causal import causal_model, vocabulary_of
from tunesmith.models.flex import attend_flexibly
from tunesmith.models.fp8 import inputs_unrounded
from tunesmith.models.fused.install import fuse_layers
from tunesmith.models.load import quiet_transformers
from tunesmith.models.rotary import rotary_by_length
from tunesmith.models.segments import AttentionCall, Layout, attend_by_segment, find_segments

NAME = "tunesmith_forest"
_PROOF_NAME = "tunesmith_forest_proof"
_local_sizes: ContextVar[set[int] | None] = ContextVar("local_sizes", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestSupport:
    """Whether a model takes forests, and why not; `reason` is one line for people."""

    supported: bool
    reason: str
    flexible: bool = False
    """FlexAttention computes them (CUDA), else scaled-dot-product attention by segment."""
    border: int | None = None
    """Length past which the model turns the positions of a whole row differently."""

    def fit(self, packing: Packing) -> Packing:
        """The packing that suits the model: rows share nothing where each runs by itself."""
        return replace(packing, border=self.border, share=packing.share and self.supported)


class _Unsupported(Exception):
    """A model asks of attention what the forest does not know."""


class _AttentionArguments(TypedDict, total=False):
    scaling: float | None
    dropout: float
    sliding_window: int | None
    softcap: float | None
    forest_layout: Layout
    is_causal: bool | None
    s_aux: Tensor | None
    position_bias: Tensor | None


def _attend(
    module: nn.Module,
    query_HSD: Tensor,
    key_GSD: Tensor,
    value_GSD: Tensor,
    attention_mask: Tensor | None,
    **arguments: Unpack[_AttentionArguments],
) -> tuple[Tensor, None]:
    """Attention as Transformers calls it; returns `(1, S, H, D)` and no weights."""
    layout = arguments.get("forest_layout")
    if layout is None:
        raise _Unsupported("the forest's layout does not reach the attention layers")
    if attention_mask is not None:
        raise _Unsupported("the model brings an attention mask of its own")
    if arguments.get("s_aux") is not None:
        raise _Unsupported("attention sinks are not known to the forest")
    if arguments.get("position_bias") is not None:
        raise _Unsupported("position biases are not known to the forest")
    if arguments.get("is_causal") is False:
        raise _Unsupported("attention is not causal")
    window = arguments.get("sliding_window")
    scale = arguments.get("scaling")
    call = AttentionCall(
        scale=query_HSD.shape[-1] ** -0.5 if scale is None else scale,
        dropout=arguments.get("dropout", 0.0),
        window=window,
        cap=arguments.get("softcap"),
    )
    layout.calls[module] = call
    attend = attend_flexibly if layout.flexible else attend_by_segment
    return attend(query_HSD, key_GSD, value_GSD, layout, call), None


def _no_mask(*, local_size: int | None = None, **ignored: object) -> None:
    """No mask: the layout is the mask. A local size is noted, for the proof."""
    noted = _local_sizes.get()
    if local_size is not None and noted is not None:
        noted.add(local_size)


for _name in (NAME, _PROOF_NAME):
    AttentionInterface.register(_name, _attend)
# For the proof alone: before it calls a mask function, Transformers reads positions back from
# the device, and the host would wait in every forward. Without one it makes no mask either.
AttentionMaskInterface.register(_PROOF_NAME, _no_mask)


def layout_of(
    positions_S: np.ndarray[tuple[int], np.dtype[np.int64]],
    subtree_end_S: np.ndarray[tuple[int], np.dtype[np.int64]],
    *,
    device: torch.device,
    flexible: bool,
    wanted_U: np.ndarray[tuple[int], np.dtype[np.int64]] | None = None,
) -> Layout:
    """The layout that the attention layers of one forward pass share.

    The last layer may then leave out tokens that are not wanted.
    """
    return Layout(
        segments=find_segments(subtree_end_S),
        positions_S=torch.from_numpy(positions_S).to(device),
        subtree_end_S=torch.from_numpy(subtree_end_S).to(device),
        longest=int(positions_S.max()) + 1,
        wanted_U=None if wanted_U is None else torch.from_numpy(wanted_U).to(device),
        flexible=flexible,
    )


@contextmanager
def stock_attention(model: nn.Module) -> Iterator[None]:
    """Within the block the model attends as Transformers has it: for generating, say."""
    inner = causal_model(model)
    before = inner.config._attn_implementation
    # On Hopper torch prefers cuDNN, which makes a plan for every new length, 50 ms and more:
    # generating has a new length every token.
    planned = torch.backends.cuda.cudnn_sdp_enabled()  # type: ignore[no-untyped-call]
    torch.backends.cuda.enable_cudnn_sdp(False)
    inner.set_attn_implementation(_stock_name(inner))
    try:
        yield
    finally:
        inner.set_attn_implementation(before)
        torch.backends.cuda.enable_cudnn_sdp(planned)


def enable_forest(model: nn.Module, *, fuse: bool = True) -> ForestSupport:
    """Let the model take forests, if it proves that it can.

    Args:
        model: a causal language model, with or without an adapter; afterwards it attends
            over forests if it is supported, and is as before if it is not.
        fuse: whether decoder layers are fused that prove to be of a kind that can be.

    Returns:
        Whether it is supported, with the reason in one line.
    """
    inner = causal_model(model)
    with inputs_unrounded(inner):  # which tells how rows attend, and not how weights multiply
        return _enabled(inner, fuse=fuse)


def _enabled(inner: PreTrainedModel, *, fuse: bool) -> ForestSupport:
    rotary = rotary_by_length(inner)
    border = None if rotary is None else rotary.border
    if rotary is not None and rotary.grows:
        return _refused("its dynamic rotary positions depend on the longest row", border)
    rows = _proof_rows(inner)
    before = _stock_name(inner)
    inner.set_attn_implementation(before)
    alone = [_hidden(inner, row) for row in rows]
    with quiet_transformers():
        inner.set_attn_implementation(_PROOF_NAME)
    if inner.config._attn_implementation != _PROOF_NAME:
        return _refused("its attention is outside Transformers' attention interface", border)
    on_gpu = next(inner.parameters()).device.type == "cuda"
    reason = ""
    for flexible in (True, False) if on_gpu else (False,):
        reason = _proof(inner, rows, alone, flexible=flexible)
        if not reason:
            inner.set_attn_implementation(NAME)
            how = "FlexAttention" if flexible else "scaled-dot-product attention by segment"
            forest = _proof_forest(inner, rows, flexible=flexible)
            layers = _fused(inner, forest) if fuse else ""
            return ForestSupport(
                supported=True,
                reason=f"rows are packed without padding ({how}{layers})",
                flexible=flexible,
                border=border,
            )
    inner.set_attn_implementation(before)
    return _refused(reason, border)


def _fused(inner: PreTrainedModel, forest: _ProofForest) -> str:
    """Fuse layers, and say in words what came of it."""
    fused = fuse_layers(inner, forest.layout, forest.forward)
    found = f", {fused.layers} layers fused" if fused.layers else ""
    return found + (f", others not ({fused.why_not})" if fused.why_not else "")


def _refused(why: str, border: int | None) -> ForestSupport:
    return ForestSupport(supported=False, reason=f"one row at a time: {why}", border=border)


def _stock_name(inner: PreTrainedModel) -> str:
    # Transformers before 5.18 lets sdpa be chosen for Gemma 2, and then drops its soft cap.
    capped = inner.config.get_text_config().to_dict().get("attn_logit_softcapping") is not None
    return "eager" if capped or not inner._supports_sdpa else "sdpa"


def _proof_rows(inner: PreTrainedModel) -> list[list[int]]:
    """Two rows that begin alike, and a third."""
    size = vocabulary_of(inner)
    ids = [7 * step % (size - 1) + 1 for step in range(1, 25)]
    return [ids[:5] + ids[5:9], ids[:5] + ids[9:15], ids[15:22]]


@torch.no_grad()
def _hidden(inner: PreTrainedModel, row: list[int]) -> Tensor:
    ids = torch.tensor([row], device=inner.device)
    positions = torch.arange(len(row), device=inner.device)[None]
    output = inner.base_model(input_ids=ids, position_ids=positions, use_cache=False)
    assert isinstance(output.last_hidden_state, Tensor)
    return output.last_hidden_state[0].float()


@dataclass(frozen=True, slots=True, kw_only=True)
class _ProofForest:
    """The rows of the proof as a forest."""

    layout: Layout
    forward: Callable[[], Tensor]
    """Runs the backbone; its last hidden states (S, D) in fp32."""


def _proof_forest(inner: PreTrainedModel, rows: list[list[int]], *, flexible: bool) -> _ProofForest:
    first, second, third = rows
    ids = torch.tensor([first + second[5:] + third], device=inner.device)
    positions = [*range(9), *range(5, 11), *range(7)]
    ends = [15] * 5 + [9] * 4 + [15] * 6 + [22] * 7
    layout = layout_of(np.array(positions), np.array(ends), device=inner.device, flexible=flexible)

    def forward() -> Tensor:
        output = inner.base_model(
            input_ids=ids,
            position_ids=torch.tensor([positions], device=inner.device),
            use_cache=False,
            forest_layout=layout,
        )
        assert isinstance(output.last_hidden_state, Tensor)
        return output.last_hidden_state[0].float()

    return _ProofForest(layout=layout, forward=forward)


@torch.no_grad()
def _proof(
    inner: PreTrainedModel, rows: list[list[int]], alone: list[Tensor], *, flexible: bool
) -> str:
    """Compare a forest of the rows with the rows alone; empty, or what is wrong."""
    forest = _proof_forest(inner, rows, flexible=flexible)
    noted: set[int] = set()
    token = _local_sizes.set(noted)
    try:
        together = forest.forward()
    except (_Unsupported, TypeError, ValueError, RuntimeError) as error:
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    finally:
        _local_sizes.reset(token)
    if noted != {call.window for call in forest.layout.calls.values() if call.window is not None}:
        return "its local attention is known to its masks only"
    parts = [together[:9], torch.cat([together[:5], together[9:15]]), together[15:]]
    worst = max(
        float((part - other).norm() / other.norm())
        for part, other in zip(parts, alone, strict=True)
    )
    limit = 1e-4 if inner.dtype in (torch.float32, torch.float64) else 3e-2
    return "" if worst <= limit else f"in a forest its rows differ from themselves by {worst:.1g}"
