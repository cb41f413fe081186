"""What a decoder layer keeps of each token for the backward pass, counted from its shape.

H width of the hidden states, Q of all queries, K of all keys (and of all values), A heads,
F width of the feed-forward part. Numbers are in the precision of products, where nothing else is
said; what goes from layer to layer is in fp32 where all weights are trained.

A layer as Transformers computes it. It needs 6 H + 2 Q + 2 K + 4 F + A in fp32; the rest is for
what bf16 casts on the way, and for copies of attention's inputs:

    8 H + 2 Q + 4 K + 4 F   inputs of each operation of a Llama block
    + 2 Q + 2 K             in fp32, only where heads have norms (Qwen3)
    + 5 H + Q + F           in fp32, with a low-rank adapter on a base in bf16: PEFT casts the
                            input of each linear layer for itself (q, k, v, gate and up have
                            H each, o has Q, down has F)
    all of it in fp32       where all weights are trained: autocast keeps its casts beside what
                            it casts

A layer in fused halves (models/fused):

    x   input               H, as it goes from layer to layer
    q, k, v   rotated       Q + 2 K
    before their norms      Q + K       only where heads have norms
    o   attention's output  2 Q         as its backward pass wants it, and by token
    its log of sums         A           in fp32
    z   middle states       H, as it goes from layer to layer
    gate, up                2 F
    a low-rank adapter      its inner numbers: few

A layer that is computed again keeps its input, H, on the device or in main memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.base import BaseFolder
from tunesmith.contracts import JsonObject

INPUTS_HERE = 3
"""Inputs on the device where they wait in main memory: the last layer's, which stays, the one
that is used, and the one on its way."""
_ATTENTION = frozenset(f"self_attn.{name}_proj" for name in "qkvo")
_HEAD_NORMS = frozenset({"self_attn.q_norm", "self_attn.k_norm"})
_OTHERS = frozenset(
    {"mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"}
    | {"input_layernorm", "post_attention_layernorm"}
)
_TABLES = frozenset({"self_attn.rotary_emb"})
"""Old folders keep the table of rotations, which is no weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes of a model that memory depends on."""

    layers: int
    hidden: int
    heads: int
    queries: int
    keys: int
    inner: int
    vocabulary: int
    head_norms: bool
    fusible: bool
    """Whether a layer has the parts that the fused halves compute. Whether it computes with them
    what they do shows only when it is loaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Bytes a token that the backward pass needs, on the device and in main memory."""

    shape: Shape
    size: float
    """Bytes of a number in products."""
    between: float
    """Bytes of a number that goes from layer to layer."""
    fused: bool
    casts: bool
    """Whether PEFT casts what comes into each linear layer to fp32."""

    @property
    def layer(self) -> float:
        """Of a layer that is not computed again."""
        shape = self.shape
        hidden, queries, keys, inner = shape.hidden, shape.queries, shape.keys, shape.inner
        heads = queries + keys if shape.head_norms else 0
        if self.fused:
            numbers = 3 * queries + 2 * keys + heads + 2 * inner
            return self.between * 2 * hidden + self.size * numbers + 4 * shape.heads
        numbers = 8 * hidden + 2 * queries + 4 * keys + 4 * inner
        casts = 5 * hidden + queries + inner if self.casts else 0
        return max(self.size, self.between) * numbers + 4 * (2 * heads + casts)

    @property
    def input(self) -> float:
        """Of a layer that is computed again."""
        return self.between * self.shape.hidden

    def here(self, recomputed: int, *, offloaded: bool) -> float:
        """On the device, where so many layers are computed again.

        In the backward pass one of these at a time is whole, and one layer's gradients are there.
        """
        whole = self.shape.layers - recomputed + (1 if recomputed else 0)
        inputs = min(recomputed, INPUTS_HERE) if offloaded else recomputed
        return (whole + 1) * self.layer + inputs * self.input

    def away(self, recomputed: int) -> float:
        """In main memory, where inputs wait there; twice, as torch pins powers of two."""
        return 2 * max(0, recomputed - 1) * self.input


def shape_of(base: BaseFolder) -> Shape:
    """The sizes that a model's configuration gives."""
    hidden = _number(base.config, "hidden_size", "n_embd", "d_model", default=1024)
    heads = _number(base.config, "num_attention_heads", "n_head", default=16)
    groups = _number(base.config, "num_key_value_heads", default=heads)
    width = _number(base.config, "head_dim", default=hidden // heads)
    parts = frozenset(name.rpartition(".")[0] for name in base.layer_weights) - _TABLES
    return Shape(
        layers=_number(base.config, "num_hidden_layers", "n_layer", default=24),
        hidden=hidden,
        heads=heads,
        queries=heads * width,
        keys=groups * width,
        inner=_number(base.config, "intermediate_size", "n_inner", default=4 * hidden),
        vocabulary=base.vocabulary,
        head_norms=parts >= _HEAD_NORMS,
        fusible=parts - _HEAD_NORMS == _ATTENTION | _OTHERS,
    )


def _number(config: JsonObject, *names: str, default: int) -> int:
    text = config.get("text_config")
    for part in (text, config):
        for name in names:
            value = part.get(name) if isinstance(part, dict) else None
            if isinstance(value, int) and value > 0:
                return value
    return default
