"""The order of the stages, on one page.

    recipe -> prepare -> train -> evaluate -> report -> export

Each stage reads the run directory and writes its part of it; `state.json` says what is
done, so a run continues with the stage that was open. What crosses the layers upwards is
handed in here: the defaults that the data and the hardware decide, which are written into
the run's recipe.yaml.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from pathlib import Path

from tunesmith.base import BaseFolder, locate_base
from tunesmith.contracts import ROWS_PER_EXAMPLE, Audit, JsonObject
from tunesmith.data import stage as data_stage
from tunesmith.data.audit.inspection import Inspection
from tunesmith.data.audit.sarif import sarif_of
from tunesmith.data.coding import load_coding
from tunesmith.data.kind import require_kind
from tunesmith.data.order import epoch_length
from tunesmith.data.prepared import existing
from tunesmith.data.stage import CheckReport
from tunesmith.errors import InputError, Refused, RunError
from tunesmith.evaluate.gates import check_names, refuse_failed
from tunesmith.evaluate.inspection import inspection_of
from tunesmith.evaluate.record import FILE, EvaluationRecord, read_record
from tunesmith.evaluate.retention import read_documents
from tunesmith.jobs import RECIPE, SILENT, Job, Voice, open_asked, stored_recipe
from tunesmith.plan.changes import STAGES, affected_stages
from tunesmith.plan.defaults import Decision, Facts, decide, longest_row
from tunesmith.plan.memory import MemoryPlan, plan_memory
from tunesmith.plan.placement import plan_placement, share_of
from tunesmith.ranks import Spread, ranks_here
from tunesmith.recipe import Recipe, Request, as_yaml, read_recipe
from tunesmith.recipe.options import consumed_by
from tunesmith.runs import Run, open_run
from tunesmith.runs.directory import new_folder
from tunesmith.runs.documents import write_json, write_text
from tunesmith.runs.environment import describe_environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would do: the content of a dry run."""

    recipe: Recipe
    decisions: tuple[Decision, ...]
    check: CheckReport
    memory: MemoryPlan


def run(
    recipe: str | Path | None = None,
    *,
    base: str | None = None,
    data: str | None = None,
    output: str | None = None,
    overrides: Mapping[str, object] | None = None,
    resume: bool = False,
) -> Run:
    """Do the whole job; the Python face of `tunesmith run`.

    Args:
        recipe: a recipe file, or None.
        base: folder or hub id of the base model, or `starter`.
        data: file or folder with the rows.
        output: the run directory; made up from the names when left out.
        overrides: recipe keys and values, such as `{"train.epochs": 3}`.
        resume: continue the run in `output`.

    Raises:
        TunesmithError: see tunesmith.errors; the run directory holds what was done.
    """
    asked = Request(
        file=Path(recipe) if recipe is not None else None,
        overrides=tuple(f"{key}={json.dumps(value)}" for key, value in (overrides or {}).items()),
        base=base,
        data=data,
        output=output,
    )
    enforce_gates(done := run_stages(asked, resume=resume))
    return done


def check(asked: Request, voice: Voice = SILENT) -> CheckReport:
    """Audit the data; with a base also tokens, masks and truncation. Writes no run."""
    recipe = read_recipe(asked, needs_base=False)
    base = locate_base(recipe.base.path, recipe.base.revision) if recipe.base.path else None
    return _check(recipe, base, voice)


def write_audit(audit: Audit, folder: Path) -> None:
    """Write an audit into a new folder: audit.json, audit.sarif, and audit.html for people.

    Raises:
        RunError: the folder holds something.
    """
    from tunesmith.report.audit_page import render_audit

    new_folder(folder)
    write_json(folder / "audit.json", audit.as_json())
    write_json(folder / "audit.sarif", sarif_of(audit))
    write_text(folder / "audit.html", render_audit(audit))


def plan(asked: Request, voice: Voice = SILENT) -> Plan:
    """What a run would do, without doing it. Writes no run."""
    recipe = read_recipe(asked)
    _check_ahead(recipe)
    base = locate_base(recipe.base.path, recipe.base.revision)
    report = _check(recipe, base, voice)
    limit, _ = longest_row(recipe.data.max_length, base.context)
    longest = min(limit, report.lengths[-1])
    resolved, decisions, memory, _ = _decide(recipe, base, report.audit.rows, longest)
    return Plan(recipe=resolved, decisions=decisions, check=report, memory=memory)


def run_stages(
    asked: Request, *, resume: bool, voice: Voice = SILENT, until: str = STAGES[-1]
) -> Run:
    """Do the stages in order, from the first one that is open, to `until`.

    Of several processes the first one does this, and the others train with it.

    Raises:
        TunesmithError: see tunesmith.errors; what is done stays done.
    """
    ranks = ranks_here()
    if ranks.count == 1:
        return _run_stages(asked, resume=resume, voice=voice, until=until)
    from tunesmith.launch import leading, train_along

    if not ranks.is_first:
        return train_along(ranks)
    with leading():
        return _run_stages(asked, resume=resume, voice=voice, until=until)


def _run_stages(asked: Request, *, resume: bool, voice: Voice, until: str) -> Run:
    opened = open_asked(asked, resume=resume)
    run = opened.run
    try:
        with run.locked():
            stored = stored_recipe(run) if run.stage("prepare") is not None else None
            job = _prepare(opened.recipe, run, voice)
            affected = affected_stages(stored, job.recipe)
            for name in STAGES[1 : STAGES.index(until) + 1]:
                if run.stage(name) is None or name in affected:
                    _finish(name, job, stored)
    except (InputError, Refused):
        if opened.is_new and not list(run.folder.glob("checkpoints/step-*")):
            shutil.rmtree(run.folder)  # nothing was learned yet: leave no half of a run
        raise
    return run


def evaluate_again(folder: Path, overrides: tuple[str, ...], voice: Voice = SILENT) -> Run:
    """Measure a trained run anew, with other evaluation settings where given."""
    run = open_run(folder)
    if run.stage("train") is None:
        raise RunError(
            f"{folder} has no trained model yet",
            hint=f"finish it: tunesmith run --resume --output {folder}",
        )
    with run.locked():
        stored = stored_recipe(run)
        recipe = read_recipe(Request(file=run.path(RECIPE), overrides=overrides))
        if "train" in affected_stages(stored, recipe):
            raise RunError(
                "eval measures what was trained: only evaluate and gates can be changed",
                hint=f"tunesmith run --resume --output {folder} can train longer",
            )
        job = _prepare(recipe, run, voice)
        for name in ("evaluate", "report"):
            _finish(name, job, stored)
    return run


def report_again(folder: Path) -> Run:
    """Write the report and the model card of a run anew."""
    run = open_run(folder)
    with run.locked():
        run.finish_stage("report", _report(run))
    return run


def results(run: Run) -> list[JsonObject]:
    """The `results` of evaluation.json; empty before the evaluation."""
    record = _evaluation(run)
    return [asdict(result) for result in record.results] if record else []


def enforce_gates(run: Run) -> None:
    """Raise Refused where a gate of the recipe says no; everything is written before."""
    record = _evaluation(run)
    refuse_failed(record.gates if record else ())


def _evaluation(run: Run) -> EvaluationRecord | None:
    file = run.path(FILE)
    return read_record(file) if file.exists() else None


def _check_ahead(recipe: Recipe) -> None:
    """What would otherwise fail only after hours of training."""
    check_names(recipe.evaluate.tasks, recipe.gates)
    read_documents(recipe.evaluate.retention, recipe.seed)


def _check(recipe: Recipe, base: BaseFolder | None, voice: Voice) -> CheckReport:
    require_kind(recipe)
    length, _ = longest_row(recipe.data.max_length, base.context if base else None)
    return data_stage.check(
        recipe.data.model_copy(update={"max_length": length}),
        base=base.path if base else None,
        seed=recipe.seed,
        inspection=_inspection(recipe, base),
        progress=voice.count,
    )


def _inspection(recipe: Recipe, base: BaseFolder | None) -> Inspection:
    """What the audit looks for, with what the base knows where the recipe asks for it."""
    known: dict[str, float] = {}
    if base is not None and recipe.audit.base_losses:
        from tunesmith.evaluate.known import base_losses

        data = recipe.data
        now = datetime.combine(date.today(), time())
        known = base_losses(recipe, base, load_coding(base.path, data.template, data.train_on, now))
    return inspection_of(recipe, known)


def _prepare(recipe: Recipe, run: Run, voice: Voice) -> Job:
    """Tokens of the rows, and the recipe with every default decided."""
    from tunesmith.hardware import detect

    _check_ahead(recipe)
    require_kind(recipe)
    base = locate_base(recipe.base.path, recipe.base.revision)
    content = base.content_digest()
    _require_same_base(run, content)
    length, _ = longest_row(recipe.data.max_length, base.context)
    data = recipe.data.model_copy(update={"max_length": length})
    prepared = data_stage.prepare(
        data,
        base=base.path,
        run_folder=run.folder,
        seed=recipe.seed,
        inspection=_inspection(recipe, base if run.stage("prepare") is None else None),
        progress=voice.count,
    )
    pinned = recipe.base.model_copy(update={"revision": base.revision})
    recipe = recipe.model_copy(update={"data": data, "base": pinned})
    longest = int(prepared.train.lengths.max())
    rows = round(epoch_length(prepared.mixture))
    resolved, decisions, _, spread = _decide(recipe, base, rows, longest)
    if run.stage("prepare") is None:
        for line in (*prepared.notices, *(str(decision) for decision in decisions)):
            voice.tell(line)
        write_text(run.path(RECIPE), as_yaml(resolved))
        here = describe_environment(detect(resolved.train.device), seed=resolved.seed)
        write_json(run.path("environment.json"), here)
        why: JsonObject = {decision.key: decision.reason for decision in decisions}
        named: JsonObject = {"base": base.name, "base_digest": content, "decisions": why}
        run.finish_stage("prepare", {"rows": rows, **named})
    made = existing(run.folder)
    assert made is not None, "prepare has just written it"
    return Job(
        recipe=resolved,
        run=run,
        base=base,
        prepared=prepared,
        coding=load_coding(base.path, resolved.data.template, resolved.data.train_on, made.now),
        voice=voice,
        spread=spread,
    )


def _require_same_base(run: Run, content: str) -> None:
    """An adapter fits the weights that it was trained on, and no others."""
    prepared = run.stage("prepare")
    if prepared is not None and prepared["base_digest"] != content:
        raise RunError(
            f"the weights of {prepared['base']} have changed since this run began",
            hint="put the base back as it was, or start a new run with another --output",
        )


def _decide(
    recipe: Recipe, base: BaseFolder, rows: int, longest: int
) -> tuple[Recipe, tuple[Decision, ...], MemoryPlan, Spread]:
    from tunesmith.hardware import choose_precision, detect

    ranks = ranks_here()
    hardware = share_of(detect(recipe.train.device), ranks)
    precision, why = choose_precision(recipe.base.precision, hardware, base.parameters)
    longest *= ROWS_PER_EXAMPLE[consumed_by(recipe.method.name)]  # they stay in one forest
    spread: Spread = "single"
    if ranks.count == 1:
        memory = plan_memory(recipe, base, hardware, precision=precision, longest_row=longest)
    else:
        spread, memory = plan_placement(
            recipe,
            base,
            hardware,
            precision=precision,
            longest_row=longest,
            processes=ranks.count,
        )
    facts = Facts(
        parameters=base.parameters,
        rows=rows,
        precision=precision,
        precision_reason=why,
        tokens_per_forest=memory.tokens_per_forest,
        tokens_per_forest_reason=memory.reason,
        recompute_layers=memory.recompute_layers,
        recompute_reason=memory.recompute_reason,
        activation_offloading=memory.activation_offloading,
        offloading_reason=memory.offloading_reason,
    )
    resolved, decisions = decide(recipe, facts)
    return resolved, decisions, memory, spread


def _finish(name: str, job: Job, stored: Recipe | None) -> None:
    """Do one stage and write down what it made; a refused change leaves the run as it was."""
    before = as_yaml(stored) if stored is not None else None
    write_text(job.run.path(RECIPE), as_yaml(job.recipe))
    try:
        record = _STAGE[name](job)
    except InputError:
        if before is not None:
            write_text(job.run.path(RECIPE), before)
        raise
    if name == "train":
        job.run.reopen_stage(*STAGES[2:])
    job.run.finish_stage(name, record)


def _train(job: Job) -> JsonObject:
    from tunesmith.launch import train_job

    return train_job(job).as_json()


def _evaluate(job: Job) -> JsonObject:
    from tunesmith.evaluate.stage import Ground, evaluate

    record = evaluate(job.recipe, job.run, Ground(base=job.base, coding=job.coding))
    return {"results": len(record.results), "seconds": record.seconds}


def _export(job: Job) -> JsonObject:
    from tunesmith.export.stage import export

    made: JsonObject = {}
    for form in job.recipe.export:
        folder = job.run.path("export", form)
        if folder.exists():
            shutil.rmtree(folder)
        made[form] = export(job.run.folder, form, folder).as_json()
    return made


def _report(run: Run) -> JsonObject:
    from tunesmith.report.card import write_card
    from tunesmith.report.page import write_report

    return {"report": write_report(run).name, "card": write_card(run).name}


_STAGE: dict[str, Callable[[Job], JsonObject]] = {
    "train": _train,
    "evaluate": _evaluate,
    "export": _export,
    "report": lambda job: _report(job.run),
}
