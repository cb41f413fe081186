"""The forest in any Transformers decoder, through Transformers' own interfaces.

An attention function is registered under a name that `set_attn_implementation` selects (for
the proof, under another name, with a mask function); the forest's layout travels as a keyword
argument of the model's forward. Nothing is patched. A model counts as supported when it proves
it: rows in a forest must give what they give alone. Otherwise rows run one at a time.

Shapes: S tokens of a forest, H heads, G heads of keys and values, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, TypedDict, Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel

from tunesmith.data.forest import Packing
from tunesmith.models.blocks import padded, padded_ends, room_for
from tunesmith.models.causal import causal_model, vocabulary_of
from tunesmith.models.compiled import compile_faults, said
from tunesmith.models.flex import attend_flexibly
from tunesmith.models.fp8 import inputs_unrounded
from tunesmith.models.fused.install import fuse_layers
from tunesmith.models.load import quiet_transformers
from tunesmith.models.precision import products
from tunesmith.models.rotary import rotary_by_length
from tunesmith.models.segments import AttentionCall, Layout, attend_by_segment
from tunesmith.models.transfer import sent

NAME = "tunesmith_forest"
_PROOF_NAME = "tunesmith_forest_proof"
_ROUGH = 3e-2
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
    if not layout.flexible or call.dropout > 0:
        return attend_by_segment(query_HSD, key_GSD, value_GSD, layout, call), None
    _prove_gradients(query_HSD, key_GSD, value_GSD, layout, call)
    return attend_flexibly(query_HSD, key_GSD, value_GSD, layout, call), None


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
    positions_S: NDArray[np.int64],
    subtree_end_S: NDArray[np.int64],
    *,
    device: torch.device,
    flexible: bool,
    wanted_U: NDArray[np.int64] | None = None,
    beside: Sequence[NDArray[Any]] = (),
) -> Layout:
    """The layout that the attention layers of one forward pass share.

    Args:
        positions_S: of the forest's tokens.
        subtree_end_S: of the same.
        device: where the layers run.
        flexible: whether FlexAttention computes it; the layout is then padded to
            `room_for(S)` tokens, and so must its ids be.
        wanted_U: tokens whose last hidden states are asked for: the last layer may leave out
            the others.
        beside: what else goes to the device in the same copy.
    """
    longest = int(positions_S.max()) + 1
    if flexible:
        room = room_for(subtree_end_S.size)
        positions_S = padded(positions_S, room)
        subtree_end_S = padded_ends(subtree_end_S, room)
    wanted = [] if wanted_U is None else [wanted_U]
    positions, *others = sent([positions_S, *wanted, *beside], device)
    return Layout(
        positions_S=positions,
        depths_S=positions_S,
        subtree_end_S=subtree_end_S,
        longest=longest,
        wanted_U=others[0] if wanted else None,
        beside=tuple(others[len(wanted) :]),
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
    with _precision(inner):
        alone = _rows_alone(inner, rows, before)
    with quiet_transformers():
        inner.set_attn_implementation(_PROOF_NAME)
    if inner.config._attn_implementation != _PROOF_NAME:
        return _refused("its attention is outside Transformers' attention interface", border)
    reason = failed = ""
    for flexible in _ways(inner.device):
        with _precision(inner):
            reason = _proof(inner, rows, alone, flexible=flexible)
        if not reason:
            inner.set_attn_implementation(NAME)
            how = "FlexAttention" if flexible else "scaled-dot-product attention by segment"
            forest = _proof_forest(inner, rows, flexible=flexible)
            layers = _fused(inner, forest) if fuse else ""
            return ForestSupport(
                supported=True,
                reason=f"rows are packed without padding ({how}{layers}{failed})",
                flexible=flexible,
                border=border,
            )
        if flexible:
            failed = f"; not FlexAttention: {reason}"
    inner.set_attn_implementation(before)
    return _refused(reason, border)


def _fused(inner: PreTrainedModel, forest: _ProofForest) -> str:
    """Fuse layers, and say in words what came of it."""
    fused = fuse_layers(inner, forest.layout, forest.forward)
    found = f", {fused.layers} layers fused" if fused.layers else ""
    return found + (f", others not ({fused.why_not})" if fused.why_not else "")


def _precision(inner: PreTrainedModel) -> AbstractContextManager[object]:
    """That of training, where kernels are compiled for one; else that of the weights."""
    return nullcontext() if inner.device.type == "cpu" else products(inner)


def _ways(device: torch.device) -> tuple[bool, ...]:
    """What is tried: FlexAttention, then segments."""
    return (True, False) if device.type == "cuda" else (False,)


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


def _proof_forest(
    inner: PreTrainedModel, rows: list[list[int]], *, flexible: bool, proves: bool = False
) -> _ProofForest:
    first, second, third = rows
    ids_S = np.array(first + second[5:] + third)
    positions_S = np.array([*range(9), *range(5, 11), *range(7)])
    ends_S = np.array([15] * 5 + [9] * 4 + [15] * 6 + [22] * 7)
    if flexible:
        ids_S = padded(ids_S, room_for(ids_S.size))
    layout = layout_of(positions_S, ends_S, device=inner.device, flexible=flexible, beside=[ids_S])
    if proves:
        layout = replace(layout, proved=set())

    def forward() -> Tensor:
        output = inner.base_model(
            input_ids=layout.beside[0][None],
            position_ids=layout.positions_S[None],
            use_cache=False,
            forest_layout=layout,
        )
        assert isinstance(output.last_hidden_state, Tensor)
        return output.last_hidden_state[0].float()

    return _ProofForest(layout=layout, forward=forward)


def _prove_gradients(
    query_HSD: Tensor, key_GSD: Tensor, value_GSD: Tensor, layout: Layout, call: AttentionCall
) -> None:
    """Compare FlexAttention's gradients with those by segment: its backward is code of its own."""
    case = (call, query_HSD.shape, key_GSD.shape)
    if layout.proved is None or case in layout.proved:
        return
    layout.proved.add(case)
    found = []
    for attend in (attend_flexibly, attend_by_segment):
        states = [one.detach().requires_grad_() for one in (query_HSD, key_GSD, value_GSD)]
        with torch.enable_grad():
            output_SQ = attend(states[0], states[1], states[2], layout, call).flatten(2)
        slope_SQ = torch.linspace(-1, 1, output_SQ.numel(), device=output_SQ.device)
        slopes = torch.autograd.grad(output_SQ, states, slope_SQ.view_as(output_SQ).to(output_SQ))
        found.append(torch.cat([slope.flatten().float() for slope in slopes]))
    worst = float((found[0] - found[1]).norm() / found[1].norm())
    if not worst <= _limit(query_HSD.dtype):
        raise _Unsupported(f"its gradients in a forest differ by {worst:.1g}")


def _limit(dtype: torch.dtype) -> float:
    """Largest difference, relative by norm, in a precision."""
    return 1e-4 if dtype in (torch.float32, torch.float64) else _ROUGH


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alone:
    """What rows give alone."""

    hidden: list[Tensor]
    limit: float
    """How far from it they may be in a forest."""


def _rows_alone(inner: PreTrainedModel, rows: list[list[int]], name: str) -> _Alone:
    """Rows by Transformers' own attention, the one called `name`.

    In 16 bits the rounding of many layers adds up. How far it may lead is seen where attention
    is written out, which rounds in another order.
    """
    hidden = {}
    for other in ("eager", name):
        inner.set_attn_implementation(other)
        hidden[other] = [_hidden(inner, row) for row in rows]
    dtype = inner.dtype
    if torch.is_autocast_enabled(inner.device.type):
        dtype = torch.get_autocast_dtype(inner.device.type)
    limit = _limit(dtype)
    if limit == _ROUGH:
        limit = max(limit, 2 * _farthest(hidden["eager"], hidden[name]))
    return _Alone(hidden=hidden[name], limit=limit)


def _farthest(found: list[Tensor], expected: list[Tensor]) -> float:
    """The largest difference, relative by norm; not a number where one is none."""
    every = [
        (mine - theirs).norm() / theirs.norm() for mine, theirs in zip(found, expected, strict=True)
    ]
    return float(torch.stack(every).max())


@torch.no_grad()
def _proof(inner: PreTrainedModel, rows: list[list[int]], alone: _Alone, *, flexible: bool) -> str:
    """Compare a forest of the rows with the rows alone; empty, or what is wrong."""
    forest = _proof_forest(inner, rows, flexible=flexible, proves=flexible)
    faults: tuple[type[Exception], ...] = (_Unsupported, TypeError, ValueError, *compile_faults())
    noted: set[int] = set()
    token = _local_sizes.set(noted)
    try:
        together = forest.forward()
    except faults as error:
        return said(error)
    finally:
        _local_sizes.reset(token)
    if noted != {call.window for call in forest.layout.calls.values() if call.window is not None}:
        return "its local attention is known to its masks only"
    parts = [together[:9], torch.cat([together[:5], together[9:15]]), together[15:22]]
    worst = _farthest(parts, alone.hidden)
    if worst <= alone.limit:
        return ""
    return f"in a forest its rows differ from themselves by {worst:.1g}"
