"""How far a run has come: the part of a checkpoint's state.json that the loop moves.

{"step": 40, "evaluated": 40, "first_loss": 3.1, "best_step": 40, "best_loss": 2.2,
"without_gain": 0, "recent": [2.4, 2.3], "spikes": 0}
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tunesmith.contracts import Json, JsonObject
from tunesmith.train.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where the loop stands after `step` optimizer steps."""

    step: int = 0
    evaluated: int = -1
    """Step of the last held-out measurement; -1 before the first."""
    first_loss: float | None = None
    """Held-out loss before the first step."""
    best_step: int | None = None
    best_loss: float | None = None
    """Lowest held-out loss after any step, and that step."""
    without_gain: int = 0
    """Measurements since then."""
    watch: Watch = field(default_factory=Watch)

    def measured(self, loss: float) -> Progress:
        """The progress after a held-out measurement at the present step."""
        if self.step == 0:
            return replace(self, evaluated=0, first_loss=loss)
        if self.best_loss is None or loss < self.best_loss:
            return replace(
                self, evaluated=self.step, best_step=self.step, best_loss=loss, without_gain=0
            )
        return replace(self, evaluated=self.step, without_gain=self.without_gain + 1)

    def without_best(self) -> Progress:
        """The progress with its best checkpoint forgotten, because that was lost."""
        return replace(self, best_step=None, best_loss=None, without_gain=0)

    def as_json(self) -> JsonObject:
        """Plain data for state.json."""
        recent: list[Json] = list(self.watch.recent)
        return {
            "step": self.step,
            "evaluated": self.evaluated,
            "first_loss": self.first_loss,
            "best_step": self.best_step,
            "best_loss": self.best_loss,
            "without_gain": self.without_gain,
            "recent": recent,
            "spikes": self.watch.spikes,
        }


def read_progress(state: Json) -> Progress:
    """The progress in a state.json that we wrote and verified."""
    assert isinstance(state, dict)
    recent = state["recent"]
    assert isinstance(recent, list)
    watch = Watch(recent=tuple(_number(loss) for loss in recent), spikes=_whole(state["spikes"]))
    best_step, best_loss, first_loss = (
        state[key] for key in ("best_step", "best_loss", "first_loss")
    )
    return Progress(
        step=_whole(state["step"]),
        evaluated=_whole(state["evaluated"]),
        first_loss=None if first_loss is None else _number(first_loss),
        best_step=None if best_step is None else _whole(best_step),
        best_loss=None if best_loss is None else _number(best_loss),
        without_gain=_whole(state["without_gain"]),
        watch=watch,
    )


def _whole(value: Json) -> int:
    assert isinstance(value, int)
    return value


def _number(value: Json) -> float:
    assert isinstance(value, (int, float))
    return float(value)
