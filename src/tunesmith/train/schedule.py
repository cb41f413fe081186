"""The learning rate of each step, as a share of the highest one.

With S steps of which W warm up, step s = 1 ... S has the share

    s / (W + 1)                            s <= W     (warm-up: no step is wasted on rate 0)
    1 - p                                  linear     p = (s - 1 - W) / (S - W)
    (1 + cos(pi p)) / 2                    cosine
    1                                      constant

so step W + 1 has the full rate and the last step still learns.
"""

from __future__ import annotations

import math
from typing import Literal

from tunesmith.errors import RecipeError

Schedule = Literal["linear", "cosine", "constant"]


def warmup_steps(warmup: float, total: int) -> int:
    """Steps of rising rate: `warmup` is a share of `total` below 1, a number from 1 on.

    Raises:
        RecipeError: the warm-up is as long as the run, or longer.
    """
    if warmup < 1:
        return min(math.ceil(warmup * total), total - 1)
    if math.ceil(warmup) >= total:
        raise RecipeError(
            f"train.warmup is {warmup:g} steps, but the run has only {total}",
            hint="give a share of all steps, such as 0.05, or fewer steps",
        )
    return math.ceil(warmup)


def rate_share(schedule: Schedule, step: int, *, total: int, warmup: int) -> float:
    """The share (0 to 1, never 0) of the highest rate that `step` (1 to `total`) learns with."""
    assert 1 <= step <= total and 0 <= warmup < total, (step, total, warmup)
    if step <= warmup:
        return step / (warmup + 1)
    passed = (step - 1 - warmup) / (total - warmup)
    if schedule == "linear":
        return 1 - passed
    if schedule == "cosine":
        return (1 + math.cos(math.pi * passed)) / 2
    return 1.0
