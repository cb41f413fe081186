"""The time for answers: measured batch by batch, never less than one batch."""

from __future__ import annotations

import pytest

from tunesmith.evaluate.budget import Budget


@pytest.mark.parametrize(("seconds", "each", "batches"), [(40, 5, 4), (40, 30, 1), (1, 30, 1)])
def test_the_base_has_half_and_stops_before_it_goes_beyond(
    seconds: float, each: float, batches: int
) -> None:
    now = 0.0
    budget = Budget(seconds, clock=lambda: now)
    made = 0
    while True:
        budget.begin()
        now += each
        made += 1
        if not budget.allows_another():
            break
    assert made == batches
