"""The run ends on time with a learning rate of zero, at any speed and across pauses."""

from __future__ import annotations

import time

import pytest
from schedule import COOL_DOWN_SHARE, Budget, Progress, next_occurrence


def test_the_cool_down_ends_with_the_budget_whatever_the_speed() -> None:
    for seconds in (0.5, 3.0):
        progress = Progress()
        budget = Budget(active_seconds=3000.0)
        rates = []
        while progress.fraction < 1.0:
            rates.append(progress.rate)
            progress.advance(budget, seconds, tokens=100)
        assert progress.active_seconds == pytest.approx(3000.0, abs=2 * seconds)
        assert progress.tokens == 100 * progress.step
        assert rates[-1] < 0.02
        cooling = sum(rate < 1.0 for rate in rates[100:])
        assert cooling == pytest.approx(COOL_DOWN_SHARE * len(rates), rel=0.02)


def test_a_pause_does_not_jump_over_the_cool_down(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "time", lambda: now)
    progress = Progress(step=200)
    budget = Budget(deadline=2000.0)
    rates = []
    while progress.fraction < 1.0:
        seconds = 500.0 if progress.step == 500 else 1.0
        now += seconds
        progress.advance(budget, seconds, tokens=1)
        rates.append(progress.rate)
    largest_fall = max(before - after for before, after in zip(rates, rates[1:], strict=False))
    assert largest_fall < 0.05
    assert rates[-1] == 0.0
    assert now == pytest.approx(2000.0, abs=10)


def test_warm_up_starts_small_and_chats_come_late() -> None:
    assert Progress().rate < 0.05
    assert Progress(step=500, fraction=0.2).rate == 1.0
    assert Progress(step=500, warm_from=490).rate < 0.2
    assert Progress(fraction=0.9).in_chat_phase
    assert not Progress(fraction=0.5).in_chat_phase


def test_a_clock_time_is_the_next_one() -> None:
    moment = next_occurrence("00:00")
    assert time.time() < moment <= time.time() + 86400
    assert moment % 86400 == 0
    with pytest.raises(ValueError, match="does not match"):
        next_occurrence("noon")
