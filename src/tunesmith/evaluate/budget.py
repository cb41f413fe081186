"""How many answers are generated: as many as fit a time budget, the same for base and tuned.

The base answers first, in batches, and has half of the budget. After each batch it stops
where another one as slow as that would end beyond; what it answered is what the tuned model
is asked too. The first batch is always answered, so that there is something to compare.
"""

from __future__ import annotations

import time
from collections.abc import Callable

BATCH = 32


class Budget:
    """Seconds for generated answers, base and tuned together."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Spend `seconds`; the clock is replaced in tests."""
        self._share = seconds / 2
        self._clock = clock
        self._spent = 0.0
        self._began = 0.0
        self.answered: dict[str, int] = {}
        """By name of the questions, how many of the first of them are answered."""

    def begin(self) -> None:
        """A batch begins."""
        self._began = self._clock()

    def allows_another(self) -> bool:
        """Whether there is time for another batch, at the end of one."""
        took = self._clock() - self._began
        self._spent += took
        return self._spent + took <= self._share
