"""The stage `train`: from packed rows to `model/`, from wherever the last attempt stopped.

open checkpoints -> compare with what is asked -> load -> put the state back -> fit -> model/
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

import torch
from torch import nn

from tunesmith import plugins
from tunesmith.base import BaseFolder
from tunesmith.contracts import (
    ROWS_PER_EXAMPLE,
    Adapter,
    Config,
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
from tunesmith.hardware import choose_precision, detect
from tunesmith.models.attention import ForestSupport, enable_forest
from tunesmith.models.load import adapter_switched_off, load_model
from tunesmith.models.recompute import recompute_layers
from tunesmith.models.score import forest_scores
from tunesmith.recipe import PluginChoice, Recipe
from tunesmith.runs import Run
from tunesmith.train import checkpoint, metrics, reference
from tunesmith.train.determinism import deterministic
from tunesmith.train.display import Display
from tunesmith.train.feed import Feed
from tunesmith.train.heap import keep_freed_memory
from tunesmith.train.loop import Job, fit
from tunesmith.train.objective import Objective, seed_all, without_dropout
from tunesmith.train.optimizer import NamedOptimizer
from tunesmith.train.progress import Progress
from tunesmith.train.result import Speech, write_model
from tunesmith.train.resume import Identity, compare, flat_recipe, versions_here
from tunesmith.train.samples import sampler
from tunesmith.train.schedule import warmup_steps
from tunesmith.train.shortage import shortage_named
from tunesmith.train.start import find_start, restore
from tunesmith.train.steps import Rows, StepRows, held_out_rows, total_steps

HELD_OUT_ROWS = 200
Say = Callable[[str], None]
_AT_ONCE = 2**20
"""Numbers that are hashed at once."""
_ADAPTER_SEED = 3
"""Keeps the adapter's first weights apart from other uses of the seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What training works on."""

    base: BaseFolder
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
    total: int
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trainee:
    """The model in its trainable form."""

    model: nn.Module
    adapter: Adapter
    support: ForestSupport


def train(
    recipe: Recipe, run: Run, material: Material, *, tell: Callable[[str], None]
) -> TrainRecord:
    """Train to the end of the recipe, and write `model/`.

    Args:
        recipe: resolved; only one of `epochs` and `steps` is None.
        run: its directory, locked by this process.
        material: the base and the rows.
        tell: shows a line to the person.

    Raises:
        RunError: the saved run is another one, or all its checkpoints are damaged.
        RecipeError: an option does not fit the model or the data.
        DataError: there are no rows, or the model cannot be trained on one of them.
        Interrupted: a signal arrived; the state is saved.
        Diverged: the loss is not finite or exploded; the last good checkpoint is kept.
        ResourceError: the disk is full or memory does not suffice; ditto.
    """
    start = find_start(run)
    task = _task(recipe, run, material, start.identity)
    notes = list(start.notes)
    if start.identity is not None and start.step is not None:
        notes += compare(start.identity, task.identity, step=start.step)
    for note in notes:
        tell(note)
    feed = Feed(run, recipe.train.report_to, recipe.model_dump(mode="json"))
    try:
        trainee = _load(task)
        tell(trainee.support.reason)
        device = task.identity.versions["device"]
        with deterministic(device), Display(task.total, done=start.progress.step) as display:
            job = _job(task, trainee, feed, display)
            final = fit(job, restore(job, start, notes))
            return _finish(job, final, material.speech, trainee.support)
    finally:
        feed.close()


def _task(recipe: Recipe, run: Run, material: Material, saved: Identity | None) -> _Task:
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
    identity = Identity(
        recipe=flat_recipe(recipe),
        data=_digest_of_rows(material),
        base=material.base.content_digest(),
        total=total,
        versions=versions_here(device),
        choices=choices if saved is None else saved.choices,
    )
    return _Task(
        recipe=recipe,
        run=run,
        material=material,
        total=total,
        identity=identity,
    )


def _load(task: _Task) -> _Trainee:
    recipe, base = task.recipe, task.material.base
    threads = task.identity.choices["threads"]
    assert isinstance(threads, int)
    torch.set_num_threads(threads)
    keep_freed_memory()
    hardware = detect(recipe.train.device)
    precision, _ = choose_precision(recipe.base.precision, hardware, base.parameters)
    model = load_model(
        base,
        device=hardware.device,
        dtype=precision,
        quantize=recipe.base.quantize,
        adapter=None if recipe.base.adapter is None else Path(recipe.base.adapter),
    )
    adapter = cast(Adapter, plugins.load("adapters", recipe.adapter.name))
    seed_all(recipe.seed, _ADAPTER_SEED)
    model = adapter.attach(model, _options(adapter.Config, recipe.adapter))
    with without_dropout(model):  # which would make any proof fail
        support = enable_forest(model)
    recompute_layers(model, recipe.train.recompute_layers or 0)
    return _Trainee(model=model, adapter=adapter, support=support)


def _job(task: _Task, trainee: _Trainee, feed: Feed, display: Display) -> Job:
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
        config=_options(method.Config, recipe.method),
        packing=trainee.support.fit(
            Packing(
                tokens_per_forest=room,
                share=recipe.train.share_prefixes,
                rows_together=together,
            )
        ),
        seed=recipe.seed,
    )
    rows: Rows = material.rows
    if method.REFERENCE:
        rows, held_out = _referenced(task, objective, mixture, held_out, display.say)
    weights = [(name, one) for name, one in trainee.model.named_parameters() if one.requires_grad]
    return Job(
        run=task.run,
        model=trainee.model,
        adapter=trainee.adapter,
        objective=objective,
        optimizer=NamedOptimizer(weights, recipe.train),
        rows=_step_rows(task, mixture, rows, together),
        held_out=held_out,
        samples=sampler(trainee.model, held_out[::together], material.speech, recipe.seed),
        settings=recipe.train,
        total=task.total,
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
    )
    steps = _step_rows(task, mixture, task.material.rows, packing.rows_together)
    with (
        shortage_named("for the reference", packing.tokens_per_forest),
        without_dropout(model),
        nullcontext() if continued else adapter_switched_off(model),
    ):
        began = time.monotonic()
        rows = reference.of_steps(beginning, task.material.rows, steps, task.total)
        if held_out:
            held_out = reference.of_held_out(beginning, held_out)
        task.run.events.append("reference", seconds=round(time.monotonic() - began, 3))
        return rows, held_out


def _finish(job: Job, final: Progress, speech: Speech, support: ForestSupport) -> TrainRecord:
    chosen = final.step
    reason = "the last step, because no row is held out"
    if job.held_out and final.best_step is not None:
        chosen = final.best_step
        reason = f"the lowest held-out loss, {final.best_loss:.4f}"
        if final.first_loss is not None and not _below(final.best_loss, final.first_loss):
            job.display.say(
                f"no step was better than the base on the held-out rows ({final.first_loss:.4f})"
            )
    if chosen != final.step:
        best = checkpoint.load(job.run.path("checkpoints"), chosen)
        job.adapter.load_state(job.model, best.weights)
    write_model(job.run, job.model, job.adapter, speech)
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


def _below(loss: float | None, limit: float) -> bool:
    return loss is not None and loss < limit


def _options(kind: type[Config], choice: PluginChoice) -> Config:
    return kind.model_validate_json(json.dumps(choice.options))


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
