"""Sending metrics to the trackers of `train.report_to`; none of them can stop a run.

What a tracker has received is noted in `trackers/<name>/sent`; after a resume it gets the
lines of metrics.jsonl that it missed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tunesmith import plugins
from tunesmith.contracts import JsonObject, StepRecord, Tracker, TrackerKind
from tunesmith.errors import RecipeError, TunesmithError
from tunesmith.runs import Run
from tunesmith.train import metrics


@dataclass(slots=True, kw_only=True)
class _Open:
    name: str
    tracker: Tracker
    folder: Path
    sent: int


class Feed:
    """The open trackers of a run."""

    def __init__(self, run: Run, names: Sequence[str], recipe: JsonObject) -> None:
        """Connect to each tracker, before anything expensive happens.

        Raises:
            RecipeError: a tracker is unknown, not installed, or refuses.
        """
        self._run = run
        self._say: Callable[[str], None] = lambda line: None
        self._open: list[_Open] = []
        for name in names:
            folder = run.path("trackers", name)
            folder.mkdir(parents=True, exist_ok=True)
            note = folder / "sent"
            sent = int(note.read_text()) if note.exists() else 0
            tracker = _start(name, run.name, folder, recipe)
            self._open.append(_Open(name=name, tracker=tracker, folder=folder, sent=sent))

    def begin(self, step: int, say: Callable[[str], None]) -> None:
        """Send what trackers missed up to `step`; `say` shows a line to the person."""
        self._say = say
        for record in metrics.read(self._run.path("metrics.jsonl")):
            late = [target for target in self._open if target.sent < record.step <= step]
            self._send(late, record.step, _values(record))
        for target in self._open:
            target.sent = step

    def step(self, record: StepRecord) -> None:
        """Send one step."""
        self._send(self._open, record.step, _values(record))

    def held_out(self, step: int, loss: float) -> None:
        """Send a held-out measurement."""
        self._send(self._open, step, {"held_out_loss": loss})

    def close(self) -> None:
        """Note what was sent, and disconnect."""
        for target in list(self._open):
            (target.folder / "sent").write_text(str(target.sent))
            self._guarded(target, target.tracker.close)
        self._open.clear()

    def _send(self, targets: Sequence[_Open], step: int, values: Mapping[str, float]) -> None:
        for target in list(targets):
            self._guarded(target, lambda to=target: to.tracker.log(step, values))  # type: ignore[misc]
            target.sent = max(target.sent, step)

    def _guarded(self, target: _Open, action: Callable[[], None]) -> None:
        try:
            with redirect_stdout(sys.stderr):
                action()
        except Exception as error:  # a tracker may raise anything; training goes on
            if isinstance(error, (TunesmithError, AssertionError)):
                raise  # this is ours, not the tracker's
            if target in self._open:
                self._open.remove(target)
            self._run.events.append("tracker_failed", tracker=target.name, message=str(error))
            self._say(f"tracker {target.name} failed and is switched off: {error}")


def _start(name: str, run_name: str, folder: Path, recipe: JsonObject) -> Tracker:
    kind = cast(TrackerKind, plugins.load("trackers", name))
    try:
        with redirect_stdout(sys.stderr):  # stdout is for data
            return kind.start(run_name, folder, recipe)
    except TunesmithError:
        raise
    except Exception as error:  # no account, no network, ...: each library has its own
        raise RecipeError(
            f"train.report_to {name} cannot be used: {error}",
            hint=f"see to the settings of {name}, or leave it out of train.report_to",
        ) from error


def _values(record: StepRecord) -> dict[str, float]:
    return {
        "loss": record.loss,
        "learning_rate": record.learning_rate,
        "gradient_norm": record.gradient_norm,
        "tokens_per_second": record.tokens / max(record.seconds, 1e-9),
    }
