"""The evaluate stage: base and tuned on the same rows, written to evaluation.json.

    data/heldout.examples.jsonl, model/  ->  evaluation.json, evaluation/rows.jsonl

`rows.jsonl` holds the scores of every single row, for whoever wants to analyse them again:

    {"task": "answers", "place": "tickets.jsonl:3", "base": {"f1": 0.1}, "tuned": {"f1": 1.0}}
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

from tunesmith import plugins
from tunesmith.base import BaseFolder
from tunesmith.contracts import JsonObject
from tunesmith.data.coding import Coding
from tunesmith.errors import RunError, TemplateError
from tunesmith.evaluate.budget import Budget
from tunesmith.evaluate.compare import RESAMPLES
from tunesmith.evaluate.contracts import Answer, Material, Measurement, Subject, Task
from tunesmith.evaluate.display import Display
from tunesmith.evaluate.encoder import RunEncoder
from tunesmith.evaluate.gates import judge_gates
from tunesmith.evaluate.material import gather
from tunesmith.evaluate.questions import HELD_OUT, held_out_questions
from tunesmith.evaluate.record import FILE, FORMAT, EvaluationRecord, Generation
from tunesmith.evaluate.results import RowScores, compare_all, score_rows
from tunesmith.evaluate.sides import BASE, TUNED, Models, sides
from tunesmith.evaluate.subject import Asking
from tunesmith.hardware import detect
from tunesmith.recipe import Recipe
from tunesmith.runs import Run
from tunesmith.runs.documents import write_json, write_text
from tunesmith.tokenizer.stop import stop_tokens
from tunesmith.train.determinism import deterministic

SHOWN_GENERATIONS = 20
ROWS_FILE = "rows.jsonl"
_TOKENS_PER_FOREST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What an evaluation stands on, besides the recipe and the run."""

    base: BaseFolder
    coding: Coding
    """The tokenizer and the template as the run's data was prepared with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one model showed."""

    measurements: dict[str, Measurement]
    answers: tuple[Answer, ...] = ()


def evaluate(
    recipe: Recipe, run: Run, ground: Ground, *, display: Display | None = None
) -> EvaluationRecord:
    """Measure base and tuned, compare them, and write evaluation.json.

    Args:
        recipe: resolved.
        run: its directory, with `model/` and `data/`.
        ground: base, tokenizer and template.
        display: where progress is shown; stderr by default.

    Returns:
        What was written. Gates are judged, not enforced.

    Raises:
        RunError: the run has no model yet.
        RecipeError: `evaluate.tasks` names what does not exist.
        DataError, ModelError, ResourceError: as the loaders.
    """
    began = time.monotonic()
    display = display or Display()
    tuned = run.path("model")
    if not tuned.is_dir():
        raise RunError(
            f"{run.folder} has no trained model yet",
            hint=f"continue it: tunesmith run --resume --output {run.folder}",
        )
    base, coding = ground.base, ground.coding
    longest = _longest_answer(recipe, base)
    encoder = RunEncoder(
        coding=coding,
        max_length=recipe.data.max_length,
        keeps_overlong=recipe.data.overlong == "truncate",
        context=base.context,
        max_new_tokens=longest,
    )
    material = gather(recipe, run, encoder)
    tasks, skipped = choose_tasks(recipe, material)
    for name, why in skipped.items():
        display.say(f"{name} is not measured: {why}")
    asking = _asking(recipe, coding, longest, display)
    display.say(settings_line(recipe, longest))
    models = Models(recipe=recipe, base=base, tuned=tuned)
    # On a GPU, kernels that were compiled while training serve here too.
    with deterministic(detect(recipe.train.device).device, wanted=recipe.train.deterministic):
        seen = [_measure(subject, tasks, material) for subject in sides(models, asking)]
    record, scores = _compared(recipe, material, tasks, seen)
    record = replace(
        record,
        settings=_settings(recipe, material, asking),
        skipped=skipped,
        seconds=round(time.monotonic() - began, 2),
    )
    _write(run, record, scores)
    return record


def choose_tasks(recipe: Recipe, material: Material) -> tuple[dict[str, Task], dict[str, str]]:
    """The tasks to measure by name, and those that do not fit the data with the reason.

    Raises:
        RecipeError: `evaluate.tasks` names what does not exist.
    """
    chosen: dict[str, Task] = {}
    skipped: dict[str, str] = {}
    for name in recipe.evaluate.tasks or plugins.names("tasks"):
        task = cast(Task, plugins.load("tasks", name))
        why = task.missing(material)
        if why:
            skipped[name] = why
        else:
            chosen[name] = task
    return chosen, skipped


def settings_line(recipe: Recipe, longest: int) -> str:
    """The defaults that decide what is measured, for people."""
    chosen = recipe.evaluate
    return (
        f"evaluating base and tuned: at most {chosen.max_rows} rows, greedy answers of at most "
        f"{longest} tokens, {chosen.budget:g} seconds for answers, seed {recipe.seed}"
    )


def _asking(recipe: Recipe, coding: Coding, longest: int, display: Display) -> Asking:
    return Asking(
        tokenizer=coding.tokenizer,
        stop_ids=_stops(coding),
        max_new_tokens=longest,
        tokens_per_forest=recipe.train.tokens_per_forest or _TOKENS_PER_FOREST,
        budget=Budget(recipe.evaluate.budget),
        display=display,
    )


def _settings(recipe: Recipe, material: Material, asking: Asking) -> JsonObject:
    """What decided the figures, for evaluation.json."""
    return {
        "max_rows": recipe.evaluate.max_rows,
        "rows": len(material.held_out),
        "train_rows": len(material.train),
        "questions": len(held_out_questions(material)),
        "answered": asking.budget.answered.get(HELD_OUT, 0),
        "documents": len(material.documents),
        "retention": recipe.evaluate.retention,
        "decoding": "greedy",
        "max_new_tokens": asking.max_new_tokens,
        "budget": recipe.evaluate.budget,
        "seed": recipe.seed,
        "resamples": RESAMPLES,
    }


def _longest_answer(recipe: Recipe, base: BaseFolder) -> int:
    """New tokens an answer; at most half of what the model can read is for the answer."""
    wanted = recipe.evaluate.max_new_tokens
    return wanted if base.context is None else max(1, min(wanted, base.context // 2))


def _stops(coding: Coding) -> frozenset[int]:
    """Data without conversations needs no template that ends turns."""
    try:
        return frozenset(stop_tokens(coding.tokenizer, coding.template))
    except TemplateError:
        return frozenset(coding.tokenizer.stop_ids)


def _measure(subject: Subject, tasks: Mapping[str, Task], material: Material) -> Seen:
    measurements = {name: task.measure(subject, material) for name, task in tasks.items()}
    if "answers" not in tasks and "classification" not in tasks:
        return Seen(measurements=measurements)
    # Already generated for the task: this only reads them again.
    answers = subject.answer(HELD_OUT, held_out_questions(material))
    return Seen(measurements=measurements, answers=tuple(answers))


def _compared(
    recipe: Recipe, material: Material, tasks: Mapping[str, Task], seen: list[Seen]
) -> tuple[EvaluationRecord, RowScores]:
    base, tuned = seen
    results, intervals = compare_all(tasks, base.measurements, tuned.measurements, recipe.seed)
    scores = score_rows(base.measurements, tuned.measurements)
    record = EvaluationRecord(
        format=FORMAT,
        settings={},
        results=results,
        intervals=intervals,
        gates=judge_gates(recipe.gates, results),
        generations=_generations(material, base, tuned, scores),
        confusion=_confusion(base, tuned),
        details={
            name: {BASE: base.measurements[name].details, TUNED: measurement.details}
            for name, measurement in tuned.measurements.items()
            if measurement.details
        },
        skipped={},
        seconds=0.0,
    )
    return record, scores


def _generations(
    material: Material, base: Seen, tuned: Seen, scores: RowScores
) -> tuple[Generation, ...]:
    own = scores.get("answers", {})
    rows = zip(held_out_questions(material), base.answers, tuned.answers, strict=False)
    return tuple(
        Generation(
            prompt=question.prompt,
            reference=question.reference,
            base=before.text,
            tuned=after.text,
            scores=own.get(str(question.example.place), {}),
            place=str(question.example.place),
        )
        for question, before, after in itertools.islice(rows, SHOWN_GENERATIONS)
    )


def _confusion(base: Seen, tuned: Seen) -> JsonObject | None:
    if "classification" not in tuned.measurements:
        return None
    before = base.measurements["classification"].details
    after = tuned.measurements["classification"].details
    matrices = ("generated", "likeliest")
    return {
        "labels": after["labels"],
        BASE: {name: before[name] for name in matrices},
        TUNED: {name: after[name] for name in matrices},
    }


def _write(run: Run, record: EvaluationRecord, scores: RowScores) -> None:
    run.path("evaluation").mkdir(exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in _rows(scores)]
    write_text(run.path("evaluation", ROWS_FILE), "".join(f"{line}\n" for line in lines))
    write_json(run.path(FILE), record.as_json())


def _rows(scores: RowScores) -> Iterator[JsonObject]:
    for task, places in scores.items():
        for place, metrics in places.items():
            yield {
                "task": task,
                "place": place,
                BASE: {name: pair.base for name, pair in metrics.items()},
                TUNED: {name: pair.tuned for name, pair in metrics.items()},
            }
