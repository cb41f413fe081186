"""Layers that keep only what comes into them, and compute the rest again in the backward pass.

It costs one more forward pass of each such layer, and saves all that it would have kept.
Which layers do so is the memory plan's choice: none, the first few, or all.
"""

from __future__ import annotations

from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint

from tunesmith.models.causal import causal_model, decoder_layers
from tunesmith.models.stand_in import StandIn


class RecomputedLayer(StandIn):
    """Stands in for a decoder layer."""

    def forward(self, hidden_states: object, *others: object, **named: object) -> object:
        """As the layer's, of which only the inputs are kept."""
        call = partial(self.stock, **named)
        return checkpoint(call, hidden_states, *others, use_reentrant=False)


def recompute_layers(model: nn.Module, count: int) -> int:
    """Let the first `count` decoder layers be computed again; how many are.

    A model whose layers are not one list is left as it is.
    """
    stack = decoder_layers(causal_model(model))
    if stack is None:
        return 0
    for place, layer in enumerate(stack[:count]):
        if not isinstance(layer, RecomputedLayer):
            stack[place] = RecomputedLayer(layer)
    return min(count, len(stack))
