"""The one training loop. It knows no method and no adapter by name.

    until the last step, or no gain for `early_stopping` measurements:
        measure the held-out rows when due          -> events.jsonl, best checkpoint
        save when due, when best, when asked to stop -> checkpoints/step-N
        rows of the step -> gradients -> clip          launched, on a device
        the next step's rows -> forests                meanwhile, on the host
        read loss and norm; stop if they are bad       the one wait for the device
        optimizer at the scheduled rate -> metrics.jsonl

Several processes go through the loop side by side: each decision follows from numbers that
all of them have, the first one alone writes, and a signal to any of them is one to all.

Where it stands is a `Progress`, saved with each checkpoint; all else follows from the seed
and the step's number, so a run that was killed anywhere ends with the same bits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import torch
from torch import nn

from tunesmith.contracts import Adapter, Json, JsonObject, StepRecord, TokenRow
from tunesmith.errors import Diverged, Interrupted, Place
from tunesmith.recipe import Train
from tunesmith.runs import Run
from tunesmith.runs.fault import reach
from tunesmith.train import checkpoint, metrics, watch
from tunesmith.train.ahead import Ahead, objective_at
from tunesmith.train.display import Display
from tunesmith.train.distribute import Placement
from tunesmith.train.feed import Feed
from tunesmith.train.objective import Objective, PendingLoss, PreparedStep
from tunesmith.train.optimizer import NamedOptimizer
from tunesmith.train.progress import Progress
from tunesmith.train.room import Room, longest_example
from tunesmith.train.schedule import rate_share, warmup_steps
from tunesmith.train.shortage import shortage_named
from tunesmith.train.signals import StopSignals
from tunesmith.train.steps import StepRows

Samples = Callable[[], list[JsonObject]]
"""Writes a few answers with the model as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything that a training run needs, put together by the stage."""

    run: Run
    model: nn.Module
    adapter: Adapter
    placement: Placement
    objective: Objective
    room: Room
    optimizer: NamedOptimizer
    rows: StepRows
    held_out: Sequence[TokenRow]
    """Rows to measure with; none switches measuring, early stopping and the best off."""
    samples: Samples
    settings: Train
    """Resolved: nothing is None but one of `epochs` and `steps`."""
    total: int
    """Optimizer steps of the whole run."""
    identity: JsonObject
    """What the run is, saved with each checkpoint and compared on resume."""
    feed: Feed
    display: Display


def fit(job: Job, progress: Progress) -> Progress:
    """Train from `progress` to the end of the run.

    Returns:
        The final progress; its checkpoint, and that of its best step, are on the disk.

    Raises:
        Interrupted: a signal arrived; the state is saved.
        Diverged: the loss is not finite, or exploded; the last good checkpoint is kept.
        ResourceError: the disk is full or memory does not suffice; ditto.
    """
    saved = progress
    ahead = Ahead(job.objective, job.rows, job.room, job.total)
    with StopSignals(speaks=job.placement.group.is_first) as signals:
        while True:
            with shortage_named(f"after step {progress.step}", job.room.at(progress.step)):
                progress = _measure_if_due(job, progress, signals)
            finished = _finished(job, progress)
            stopping = _agreed(job, signals)
            if _should_save(job, progress, saved, last=finished or stopping > 0):
                _save(job, progress)
                saved = progress
            if stopping:
                raise _interrupted(job, progress, stopping)
            if finished:
                _say_if_early(job, progress)
                return progress
            with shortage_named(f"in step {progress.step + 1}", job.room.at(progress.step + 1)):
                progress = _take_step(job, progress, ahead)


def _take_step(job: Job, progress: Progress, ahead: Ahead) -> Progress:
    began = time.monotonic()
    step = progress.step + 1
    launched = _launch(job, ahead, step)
    norm_there = job.optimizer.clip(job.settings.max_gradient_norm)
    ahead.prepare(step + 1)  # while the device computes
    loss, norm = launched.loss.read_with(norm_there)
    rows = launched.prepared.rows
    places = [row.place for row in rows]
    seen = progress.watch
    try:
        if not _is_finite(loss):
            places = job.objective.blame(rows)
        watch.check_finite(step, loss, norm, places)
        seen = progress.watch.saw(loss)
        watch.check_spike(step, loss, seen, places)
    except Diverged as error:
        job.optimizer.clear()
        _note(job, step, places, error)
        raise
    reach("step")
    rate = _rate(job, step)
    job.optimizer.step(rate)
    record = StepRecord(
        step=step,
        loss=loss,
        learning_rate=rate,
        gradient_norm=norm,
        seconds=round(time.monotonic() - began, 4),
        **asdict(launched.prepared.count),
    )
    if job.placement.group.is_first:
        metrics.append(job.run.path("metrics.jsonl"), record)
    job.feed.step(record)
    job.display.step(record)
    return replace(progress, step=step, watch=seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Launched:
    """A step whose gradients are on their way."""

    prepared: PreparedStep
    loss: PendingLoss


def _launch(job: Job, ahead: Ahead, step: int) -> _Launched:
    """Gradients of a step; in smaller forests where the device has too little memory."""
    processes = job.placement.group.count
    while True:
        room = job.room.at(step)
        prepared = ahead.of(step)
        with shortage_named(f"in step {step}", room, processes):
            try:
                return _Launched(prepared=prepared, loss=job.objective.backward(prepared))
            except torch.OutOfMemoryError:
                job.optimizer.clear()
                longest = longest_example(prepared.rows, job.objective.packing.rows_together)
                # Of several processes the others are waiting for this one's gradients.
                smaller = None if processes > 1 else job.room.halve(step, longest)
                if smaller is None:
                    raise
        torch.cuda.empty_cache()
        job.display.say(
            f"not enough memory in step {step} for forests of {room} tokens; "
            f"it is repeated, and goes on, with {smaller}"
        )


def _measure_if_due(job: Job, progress: Progress, signals: StopSignals) -> Progress:
    """The progress with a held-out measurement, where one is due and no signal forbids it."""
    due = progress.step % _whole(job.settings.eval_every) == 0 or progress.step >= job.total
    if not job.held_out or not due or progress.evaluated == progress.step:
        return progress

    def stopping() -> bool:
        return _agreed(job, signals) > 0

    _check_weights(job, progress.step)
    objective = objective_at(job.objective, job.room, progress.step)
    loss = objective.measure(job.held_out, stopping)
    if loss is None:
        return progress
    if not _is_finite(loss):
        places = job.objective.blame(job.held_out)
        error = Diverged(
            f"the held-out loss after step {progress.step} is not finite; "
            f"rows: {watch.named(places)}",
            hint="look at these rows; if they are fine, start a new run with a lower "
            "train.learning_rate",
        )
        _note(job, progress.step, places, error)
        raise error
    samples: list[Json] = list(_samples(job))
    measured = progress.measured(loss)
    best = measured.best_step == measured.step
    job.run.events.append(
        "evaluated",
        step=progress.step,
        held_out_loss=loss,
        rows=len(job.held_out),
        best=best,
        samples=samples,
    )
    job.feed.held_out(progress.step, loss)
    job.display.held_out(progress.step, loss, best=best)
    return measured


def _finished(job: Job, progress: Progress) -> bool:
    """Whether this was the last step, measured too, or measuring says that it is enough."""
    patience = job.settings.early_stopping
    if job.held_out and patience and progress.without_gain >= patience:
        return True
    unmeasured = bool(job.held_out) and progress.evaluated < progress.step
    return progress.step >= job.total and not unmeasured


def _should_save(job: Job, progress: Progress, saved: Progress, *, last: bool) -> bool:
    """Whether the present step needs a checkpoint, `saved` being the newest one."""
    if progress.step == 0:
        return False
    if progress.best_step == progress.step != saved.best_step:
        return True
    due = progress.step % _whole(job.settings.save_every) == 0 and progress.watch.calm
    return progress.step > saved.step and (due or last)


def _samples(job: Job) -> list[JsonObject]:
    """Answers of the model as it is; a sharded one answers with all processes' help."""
    placement = job.placement
    if placement.spread != "fsdp":
        return job.samples() if placement.group.is_first else []
    with torch.no_grad():
        answers = placement.compute(job.samples)
    placement.settle()
    return answers


def _save(job: Job, progress: Progress) -> None:
    _check_weights(job, progress.step)
    state: JsonObject = {"progress": progress.as_json(), "identity": job.identity}
    optimizer = job.optimizer.state()
    saved = checkpoint.Checkpoint(
        weights=job.placement.gathered(job.adapter.state(job.model)),
        optimizer=replace(optimizer, tensors=job.placement.gathered(optimizer.tensors)),
        state=state,
    )
    if job.placement.group.is_first:
        checkpoints = job.run.path("checkpoints")
        checkpoint.save(checkpoints, progress.step, saved)
        job.run.events.append("saved", step=progress.step, best_step=progress.best_step)
        checkpoint.prune(checkpoints, keep=job.settings.keep_checkpoints, best=progress.best_step)
    # Nobody goes on, or ends, before it is on the disk.
    job.placement.group.wait()


def _check_weights(job: Job, step: int) -> None:
    try:
        watch.check_weights(step, job.placement.group.union(job.optimizer.bad_weights()))
    except Diverged as error:
        _note(job, step, (), error)
        raise


def _note(job: Job, step: int, places: Sequence[Place], error: Diverged) -> None:
    rows: list[Json] = [str(place) for place in places]
    job.run.events.append("diverged", step=step, rows=rows, message=error.what)


def _say_if_early(job: Job, progress: Progress) -> None:
    if progress.step < job.total:
        count = progress.without_gain
        job.run.events.append("stopped_early", step=progress.step, without_gain=count)
        job.display.say(
            f"stopped early after step {progress.step}: {count} measurements without "
            "improvement; train.early_stopping: 0 goes on"
        )


def _rate(job: Job, step: int) -> float:
    warmup = warmup_steps(job.settings.warmup, job.total)
    assert job.settings.learning_rate is not None
    share = rate_share(job.settings.schedule, step, total=job.total, warmup=warmup)
    return job.settings.learning_rate * share


def _agreed(job: Job, signals: StopSignals) -> int:
    """The signal that any process has received; 0 where none has."""
    return job.placement.group.highest(signals.number or 0)


def _interrupted(job: Job, progress: Progress, number: int) -> Interrupted:
    job.run.events.append("interrupted", step=progress.step, signal=number)
    return Interrupted(
        f"stopped after step {progress.step} of {job.total}; everything is saved",
        hint=f"tunesmith run --resume --output {job.run.folder}",
        signal_number=number,
    )


def _is_finite(value: float) -> bool:
    return value - value == 0.0


def _whole(value: int | None) -> int:
    assert value is not None, "a resolved recipe has this value"
    return value
