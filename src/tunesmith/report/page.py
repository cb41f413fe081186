"""report.html: one self-contained page that a manager can read and an engineer can trust.

No scripts, no fonts, no requests: style and charts are in the file, and a content security
policy in its head forbids everything else. All text is escaped by the template engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from tunesmith.contracts import Json, JsonObject, Result
from tunesmith.evaluate.record import EvaluationRecord, Generation
from tunesmith.evaluate.wording import (
    interval,
    metric_name,
    number,
    signed,
    task_name,
    verdict,
)
from tunesmith.report import plots
from tunesmith.report.audit_page import audit_of_json
from tunesmith.report.audit_page import show as show_audit
from tunesmith.report.computed import computed_lines, computed_sentence
from tunesmith.report.facts import Facts, read_facts
from tunesmith.report.text import visible
from tunesmith.report.verdict import headline_result, judge, relative, signed_percent
from tunesmith.runs import Run
from tunesmith.runs.documents import write_text

FILE = "report.html"
OPEN_GENERATIONS = 5
_LARGEST_MATRIX = 30
_FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A key figure at the top."""

    name: str
    value: str
    note: str
    word: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A confusion matrix; cells hold the count and its share of the row."""

    title: str
    labels: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[int, float], ...]], ...]


def write_report(run: Run) -> Path:
    """Write report.html into the run's directory, in place of an earlier one.

    Raises:
        RunError, RecipeError: a file of the run is damaged.
        ResourceError: the disk is full.
    """
    path = run.path(FILE)
    write_text(path, render(read_facts(run)))
    return path


def render(facts: Facts) -> str:
    """The page for these facts; the same facts give the same page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        visible=visible,
        number=number,
        signed=signed,
        interval=interval,
        verdict=verdict,
        metric_name=metric_name,
        task_name=task_name,
        grouped=_grouped,
    )
    record = facts.evaluation
    return environment.get_template("page.html").render(
        facts=facts,
        record=record,
        judgement=judge(facts),
        tiles=_tiles(facts),
        curve=plots.loss_curve(facts),
        pairs=_pairs(record),
        retention=plots.spans(_retained(facts)),
        tables=_tables(facts.results),
        opened=record.generations[:OPEN_GENERATIONS] if record else (),
        folded=record.generations[OPEN_GENERATIONS:] if record else (),
        matrices=_matrices(record),
        audit=show_audit(audit_of_json(facts.audit)) if facts.audit else None,
        environment=_flat(facts.environment or {}),
        decisions=_decisions(facts),
        computed=computed_lines(facts),
        computed_sentence=computed_sentence(facts),
        settings=_flat(record.settings) if record else (),
        row_scores=_row_scores,
    )


def _tiles(facts: Facts) -> tuple[Tile, ...]:
    tiles = []
    main = headline_result(facts)
    chosen = [
        main,
        facts.result("heldout", "bits_per_byte"),
        facts.result("retention", "bits_per_byte"),
    ]
    for result in dict.fromkeys(result for result in chosen if result is not None):
        share = relative(result)
        change = signed(result.difference)
        if share is not None and not result.higher_is_better:
            change = signed_percent(share[0])
        tiles.append(
            Tile(
                name=f"{task_name(result.task)}: {metric_name(result.metric)}",
                value=f"{number(result.base)} → {number(result.tuned)}",
                note=f"{change}, n = {result.n}",
                word=verdict(result),
            )
        )
    train = facts.train
    seconds, steps = train.get("seconds"), train.get("steps")
    if isinstance(seconds, int | float) and isinstance(steps, int):
        tokens = train.get("tokens")
        rate = f", {tokens / seconds:,.0f} tokens/s" if isinstance(tokens, int) and seconds else ""
        tiles.append(
            Tile(name="training", value=duration(float(seconds)), note=f"{steps:,} steps{rate}")
        )
    return tuple(tiles)


def duration(seconds: float) -> str:
    """`41 s`, `3 min 20 s` or `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _pairs(record: EvaluationRecord | None) -> tuple[tuple[str, tuple[plots.Pair, ...]], ...]:
    """By task: what is drawn as bars. The slices of a figure have charts of their own."""
    if record is None:
        return ()
    tasks = dict.fromkeys(result.task for result in record.results)
    drawn = [
        (
            task_name(task),
            plots.pairs(
                [r for r in record.results if r.task == task and _is_drawn(r)],
                record.intervals,
            ),
        )
        for task in tasks
    ]
    return tuple((name, pairs) for name, pairs in drawn if pairs)


def _is_drawn(result: Result) -> bool:
    """A gap may be negative: it is no bar, and stands in the table."""
    if result.task == "overfitting":
        return result.metric == "loss"
    return result.slice == "all"


def _retained(facts: Facts) -> list[tuple[str, Result]]:
    results = [
        result
        for result in facts.results
        if result.task == "retention" and result.metric == "bits_per_byte"
    ]
    return [
        (
            "all text" if result.slice == "all" else result.slice.replace("_", " "),
            result,
        )
        for result in results
    ]


def _tables(results: Sequence[Result]) -> dict[str, list[Result]]:
    tables: dict[str, list[Result]] = {}
    for result in results:
        tables.setdefault(result.task, []).append(result)
    return tables


def _matrices(record: EvaluationRecord | None) -> tuple[Matrix, ...]:
    confusion = record.confusion if record is not None else None
    labels = confusion.get("labels") if confusion is not None else None
    if confusion is None or not isinstance(labels, list) or len(labels) > _LARGEST_MATRIX:
        return ()
    names = tuple(visible(str(label), 60) for label in labels)
    matrices = []
    for side in ("base", "tuned"):
        kinds = confusion.get(side)
        for kind, table in kinds.items() if isinstance(kinds, dict) else ():
            assert isinstance(table, list), "a matrix of ours"
            rows = [_matrix_row(name, row) for name, row in zip(names, table, strict=True)]
            title = f"{side}, {'generated answer' if kind == 'generated' else 'likeliest label'}"
            matrices.append(Matrix(title=title, labels=(*names, "other"), rows=tuple(rows)))
    return tuple(matrices)


def _matrix_row(name: str, row: Json) -> tuple[str, tuple[tuple[int, float], ...]]:
    assert isinstance(row, list), "a matrix of ours"
    counts = [cell if isinstance(cell, int) else 0 for cell in row]
    total = sum(counts) or 1
    return name, tuple((count, round(count / total, 3)) for count in counts)


def _decisions(facts: Facts) -> tuple[tuple[str, str], ...]:
    prepare = facts.stages.get("prepare")
    decisions = prepare.get("decisions") if isinstance(prepare, dict) else None
    if not isinstance(decisions, dict):
        return ()
    return tuple((key, str(why)) for key, why in decisions.items())


def _flat(values: JsonObject, prefix: str = "") -> tuple[tuple[str, str], ...]:
    """Nested records as lines `packages.torch`, `2.13.0`; what is not known is left out."""
    lines: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, dict):
            lines += _flat(value, f"{prefix}{key}.")
        elif value is not None:
            lines.append((f"{prefix}{key}", str(value)))
    return tuple(lines)


def _row_scores(generation: Generation) -> str:
    """`ROUGE-L 0.050 → 0.714, F1 ...` of one row, the graded metrics first."""
    shown = [
        f"{metric_name(name)} {number(pair.base)} → {number(pair.tuned)}"
        for name, pair in generation.scores.items()
        if name in ("rouge_l", "f1", "chrf", "exact_match")
    ]
    return ", ".join(shown)


def _grouped(value: int) -> str:
    return f"{value:,}"
