"""Everything that a run's directory says about itself, for the report and the model card.

Any part may be missing: a run that is not finished, or one without held-out rows, has a
report too. Only what is damaged is an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from tunesmith.contracts import Json, JsonObject, Result, StepRecord
from tunesmith.data.licences import Licence, licence_of
from tunesmith.errors import RunError
from tunesmith.evaluate.record import FILE, EvaluationRecord, find, read_record
from tunesmith.recipe import Recipe, Request, read_recipe
from tunesmith.runs import Run
from tunesmith.runs.documents import read_json
from tunesmith.train import metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A data file or folder that was used."""

    name: str
    """The file's name, without its folders, which are nobody else's business."""
    role: str
    rows: int | None
    formats: tuple[str, ...]
    sha256: tuple[str, ...]
    """Of each file."""
    licence: Licence = Licence(text="")
    hub: str = ""
    """Id of the data set on the hub."""
    whence: str = ""
    """Hub id with its revision, address, or what was said of where it comes from."""
    author: str = ""
    citation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a run."""

    name: str
    created: str
    recipe: Recipe | None
    recipe_text: str
    steps: tuple[StepRecord, ...]
    held_out: tuple[tuple[int, float], ...]
    """Steps at which the held-out loss was measured in training, and that loss."""
    stages: JsonObject
    """The records of the finished stages, by name."""
    evaluation: EvaluationRecord | None
    audit: JsonObject | None
    sources: tuple[Source, ...]
    environment: JsonObject | None
    base_licence: Licence = field(default_factory=lambda: Licence(text=""))

    @property
    def base(self) -> str:
        """The base's name: a hub id as it is, of a folder the last part."""
        if self.recipe is None:
            return "the base model"
        path = self.recipe.base.path
        return path if is_hub_id(path) else Path(path).name or path

    @property
    def train(self) -> JsonObject:
        """The record of training; empty before it is done."""
        record = self.stages.get("train")
        return record if isinstance(record, dict) else {}

    @property
    def results(self) -> tuple[Result, ...]:
        """What was measured; nothing before the evaluation."""
        return self.evaluation.results if self.evaluation is not None else ()

    def result(self, task: str, metric: str, part: str = "all") -> Result | None:
        """One result by name."""
        return find(self.results, task, metric, part)


def read_facts(run: Run) -> Facts:
    """Read a run's directory.

    Raises:
        RunError: a file that is there is damaged.
        RecipeError: recipe.yaml is.
    """
    state = run.state()
    recipe_file = run.path("recipe.yaml")
    has_recipe = recipe_file.exists()
    provenance = _object(run.path("data", "provenance.json"))
    stages = state.get("stages")
    return Facts(
        name=run.name,
        created=str(state.get("created", ""))[:10],
        recipe=read_recipe(Request(file=recipe_file)) if has_recipe else None,
        recipe_text=recipe_file.read_text(encoding="utf-8") if has_recipe else "",
        steps=tuple(metrics.read(run.path("metrics.jsonl"))),
        held_out=_held_out(run),
        stages=stages if isinstance(stages, dict) else {},
        evaluation=read_record(run.path(FILE)) if run.path(FILE).exists() else None,
        audit=_object(run.path("data", "audit.json")),
        sources=_sources(provenance),
        environment=_object(run.path("environment.json")),
        base_licence=_licence((provenance or {}).get("base")),
    )


def is_hub_id(path: str) -> bool:
    """Whether a base is named `owner/name`, and is no path."""
    return path.count("/") == 1 and path[0] not in "./~" and not Path(path).exists()


def whole(value: Json) -> int | None:
    """A number of a record as int, or None."""
    return int(value) if isinstance(value, int | float) else None


def _held_out(run: Run) -> tuple[tuple[int, float], ...]:
    """The last measurement of each step: a resumed run may have measured one twice."""
    losses: dict[int, float] = {}
    if run.path("events.jsonl").exists():
        for event in run.events.read("evaluated"):
            step, loss = event.get("step"), event.get("held_out_loss")
            if isinstance(step, int) and isinstance(loss, int | float):
                losses[step] = float(loss)
    return tuple(sorted(losses.items()))


def _sources(provenance: JsonObject | None) -> tuple[Source, ...]:
    sources = []
    for role in ("sources", "held_out"):
        entries = (provenance or {}).get(role)
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict):
                sources.append(_source(entry, "training" if role == "sources" else "held out"))
    return tuple(sources)


def _source(entry: JsonObject, role: str) -> Source:
    files, formats = entry.get("files"), entry.get("formats")
    stamps = [file for file in files if isinstance(file, dict)] if isinstance(files, list) else []
    return Source(
        name=Path(str(entry.get("path", ""))).name,
        role=role,
        rows=whole(entry.get("rows")),
        formats=tuple(str(name) for name in formats) if isinstance(formats, list) else (),
        sha256=tuple(str(file.get("sha256", "")) for file in stamps),
        licence=_licence(entry),
        hub=_said(entry, "hub"),
        whence=_whence(entry),
        author=_said(entry, "author"),
        citation=_said(entry, "citation"),
    )


def _licence(entry: Json) -> Licence:
    """The licence of an entry in the ledger, with the text that was given for it."""
    if not isinstance(entry, dict):
        return Licence(text="")
    text = _said(entry, "licence_text")
    return replace(licence_of(_said(entry, "licence") or text), text=text)


def _whence(entry: JsonObject) -> str:
    hub, revision = _said(entry, "hub"), _said(entry, "revision")
    if hub:
        return f"{hub}@{revision[:12]}" if revision else hub
    return _said(entry, "url") or _said(entry, "origin")


def _said(entry: JsonObject, key: str) -> str:
    """A text of the ledger; empty where it, or the key, is not there."""
    return str(entry.get(key) or "")


def _object(path: Path) -> JsonObject | None:
    if not path.exists():
        return None
    value = read_json(path)
    if not isinstance(value, dict):
        raise RunError(f"{path} is not what a stage wrote", hint="run that stage again")
    return value
