"""Where a run stands: the newest good checkpoint, and putting its state back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.contracts import Json, JsonObject
from tunesmith.runs import Run
from tunesmith.train import checkpoint, metrics
from tunesmith.train.loop import Job
from tunesmith.train.optimizer import OptimizerState
from tunesmith.train.progress import Progress, read_progress
from tunesmith.train.resume import Identity, read_identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where an earlier attempt stopped; `step` is None where there is no checkpoint."""

    step: int | None
    progress: Progress
    identity: Identity | None
    """What the run was when it was saved."""
    notes: tuple[str, ...]
    """What a person should know, a line each."""


def find_start(run: Run) -> Start:
    """Look for the newest good checkpoint; damaged ones are renamed and named.

    Raises:
        RunError: there are checkpoints, and all are damaged.
    """
    checkpoints = run.path("checkpoints")
    checkpoint.remove_leftovers(checkpoints)
    found = checkpoint.latest_valid(checkpoints)
    notes = []
    for step, why in found.passed_over.items():
        aside = checkpoint.set_aside(checkpoints, step)
        run.events.append("checkpoint_damaged", step=step, reason=why, kept_as=aside.name)
        notes.append(f"checkpoint step-{step} is not used: {why}; it is kept as {aside.name}")
    if found.step is None:
        return Start(step=None, progress=Progress(), identity=None, notes=())
    state = checkpoint.read_state(checkpoints, found.step)
    progress = read_progress(state["progress"])
    if found.best_lost:
        notes.append(
            f"the best checkpoint so far, step-{progress.best_step}, is lost; "
            "the best is chosen among later ones"
        )
        progress = progress.without_best()
    notes.append(f"resuming from step {found.step}")
    return Start(
        step=found.step,
        progress=progress,
        identity=read_identity(state["identity"]),
        notes=tuple(notes),
    )


def restore(job: Job, start: Start, notes: Sequence[str]) -> Progress:
    """Put the saved state into the model, the optimizer and the metrics; where to go on.

    Args:
        job: freshly put together.
        start: from `find_start`.
        notes: what differs from the saved run, for the log.
    """
    lines: list[Json] = list(notes)
    path = job.run.path("metrics.jsonl")
    step = start.step or 0
    if start.step is not None:
        _load(job, start.step)
    dropped = metrics.cut_back(path, step) if job.placement.group.is_first else 0
    job.placement.group.wait()
    kind = "started" if start.step is None else "resumed"
    job.run.events.append(kind, step=step, total=job.total, dropped_lines=dropped, notes=lines)
    job.feed.begin(step, job.display.say)
    return start.progress


def _load(job: Job, step: int) -> None:
    """The first process reads, and hands every process what it keeps."""
    placement, group = job.placement, job.placement.group
    checkpoints = job.run.path("checkpoints")
    read: list[checkpoint.Checkpoint] = []

    def numbers() -> JsonObject:
        read.append(checkpoint.load(checkpoints, step))
        return read[0].optimizer.numbers

    plain = group.shared(numbers)
    weights = read[0].weights if read else None
    memory = read[0].optimizer.tensors if read else None
    own = job.adapter.state(job.model)
    job.adapter.load_state(job.model, placement.spread_out(weights, own))
    tensors = placement.spread_out(memory, job.optimizer.weights)
    job.optimizer.load_state(OptimizerState(tensors=tensors, numbers=plain))
