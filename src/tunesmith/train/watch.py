"""Stopping a run that has gone wrong, with the rows that were on the table.

A loss or a gradient that is not finite stops the run before the optimizer sees it. A loss
above `max(2 m, m + 5)`, where m is the median of the last 50 calm steps, is a spike; three
in a row are an explosion (one may be a hard row). The bound is wide on purpose: moving from
an easy source to a hard one must not look like an explosion, and a model that has collapsed
to guessing every token alike lies above it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from tunesmith.errors import Diverged, Place

WINDOW = 50
FACTOR = 2.0
MARGIN = 5.0
PATIENCE = 3
_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What the watch remembers: losses of calm steps, and how many spikes stand in a row."""

    recent: tuple[float, ...] = ()
    spikes: int = 0

    @property
    def calm(self) -> bool:
        """Whether the last step looked healthy, so that its weights may replace a checkpoint."""
        return self.spikes == 0

    def limit(self) -> float:
        """The loss above which a step is a spike; infinite for the first step."""
        if not self.recent:
            return math.inf
        middle = median(self.recent)
        return max(FACTOR * middle, middle + MARGIN)

    def saw(self, loss: float) -> Watch:
        """The watch after a step with a finite loss."""
        if loss > self.limit():
            return replace(self, spikes=self.spikes + 1)
        return Watch(recent=(*self.recent, loss)[-WINDOW:])


def check_finite(step: int, loss: float, gradient_norm: float, places: Sequence[Place]) -> None:
    """Stop before the optimizer uses a step that is not finite.

    Args:
        step: number of the step, from 1.
        loss: its loss.
        gradient_norm: norm of its gradients, before clipping.
        places: the rows to blame.

    Raises:
        Diverged: the loss or the gradient is infinite or not a number.
    """
    if math.isfinite(loss) and math.isfinite(gradient_norm):
        return
    what = "loss" if not math.isfinite(loss) else "gradient"
    raise Diverged(
        f"the {what} of step {step} is not finite; rows: {named(places)}",
        hint="look at these rows; if they are fine, start a new run with a lower "
        "train.learning_rate. The checkpoints of this run are good",
    )


def check_spike(step: int, loss: float, watch: Watch, places: Sequence[Place]) -> None:
    """Stop at the spike that is one too many; `watch` has seen this step's loss.

    Raises:
        Diverged: the loss stayed far above its running median.
    """
    if watch.spikes < PATIENCE:
        return
    raise Diverged(
        f"the loss exploded: {loss:.4g} at step {step}, the {PATIENCE}rd in a row above "
        f"{watch.limit():.4g}; rows: {named(places)}",
        hint="start a new run with a lower train.learning_rate or a longer train.warmup. "
        "The checkpoints of this run are from before",
    )


def check_weights(step: int, bad: Sequence[str]) -> None:
    """Stop before weights that are not finite are measured or saved; `bad` are their names.

    Raises:
        Diverged: there are some.
    """
    if bad:
        raise Diverged(
            f"after step {step}, {len(bad)} weights are not finite, the first is {bad[0]}",
            hint="start a new run with a lower train.learning_rate. "
            "The checkpoints of this run are good",
        )


def named(places: Sequence[Place]) -> str:
    """`file:line` of the first few rows, and how many more there are."""
    shown = ", ".join(str(place) for place in places[:_SHOWN])
    more = len(places) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
