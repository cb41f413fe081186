"""The stage `train`: from packed rows to `model/`, from wherever the last attempt stopped.

open checkpoints -> compare with what is asked -> load -> put the state back -> fit -> model/

With several processes all of them are here, and the first one alone reads and writes.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from typing import cast

import torch

from tunesmith import plugins
from tunesmith.base import BaseFolder
from tunesmith.contracts import (
    ROWS_PER_EXAMPLE,
    Json,
    JsonObject,
    Method,
    Scores,
    TokenRow,
)
from tunesmith.data.alike import token_ranks
from tunesmith.data.forest import Forest, Packing
from tunesmith.data.order import Grouping, Mixture, epoch_length, epoch_order
from tunesmith.data.sound import require_sound
from tunesmith.data.store import PackedRows
from tunesmith.hardware import detect
from tunesmith.models.attention import ForestSupport
from tunesmith.models.load import adapter_switched_off
from tunesmith.models.output.choice import Choice
from tunesmith.models.score import forest_scores
from tunesmith.ranks import Spread
from tunesmith.recipe import Recipe
from tunesmith.runs import Run
from tunesmith.train import checkpoint, metrics, reference
from tunesmith.train.determinism import deterministic
from tunesmith.train.display import Display
from tunesmith.train.feed import Feed
from tunesmith.train.head import settle_head, workload
from tunesmith.train.heap import keep_freed_memory
from tunesmith.train.loop import Job, fit
from tunesmith.train.objective import Objective, without_dropout
from tunesmith.train.optimizer import NamedOptimizer
from tunesmith.train.processes import ALONE, Group
from tunesmith.train.progress import Progress
from tunesmith.train.result import Speech, write_model
from tunesmith.train.resume import Identity, compare, flat_recipe, versions_here
from tunesmith.train.room import Room
from tunesmith.train.samples import sampler
from tunesmith.train.schedule import warmup_steps
from tunesmith.train.shortage import shortage_named
from tunesmith.train.start import Start, find_start, restore
from tunesmith.train.steps import Rows, StepRows, held_out_rows, total_steps
from tunesmith.train.trainee import Trainee, attached, load_trainee, options_of

HELD_OUT_ROWS = 200
Say = Callable[[str], None]
_AT_ONCE = 2**20
"""Numbers that are hashed at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What training works on."""

    base: BaseFolder
    base_digest: str
    """Of the base's contents."""
    speech: Speech
    rows: PackedRows
    held_out: PackedRows | None
    mixture: Mixture
    """Decides the order of `rows` in every epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRecord:
    """What training did: the stage's entry in the run's state."""

    steps: int
    """Optimizer steps made."""
    total: int
    """Optimizer steps planned; fewer are made where early stopping steps in."""
    chosen_step: int
    """The step whose weights are in `model/`."""
    reason: str
    """Why that one."""
    first_loss: float | None
    """Held-out loss before the first step."""
    best_loss: float | None
    """Held-out loss of the chosen step."""
    last_loss: float | None
    """Training loss of the last step."""
    tokens: int
    """Tokens of all steps; the next four are those of `contracts.TokenCount`."""
    trained: int
    needed: int
    computed: int
    padded: int
    seconds: float
    """Time of all steps, without measuring and saving."""
    trained_weights: int
    """Numbers that were trained."""
    forest: str
    """How rows were computed."""

    def as_json(self) -> JsonObject:
        """Plain data for state.json."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What is asked for."""

    recipe: Recipe
    run: Run
    material: Material
    identity: Identity
    group: Group
    spread: Spread


def train(
    recipe: Recipe,
    run: Run,
    material: Material,
    *,
    tell: Callable[[str], None],
    group: Group = ALONE,
    spread: Spread = "single",
) -> TrainRecord:
    """Train to the end of the recipe, and write `model/`.

    Args:
        recipe: resolved; only one of `epochs` and `steps` is None.
        run: its directory, locked by this process.
        material: the base and the rows.
        tell: shows a line to the person.
        group: the processes that train together; each calls this, and gets the same.
        spread: how the model lies on them.

    Raises:
        RunError: the saved run is another one, or all its checkpoints are damaged.
        RecipeError: an option does not fit the model or the data.
        DataError: there are no rows, or the model cannot be trained on one of them.
        Interrupted: a signal arrived; the state is saved.
        Diverged: the loss is not finite or exploded; the last good checkpoint is kept.
        ResourceError: the disk is full or memory does not suffice; ditto.
    """

    def begin() -> tuple[Start, Identity, list[str]]:
        start = find_start(run)
        identity = _identity(recipe, material, start.identity, (spread, group.count))
        notes = list(start.notes)
        if start.identity is not None and start.step is not None:
            notes += compare(start.identity, identity, step=start.step)
        return start, identity, notes

    start, identity, notes = group.shared(begin)
    for note in notes:
        tell(note)
    task = _Task(
        recipe=recipe, run=run, material=material, identity=identity, group=group, spread=spread
    )
    trackers = recipe.train.report_to if group.is_first else ()
    feed = Feed(run, trackers, recipe.model_dump(mode="json"))
    try:
        _set_threads(identity)
        # Around loading too: what is compiled there for the proof would be compiled again here.
        with deterministic(identity.versions["device"], wanted=recipe.train.deterministic):
            trainee = load_trainee(recipe, material.base, group, spread)
            tell(trainee.support.reason)
            task = replace(task, identity=_with_head(task, trainee, tell))
            done = start.progress.step
            with Display(identity.total, done=done, speaks=group.is_first) as display:
                job = _job(task, trainee, feed, display)
                final = fit(job, restore(job, start, notes))
                return _finish(job, final, task, trainee.support)
    finally:
        feed.close()


def _identity(
    recipe: Recipe, material: Material, saved: Identity | None, lies: tuple[Spread, int]
) -> Identity:
    total = total_steps(recipe.train, epoch_length(material.mixture))
    # Said now rather than after the model is loaded.
    warmup_steps(recipe.train.warmup, total)
    for rows in (material.rows, material.held_out):
        if rows is not None:
            require_sound(rows, material.base.vocabulary)
    device = detect(recipe.train.device).device
    # What was chosen by looking at the machine is replayed, so that the bits stay the same.
    choices: dict[str, Json] = {
        "threads": torch.get_num_threads(),
        "tokens_per_forest": recipe.train.tokens_per_forest,
    }
    return Identity(
        recipe=flat_recipe(recipe),
        data=_digest_of_rows(material),
        base=material.base_digest,
        total=total,
        versions=versions_here(device, *lies),
        choices=choices if saved is None else saved.choices,
    )


def _with_head(task: _Task, trainee: Trainee, tell: Say) -> Identity:
    settings, room = task.recipe.train, task.identity.choices["tokens_per_forest"]
    assert isinstance(room, int) and settings.rows_per_step is not None, "the recipe is resolved"
    repeatable = settings.deterministic

    def report(choice: Choice) -> None:
        task.run.events.append("head", **choice.as_json())
        tell(str(choice))

    load = workload(task.material.rows, room, settings.rows_per_step, repeatable=repeatable)
    return settle_head(trainee.model, task.identity, task.group, load=load, report=report)


def _set_threads(identity: Identity) -> None:
    threads = identity.choices["threads"]
    assert isinstance(threads, int)
    torch.set_num_threads(threads)
    keep_freed_memory()


def _job(task: _Task, trainee: Trainee, feed: Feed, display: Display) -> Job:
    recipe, material = task.recipe, task.material
    room = task.identity.choices["tokens_per_forest"]
    assert isinstance(room, int), "the recipe is resolved"
    method = cast(Method, plugins.load("methods", recipe.method.name))
    together = ROWS_PER_EXAMPLE[method.CONSUMES]

    mixture = _mixture(recipe, material)

    def scores(forest: Forest) -> Scores:
        return forest_scores(trainee.model, forest, support=trainee.support)

    held_out: Sequence[TokenRow] = ()
    if material.held_out is not None and len(material.held_out):
        held_out = held_out_rows(material.held_out, HELD_OUT_ROWS, recipe.seed, together)
        count, of = len(held_out) // together, len(material.held_out) // together
        display.say(f"held-out loss on {count} of {of:,} {'pairs' if together > 1 else 'rows'}")
    objective = Objective(
        model=trainee.model,
        scores=scores,
        method=method,
        config=options_of(method.Config, recipe.method),
        packing=trainee.support.fit(
            Packing(
                tokens_per_forest=room,
                share=recipe.train.share_prefixes,
                rows_together=together,
            )
        ),
        seed=recipe.seed,
        placement=trainee.placement,
    )
    rows: Rows = material.rows
    if method.REFERENCE:
        rows, held_out = _referenced(task, objective, mixture, held_out, display.say)
    weights = [(name, one) for name, one in trainee.model.named_parameters() if one.requires_grad]
    return Job(
        run=task.run,
        model=trainee.model,
        adapter=trainee.adapter,
        placement=trainee.placement,
        objective=objective,
        room=Room(room, task.run),
        optimizer=NamedOptimizer(weights, recipe.train),
        rows=_step_rows(task, mixture, rows, together),
        held_out=held_out,
        samples=sampler(trainee.model, held_out[::together], material.speech, recipe.seed),
        settings=recipe.train,
        total=task.identity.total,
        identity=task.identity.as_json(),
        feed=feed,
        display=display,
    )


def _mixture(recipe: Recipe, material: Material) -> Mixture:
    """The order of the rows; with `group_prefixes`, in steps of rows that begin alike."""
    if not recipe.train.group_prefixes:
        return material.mixture
    assert recipe.train.rows_per_step is not None, "the recipe is resolved"
    # Of a pair the chosen row decides: both begin with the prompt.
    rank_R = token_ranks(material.rows)[:: material.rows.rows_per_example]
    grouping = Grouping(rank_R=rank_R, rows_per_step=recipe.train.rows_per_step)
    return replace(material.mixture, grouping=grouping)


def _step_rows(task: _Task, mixture: Mixture, rows: Rows, together: int) -> StepRows:
    rows_per_step = task.recipe.train.rows_per_step
    assert rows_per_step is not None, "the recipe is resolved"
    return StepRows(rows, lambda epoch: epoch_order(mixture, epoch), rows_per_step, together)


def _referenced(
    task: _Task, objective: Objective, mixture: Mixture, held_out: Sequence[TokenRow], say: Say
) -> tuple[Rows, Sequence[TokenRow]]:
    """The rows with what the model makes of them now, as training begins.

    A new adapter changes nothing yet: switched off it is the same, and faster. One that the
    run continues from is part of the model to compare with.
    """
    model, packing = objective.model, objective.packing
    continued = task.recipe.base.adapter is not None
    beginning = reference.Reference(
        folder=reference.folder_of(
            task.run.path("data", "reference"), reference.decided_by(task.recipe, task.identity)
        ),
        scores=objective.scores,
        packing=packing,
        say=say,
        placement=objective.placement,
    )
    steps = _step_rows(task, mixture, task.material.rows, packing.rows_together)
    with (
        shortage_named("for the reference", packing.tokens_per_forest),
        without_dropout(model),
        nullcontext() if continued else adapter_switched_off(model),
    ):
        began = time.monotonic()
        rows = reference.of_steps(beginning, task.material.rows, steps, task.identity.total)
        if held_out:
            held_out = reference.of_held_out(beginning, held_out)
        task.run.events.append("reference", seconds=round(time.monotonic() - began, 3))
        return rows, held_out


def _finish(job: Job, final: Progress, task: _Task, support: ForestSupport) -> TrainRecord:
    chosen = final.step
    reason = "the last step, because no row is held out"
    if job.held_out and final.best_step is not None:
        chosen = final.best_step
        reason = f"the lowest held-out loss, {final.best_loss:.4f}"
        if final.first_loss is not None and not _below(final.best_loss, final.first_loss):
            job.display.say(
                f"no step was better than the base on the held-out rows ({final.first_loss:.4f})"
            )
    if task.group.is_first:
        _write_result(job, task, chosen, final.step)
    steps = list(metrics.read(job.run.path("metrics.jsonl")))
    record = TrainRecord(
        steps=final.step,
        total=job.total,
        chosen_step=chosen,
        reason=reason,
        first_loss=final.first_loss,
        best_loss=final.best_loss,
        last_loss=steps[-1].loss if steps else None,
        **asdict(metrics.total(steps)),
        seconds=round(sum(step.seconds for step in steps), 3),
        trained_weights=job.optimizer.size,
        forest=support.reason,
    )
    job.run.events.append("trained", step=chosen, reason=reason)
    job.display.say(f"model/ is step {chosen}: {reason}")
    return record


def _write_result(job: Job, task: _Task, chosen: int, last: int) -> None:
    """Write `model/`, from the checkpoint of the step `chosen` unless that is here."""
    model = job.model
    sharded = task.spread == "fsdp"
    if sharded:
        model, _ = attached(task.recipe, task.material.base, "cpu")
    if chosen != last or sharded:
        best = checkpoint.load(job.run.path("checkpoints"), chosen)
        job.adapter.load_state(model, best.weights)
    write_model(job.run, model, job.adapter, task.material.speech)


def _below(loss: float | None, limit: float) -> bool:
    return loss is not None and loss < limit


def _digest_of_rows(material: Material) -> str:
    """sha256 of what is learned from and measured with; not of file names, which may change."""
    total = hashlib.sha256()
    for rows in (material.rows, material.held_out):
        if rows is not None:
            for column in (rows.lengths, rows.source_of, rows.ids, rows.weights):
                for start in range(0, len(column), _AT_ONCE):  # the tokens may not fit memory
                    total.update(column[start : start + _AT_ONCE].tobytes())
        total.update(b"|")
    return total.hexdigest()
