"""Layers that keep only what comes into them, and compute the rest again in the backward pass.

It costs one more forward pass of each such layer, and saves all that it would have kept.
Which layers do so is the memory plan's choice: none, the first few, or all; and whether what
comes into them waits on the device or in main memory.
"""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tunesmith.models.causal import causal_model, decoder_layers
from tunesmith.models.offload import Offload
from tunesmith.models.stand_in import StandIn


class RecomputedLayer(StandIn):
    """Stands in for a decoder layer."""

    def __init__(
        self, stock: nn.Module, offload: Offload | None = None, *, place: int = 0, last: bool = True
    ) -> None:
        """Take over the children of `stock`, which stays at hand.

        Args:
            stock: the layer.
            offload: takes its input to main memory.
            place: of the layer, from 0 on.
            last: whether the layers above it are not computed again.
        """
        super().__init__(stock)
        self.offload, self.first, self.last = offload, place == 0, last

    def forward(self, hidden_states: object, *others: object, **named: object) -> object:
        """As the layer's, of which only the inputs are kept."""

        def call(states: object) -> object:
            return self.stock(states, *others, **named)

        if self.offload is not None and self.first:
            self.offload.begin()
        if not self._learns(hidden_states):
            return call(hidden_states)
        away = None if self.offload is None else self.offload.keeping(stays=self.last)
        with away or nullcontext():
            return checkpoint(call, hidden_states, use_reentrant=False)

    def _learns(self, states: object) -> bool:
        """Whether there will be a backward pass through this layer."""
        if not torch.is_grad_enabled():
            return False
        if isinstance(states, Tensor) and states.requires_grad:
            return True
        return any(weight.requires_grad for weight in self.parameters())


def recompute_layers(model: nn.Module, count: int, offload: Offload | None = None) -> int:
    """Let the first `count` decoder layers be computed again; how many are.

    A model whose layers are not one list is left as it is.

    Args:
        model: whose layers are replaced.
        count: how many.
        offload: takes their inputs to main memory; by default they wait on the device.
    """
    stack = decoder_layers(causal_model(model))
    if stack is None:
        return 0
    count = min(count, len(stack))
    for place, layer in enumerate(stack[:count]):
        if not isinstance(layer, RecomputedLayer):
            stack[place] = RecomputedLayer(layer, offload, place=place, last=place == count - 1)
    return count
