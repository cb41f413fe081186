"""On a GPU the host waits for the step before the last one: never for all, never for none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pace import STEPS_AHEAD, Pace, send


class Event:
    """A stand-in for an event of CUDA that notes who was waited for."""

    made = 0
    waited: list[int] = []

    def __init__(self) -> None:
        self.number = Event.made
        Event.made += 1

    def record(self, stream: object) -> None:
        assert stream == "the stream"

    def synchronize(self) -> None:
        Event.waited.append(self.number)


def test_the_queue_never_empties(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: "the stream")
    clock = iter(range(100))
    monkeypatch.setattr("pace.time.monotonic", lambda: float(next(clock)))
    pace = Pace(torch.device("cuda"))
    seconds = [pace.step() for _ in range(6)]
    assert Event.waited == list(range(6 - STEPS_AHEAD))
    assert seconds == [1.0] * 6
    pace.rest()
    assert pace.step() == 1.0
    assert Event.waited == list(range(6 - STEPS_AHEAD)), "what was before a rest is done"


def test_windows_arrive_unchanged() -> None:
    windows = np.arange(12, dtype=np.int64).reshape(3, 4)
    assert (send(windows, torch.device("cpu")).numpy() == windows).all()
