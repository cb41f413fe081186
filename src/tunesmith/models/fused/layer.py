"""A decoder layer of Transformers, computed by the fused halves where it proves to be one.

On a CPU in fp32 the halves go through it a block of tokens at a time (`halves`), on a GPU all
tokens at once (`whole`). Without a forest's layout (generation, say), and in a precision that
neither is for, the stock layer runs.

Shapes: N tokens, D hidden width, E half of a head's rotated part.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tunesmith.models.flex import attend_flexibly
from tunesmith.models.fused.halves import (
    InputHalf,
    OutputHalf,
    attention_inputs,
    attention_outputs,
)
from tunesmith.models.fused.maps import LinearMap, map_of
from tunesmith.models.fused.norm import Norm
from tunesmith.models.fused.product import Product, product_of
from tunesmith.models.fused.reading import ATTENTION, HEAD_NORMS, INNER, Reading, norm_of
from tunesmith.models.fused.whole import (
    Waves,
    WholeInputHalf,
    WholeOutputHalf,
    whole_attention_inputs,
    whole_attention_outputs,
)
from tunesmith.models.segments import Layout, attend_by_segment
from tunesmith.models.stand_in import StandIn

_LINEAR = [f"self_attn.{name}" for name in ATTENTION] + [f"mlp.{name}" for name in INNER]


class FusedLayer(StandIn):
    """Stands in for a decoder layer."""

    def __init__(self, stock: nn.Module, reading: Reading, *, last: bool, whole: bool) -> None:
        """Take over the children of `stock`, which stays at hand.

        Args:
            stock: the layer.
            reading: how it computes.
            last: it is the model's last, and makes only the states that the layout wants.
            whole: all tokens go through it at once.
        """
        super().__init__(stock)
        self.reading, self.last, self.whole = reading, last, whole

    def forward(self, hidden_states: Tensor, *others: object, **named: object) -> object:
        """As the stock layer's."""
        layout, waves = named.get("forest_layout"), named.get("position_embeddings")
        if isinstance(layout, Layout) and isinstance(waves, tuple):
            states_ND = hidden_states.squeeze(0)
            made = self._whole(states_ND, layout, waves) if self.whole else None
            if not self.whole and _is_plain(hidden_states):
                made = self._blocked(states_ND, layout, waves)
            if made is not None:
                return made[None]
        return self.stock(hidden_states, *others, **named)

    def _blocked(self, states_ND: Tensor, layout: Layout, waves: Waves) -> Tensor | None:
        products = self._products()
        if products is None:
            return None
        query, key, value, output, gate, up, down = products
        half = InputHalf(
            norm=self._norm("input_layernorm"),
            products=(query, key, value),
            head_norms=self._head_norms(),
            width=self._width,
        )
        halves = self._waves(waves)
        if halves is not None:
            halves = (halves[0].contiguous(), halves[1].contiguous())
        query_HND, key_GND, value_GND = (
            states.view(1, states.shape[0], -1, self._width).transpose(1, 2)
            for states in attention_inputs(half, states_ND, halves)
        )
        attended = attend_by_segment(query_HND, key_GND, value_GND, layout, self.reading.call)
        states_ND, attended_NQ = self._wanted(states_ND, attended, layout)
        return attention_outputs(
            OutputHalf(
                norm=self._norm("post_attention_layernorm"),
                products=(output, gate, up, down),
                activation=self.reading.activation,
            ),
            states_ND,
            attended_NQ,
        )

    def _whole(self, states_ND: Tensor, layout: Layout, waves: Waves) -> Tensor | None:
        maps = self._maps()
        if maps is None:
            return None
        query, key, value, output, gate, up, down = maps
        dtype = _precision(states_ND)
        half = WholeInputHalf(
            norm=self._norm("input_layernorm"),
            maps=(query, key, value),
            head_norms=self._head_norms(),
            width=self._width,
            dtype=dtype,
            waves=self._waves(waves),
        )
        query_HND, key_GND, value_GND = (
            states.transpose(0, 1)[None] for states in whole_attention_inputs(half, states_ND)
        )
        attend = attend_flexibly if layout.flexible else attend_by_segment
        attended = attend(query_HND, key_GND, value_GND, layout, self.reading.call)
        states_ND, attended_NQ = self._wanted(states_ND, attended, layout)
        return whole_attention_outputs(
            WholeOutputHalf(
                norm=self._norm("post_attention_layernorm"),
                output=output,
                gated=(gate, up),
                down=down,
                activation=self.reading.activation.name,
                dtype=dtype,
            ),
            states_ND,
            attended_NQ,
        )

    def _wanted(self, states_ND: Tensor, attended: Tensor, layout: Layout) -> tuple[Tensor, Tensor]:
        """The tokens that go on."""
        attended_NQ = attended.squeeze(0).flatten(1)
        if not self.last or layout.wanted_U is None:
            return states_ND, attended_NQ
        return (
            states_ND.index_select(0, layout.wanted_U),
            attended_NQ.index_select(0, layout.wanted_U),
        )

    @property
    def reads_products(self) -> bool:
        """Whether its linear layers are ones that the halves compute."""
        return (self._maps() if self.whole else self._products()) is not None

    def _products(self) -> list[Product] | None:
        found = [product_of(self.get_submodule(name)) for name in _LINEAR]
        kept = [product for product in found if product is not None]
        return kept if len(kept) == len(found) else None

    def _maps(self) -> list[LinearMap] | None:
        found = [map_of(self.get_submodule(name)) for name in _LINEAR]
        kept = [one for one in found if one is not None]
        return kept if len(kept) == len(found) else None

    def _norm(self, name: str) -> Norm:
        return norm_of(self.get_submodule(name), self.reading.offset)

    def _head_norms(self) -> tuple[Norm, Norm] | None:
        if not self.reading.head_norms:
            return None
        first, second = (self._norm(f"self_attn.{name}") for name in HEAD_NORMS)
        return first, second

    @property
    def _width(self) -> int:
        width = self.get_submodule("self_attn").head_dim
        assert isinstance(width, int), "the structure was checked"
        return width

    def _waves(self, waves: Waves) -> Waves | None:
        """Cosines and sines of half a head, (N, E); the other half has the same."""
        if not self.reading.rotated:
            return None
        pairs = waves[0].shape[-1] // 2
        cosine_NE, sine_NE = (wave[0, :, :pairs] for wave in waves)
        return cosine_NE, sine_NE


def _is_plain(states: Tensor) -> bool:
    return (
        states.dtype == torch.float32
        and states.device.type == "cpu"
        and not torch.is_autocast_enabled("cpu")
    )


def _precision(states: Tensor) -> torch.dtype:
    """Of the products: what autocast says, or as the states are."""
    kind = states.device.type
    return torch.get_autocast_dtype(kind) if _autocasts(kind) else states.dtype


def _autocasts(kind: str) -> bool:
    return kind != "meta" and torch.is_autocast_enabled(kind)
