"""The loss of a step, and its gradients, whatever the method and however the step is cut.

    loss of a step = sum over its forests of method.loss(scores) / method.denominator(all rows)

The denominator is that of the whole step, so the sum, and with it the gradient, is the same
for one forest or many, in one process or several (to rounding). Random state is set from
(seed, step, forest) before each forward: nothing random is carried from step to step, so
nothing needs to be saved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from tunesmith.contracts import Config, Method, Scores, TokenCount, TokenRow
from tunesmith.data.forest import Forest, Packing, tokens_alone
from tunesmith.errors import Place
from tunesmith.train.deal import cut
from tunesmith.train.distribute import Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLoss:
    """The loss of a step, and what was computed for it."""

    loss: float
    count: TokenCount


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What is minimised: a method, its options, and the model's scores of a forest."""

    model: nn.Module
    scores: Callable[[Forest], Scores]
    method: Method
    config: Config
    packing: Packing
    seed: int
    placement: Placement = Placement()

    def backward(self, step: int, rows: Sequence[TokenRow]) -> StepLoss:
        """Add the gradients of a step to the weights; its loss."""
        denominator = self._denominator(rows)
        parts: dict[int, Tensor] = {}
        forests = self._forests(rows)
        for turn in self.placement.turns(forests):
            seed_all(self.seed, step, turn.number)
            loss = self._loss(turn.forest) / denominator
            if turn.counts:
                parts[turn.number] = loss.detach()
            else:
                loss = loss * 0.0
            torch.autograd.backward(loss)
        self.placement.add_gradients(self.model)
        losses = {number: float(part) for number, part in parts.items()}
        return StepLoss(
            loss=math.fsum(self.placement.joined(losses, len(forests))),
            count=_counted(rows, forests, self.packing),
        )

    def measure(
        self, rows: Sequence[TokenRow], stopping: Callable[[], bool] | None = None
    ) -> float | None:
        """The loss of rows without training; None where `stopping` said to give up."""
        denominator = self._denominator(rows)
        losses: dict[int, float] = {}
        forests = self._forests(rows)
        with torch.no_grad(), without_dropout(self.model):
            for turn in self.placement.turns(forests):
                if stopping is not None and stopping():
                    self.placement.settle()
                    return None
                loss = float(self._loss(turn.forest))
                if turn.counts:
                    losses[turn.number] = loss
        self.placement.settle()
        return math.fsum(self.placement.joined(losses, len(forests))) / denominator

    def blame(self, rows: Sequence[TokenRow]) -> list[Place]:
        """The rows whose own loss is not finite; all rows where none stands out."""
        together = self.packing.rows_together
        guilty = []
        for start in range(0, len(rows), together):
            example = rows[start : start + together]
            if not math.isfinite(self.measure(example) or 0.0):
                guilty.append(example[0].place)
        return guilty or [row.place for row in rows]

    def _forests(self, rows: Sequence[TokenRow]) -> list[Forest]:
        return cut(rows, self.packing, self.placement.group.count)

    def _loss(self, forest: Forest) -> Tensor:
        scores = self.placement.compute(lambda: self.scores(forest))
        return self.method.loss(scores, self.config)

    def _denominator(self, rows: Sequence[TokenRow]) -> float:
        # A step of rows without a trained token has the loss 0, not 0 / 0.
        return self.method.denominator([row.weights_T for row in rows]) or 1.0


def _counted(rows: Sequence[TokenRow], forests: Sequence[Forest], packing: Packing) -> TokenCount:
    lengths = [row.ids_T.size for row in rows]
    return TokenCount(
        tokens=sum(lengths),
        trained=sum(forest.target_ids_N.size for forest in forests),
        needed=sum(tokens_alone(row, packing.border) for row in rows),
        computed=sum(forest.ids_S.size for forest in forests),
        padded=max(lengths, default=0) * len(lengths),
    )


@contextmanager
def without_dropout(model: nn.Module) -> Iterator[None]:
    """Within the block every module is in evaluation mode; afterwards each is as it was.

    Adapters decide which modules train (their own dropout, not that of the base), so the
    modes are put back one by one and never by `model.train()`.
    """
    active = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in active:
            module.training = True


def seed_all(seed: int, *keys: int) -> None:
    """Set torch's random state, all devices, from `seed` and what it is used for."""
    (state,) = np.random.SeedSequence([seed, *keys]).generate_state(1, np.uint64)
    torch.manual_seed(int(state) & (2**63 - 1))
