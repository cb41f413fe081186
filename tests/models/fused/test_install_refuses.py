"""Layers that look like those that can be fused, and compute a little else, are left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from transformers import Ministral3Config
from transformers.models.llama.modeling_llama import (
    LlamaAttention,
    LlamaDecoderLayer,
    LlamaMLP,
    LlamaRMSNorm,
)

from tests.models.fused.test_install import fused_in, scores, stock_scores
from tests.models.tiny import CONFIGS, tiny_model
from tunesmith.models.adapters import full
from tunesmith.models.attention import enable_forest
from tunesmith.models.fused.layer import FusedLayer

Spoil = Callable[[nn.Module], None]


def scaled_inner(layer: nn.Module) -> None:
    class Scaled(LlamaMLP):
        def forward(self, x: Tensor) -> Tensor:
            return 1.001 * super().forward(x)

    layer.mlp.__class__ = Scaled


def other_epsilon(layer: nn.Module) -> None:
    class Other(LlamaRMSNorm):
        def forward(self, hidden_states: Tensor) -> Tensor:
            rates = (hidden_states.square().mean(-1, keepdim=True) + 5e-6).rsqrt()
            return self.weight * hidden_states * rates

    layer.post_attention_layernorm.__class__ = Other


def scaled_residual(layer: nn.Module) -> None:
    class Scaled(LlamaDecoderLayer):
        def forward(self, hidden_states: Tensor, **named: object) -> Tensor:
            made = super().forward(hidden_states, **named)
            return hidden_states + 0.999 * (made - hidden_states)

    layer.__class__ = Scaled


def scaled_by_weight_of_its_own(layer: nn.Module) -> None:
    class Scaled(LlamaMLP):
        def forward(self, x: Tensor) -> Tensor:
            return self.own.mean() * super().forward(x)

    layer.mlp.__class__ = Scaled
    layer.mlp.own = nn.Parameter(torch.ones(7), requires_grad=False)


def clipped(layer: nn.Module) -> None:
    class Clipped(nn.Module):
        def forward(self, gates: Tensor) -> Tensor:
            return nn.functional.silu(gates).clamp(max=0.5)

    layer.mlp.act_fn = Clipped()


def far_positions(layer: nn.Module) -> None:
    class Far(LlamaAttention):
        def forward(self, hidden_states: Tensor, **named: object) -> tuple[Tensor, Tensor | None]:
            made, weights = super().forward(hidden_states, **named)
            positions = named["position_ids"]
            assert isinstance(positions, Tensor)
            return made * (1 + (positions > 5000)[..., None]), weights

    layer.self_attn.__class__ = Far


def shuffled_heads(layer: nn.Module) -> None:
    class Shuffled(LlamaAttention):
        def forward(self, hidden_states: Tensor, **named: object) -> tuple[Tensor, Tensor | None]:
            made, weights = super().forward(hidden_states, **named)
            return made.flip(-1), weights

    layer.self_attn.__class__ = Shuffled


@pytest.mark.parametrize("size", [0.02, 50.0])
@pytest.mark.parametrize("adapter", ["none", "full"])
@pytest.mark.parametrize(
    "spoil",
    [scaled_inner, other_epsilon, scaled_residual, scaled_by_weight_of_its_own, clipped,
     far_positions, shuffled_heads],
)  # fmt: skip
def test_a_subtly_different_layer_is_refused(spoil: Spoil, adapter: str, size: float) -> None:
    """Whether the states are small or large; the layer beside it is fused."""
    model = tiny_model(CONFIGS["llama"])
    with torch.no_grad():
        model.model.embed_tokens.weight.mul_(size / 0.02)
    spoil(model.model.layers[0])
    if adapter == "full":
        full.attach(model, full.Config())
    found = scores(model)
    assert [isinstance(layer, FusedLayer) for layer in model.model.layers] == [False, True]
    torch.testing.assert_close(found, stock_scores(model), rtol=1e-5, atol=1e-4)


def test_ministral_scales_by_far_positions() -> None:
    config = Ministral3Config(
        vocab_size=97, hidden_size=32, intermediate_size=48, num_hidden_layers=2, head_dim=8,
        num_attention_heads=4, num_key_value_heads=2, sliding_window=None,
        rope_parameters={
            "rope_type": "default", "rope_theta": 1e4, "llama_4_scaling_beta": 0.1,
            "original_max_position_embeddings": 64,
        },
    )  # fmt: skip
    model = tiny_model(config)
    support = enable_forest(model)
    assert support.supported
    assert fused_in(model) == 0
