"""How far a pre-training run is, and what follows from it: learning rate, window length, mixture.

Progress is a fraction from 0 to 1 that reaches 1 when the budget is spent, whatever the speed
turns out to be. Each step advances it by its share of the time that is left::

    fraction += (1 - fraction) * step_seconds / seconds_left

A step that took far longer than the ones before it was paused; only its usual time counts, so
a pause never cuts the cool-down short.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median

WARM_UP_STEPS = 100
COOL_DOWN_SHARE = 0.75
CHAT_PHASE_SHARE = 0.2
PAUSE_FACTOR = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What ends the run: a moment, a number of active seconds, or a number of steps."""

    deadline: float | None = None
    active_seconds: float | None = None
    steps: int | None = None


@dataclass(slots=True, kw_only=True)
class Progress:
    """Counters of a run; saved with every checkpoint.

    `warm_from` is the step at which the optimizers last began anew: 0, or where a run went on
    from an exported model alone.
    """

    fraction: float = 0.0
    step: int = 0
    warm_from: int = 0
    tokens: int = 0
    active_seconds: float = 0.0
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=50))

    def advance(self, budget: Budget, step_seconds: float, tokens: int) -> None:
        """Count one finished step."""
        usual = median(self.recent) if len(self.recent) >= 5 else step_seconds
        counted = min(step_seconds, PAUSE_FACTOR * usual)
        self.recent.append(counted)
        left = self._seconds_left(budget)
        self.active_seconds += counted
        self.step += 1
        self.tokens += tokens
        if budget.steps is not None:
            self.fraction = min(1.0, self.step / budget.steps)
        elif left is None or left <= counted:
            self.fraction = 1.0
        else:
            self.fraction += (1.0 - self.fraction) * counted / left

    def _seconds_left(self, budget: Budget) -> float | None:
        if budget.deadline is not None:
            return budget.deadline - time.time()
        if budget.active_seconds is not None:
            return budget.active_seconds - self.active_seconds
        return None

    @property
    def in_chat_phase(self) -> bool:
        """Whether this is the last part, with longer windows and many conversations."""
        return self.fraction >= 1.0 - CHAT_PHASE_SHARE

    @property
    def rate(self) -> float:
        """Share of the full learning rate: warm-up, flat, then linear to zero."""
        warm = min(1.0, (self.step - self.warm_from + 1) / WARM_UP_STEPS)
        return warm * min(1.0, (1.0 - self.fraction) / COOL_DOWN_SHARE)


def next_occurrence(clock: str) -> float:
    """Unix time at which the clock next shows ``HH:MM`` in UTC.

    Raises:
        ValueError: the text is not ``HH:MM``.
    """
    wanted = datetime.strptime(clock, "%H:%M")
    now = datetime.now(UTC)
    moment = now.replace(hour=wanted.hour, minute=wanted.minute, second=0, microsecond=0)
    return (moment if moment > now else moment + timedelta(days=1)).timestamp()
