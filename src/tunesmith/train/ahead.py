"""Steps that are prepared while the device computes the one before.

    host      prepare 1 | launch 1 | prepare 2 | read 1, update 1, launch 2 | prepare 3 | ...
    device              | compute 1 ........... | update 1, compute 2 ........ ...

On CUDA, launching a step returns long before it is computed. What the next step needs of the
host (reading rows, laying them out in forests) is done in that time, so that the device has
to wait for no packing. A step follows from its number and its room alone: when it is prepared
changes nothing.
"""

from __future__ import annotations

from dataclasses import replace

from tunesmith.train.objective import Objective, PreparedStep
from tunesmith.train.room import Room
from tunesmith.train.steps import StepRows


class Ahead:
    """The steps of a run, of which at most one is prepared before it is asked for."""

    def __init__(self, objective: Objective, rows: StepRows, room: Room, total: int) -> None:
        """Nothing is prepared yet; steps beyond `total` never are."""
        self._objective = objective
        self._rows = rows
        self._room = room
        self._total = total
        self._prepared: PreparedStep | None = None

    def prepare(self, step: int) -> None:
        """Have `step` ready, if the run has it."""
        if step <= self._total:
            self._prepared = self.of(step)

    def of(self, step: int) -> PreparedStep:
        """`step`, as it was prepared, or anew where its room has become less since."""
        objective = objective_at(self._objective, self._room, step)
        known, self._prepared = self._prepared, None
        if known is not None and known.step == step:
            if known.packing == objective.packing:
                return known
            return objective.prepare(step, known.rows)
        return objective.prepare(step, self._rows.of(step))


def objective_at(objective: Objective, room: Room, step: int) -> Objective:
    """An objective that packs as `step` has room."""
    packing = replace(objective.packing, tokens_per_forest=room.at(step))
    return replace(objective, packing=packing)
