"""A module in the place of another, with the same children under the same names.

So adapters, saving and sharding see what they saw before.
"""

from __future__ import annotations

from torch import nn


class StandIn(nn.Module):
    """Has the children and the plain attributes of the module that it stands in for."""

    def __init__(self, stock: nn.Module) -> None:
        """Take over the children of `stock`, which stays at hand."""
        super().__init__()
        for name, value in vars(stock).items():
            if not name.startswith("_"):
                setattr(self, name, value)
        for name, child in stock.named_children():
            self.add_module(name, child)
        # In a tuple, so that it is not a child: its children are ours.
        self._stock = (stock,)

    @property
    def stock(self) -> nn.Module:
        """The module that stood here."""
        return self._stock[0]
