"""The loss of a step, and its gradients, whatever the method and however the step is cut.

    loss of a step = sum over its forests of method.loss(scores) / method.denominator(all rows)

The denominator is that of the whole step, so the sum, and with it the gradient, is the same
for one forest or many, in one process or several (to rounding). Random state is set from
(seed, step, forest) before each forward: nothing random is carried from step to step, so
nothing needs to be saved.

    prepare   rows -> forests           on the host, ahead of the step
    backward  forests -> gradients      launched; the host goes on while a device computes
    read      the loss, as a number     the one place where the host waits for the device
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
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
class PreparedStep:
    """What of a step is known without the model: made by the host alone, ahead of its time."""

    step: int
    rows: Sequence[TokenRow]
    packing: Packing
    forests: Sequence[Forest]
    denominator: float
    count: TokenCount


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingLoss:
    """The loss of a step or a measurement that a device may still be at work on."""

    parts: dict[int, Tensor]
    """By number, the losses of the forests that this process computed."""
    forests: int
    """How many there are, those of other processes included."""
    placement: Placement

    def read(self) -> float:
        """Wait for the device, and for the other processes; the loss."""
        return self._joined(_read(self.parts.values()))

    def read_with(self, norm: Tensor) -> tuple[float, float]:
        """Wait once, for the loss and for one number more."""
        *losses, number = _read([*self.parts.values(), norm])
        return self._joined(losses), number

    def _joined(self, losses: Sequence[float]) -> float:
        own = dict(zip(self.parts, losses, strict=True))
        return math.fsum(self.placement.joined(own, self.forests))


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

    def prepare(self, step: int, rows: Sequence[TokenRow]) -> PreparedStep:
        """Lay the rows of a step out in forests; neither model nor device are touched."""
        forests = self._forests(rows)
        return PreparedStep(
            step=step,
            rows=rows,
            packing=self.packing,
            forests=forests,
            denominator=self._denominator(rows),
            count=_counted(rows, forests, self.packing),
        )

    def backward(self, prepared: PreparedStep) -> PendingLoss:
        """Add the gradients of a step to the weights, and wait for nothing."""
        parts: dict[int, Tensor] = {}
        for turn in self.placement.turns(prepared.forests):
            seed_all(self.seed, prepared.step, turn.number)
            loss = self._loss(turn.forest) / prepared.denominator
            if turn.counts:
                parts[turn.number] = loss.detach()
            else:
                loss = loss * 0.0
            torch.autograd.backward(loss)
        self.placement.add_gradients(self.model)
        return self._pending(parts, prepared.forests)

    def measure(
        self, rows: Sequence[TokenRow], stopping: Callable[[], bool] | None = None
    ) -> float | None:
        """The loss of rows without training; None where `stopping` said to give up."""
        parts: dict[int, Tensor] = {}
        forests = self._forests(rows)
        with torch.no_grad(), without_dropout(self.model):
            for turn in self.placement.turns(forests):
                if stopping is not None and stopping():
                    self.placement.settle()
                    return None
                loss = self._loss(turn.forest)
                if turn.counts:
                    parts[turn.number] = loss
        self.placement.settle()
        return self._pending(parts, forests).read() / self._denominator(rows)

    def _pending(self, parts: dict[int, Tensor], forests: Sequence[Forest]) -> PendingLoss:
        return PendingLoss(parts=parts, forests=len(forests), placement=self.placement)

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


def _read(numbers: Iterable[Tensor]) -> list[float]:
    """The values of tensors of one number each, by waiting once for the device."""
    known = list(numbers)
    values: list[float] = torch.stack(known).tolist() if known else []
    return values


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
