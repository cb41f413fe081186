"""What the verbs print: results on stdout, progress and remarks on stderr."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tunesmith.cli.findings import findings_by_rule
from tunesmith.cli.progress import RowCount, wipe
from tunesmith.contracts import Audit, Json, JsonObject
from tunesmith.data.preview import Preview
from tunesmith.data.stage import CheckReport
from tunesmith.jobs import Voice
from tunesmith.pipeline import Plan, results
from tunesmith.plan.memory import MemoryPlan
from tunesmith.recipe import as_yaml
from tunesmith.runs import Run

_TRAINED = "bold green"


def tell(line: str) -> None:
    """A remark on stderr."""
    wipe()
    print(line, file=sys.stderr, flush=True)


VOICE = Voice(tell=tell, count=RowCount())


def finished(run: Run, *, as_json: bool) -> None:
    """The measurements, and the run's directory as the last line; or one JSON object."""
    if as_json:
        rows: list[Json] = [*results(run)]
        as_object({"run": str(run.folder), "stages": run.state()["stages"], "results": rows})
        return
    evaluation = run.path("evaluation.json")
    if evaluation.exists():
        from tunesmith.evaluate.table import show_table

        show_table(evaluation, Console())
    for name, what in (("report.html", "report"), ("model", "model")):
        if run.path(name).exists():
            tell(f"{what}: {run.path(name)}")
    print(run.folder)


def check(report: CheckReport, *, as_json: bool) -> None:
    """The audit: counts, lengths, findings, and rows with the trained text marked."""
    if as_json:
        as_object(report.audit.as_json())
        return
    wipe()
    console = Console(highlight=False)
    _report(report, console)
    console.print(f"verdict: {report.audit.verdict}", style="bold")


def rules(*, as_json: bool) -> None:
    """Every rule of the audit: its check, severity and limit."""
    from tunesmith.data.audit.inspection import all_rules

    every = all_rules()
    if as_json:
        as_object({name: asdict(rule) for name, rule in every.items()})
        return
    table = Table("rule", "severity", "limit", "why it matters", box=None, padding=(0, 2, 0, 0))
    for name, rule in every.items():
        limit = "" if rule.limit is None else f"{rule.limit:g}"
        table.add_row(name, rule.severity, limit, Text(rule.why))
    Console(highlight=False).print(table)


def dry_run(plan: Plan, *, as_json: bool) -> None:
    """The resolved recipe, the decisions, the masks and the memory."""
    if as_json:
        as_object(
            {
                "recipe": plan.recipe.model_dump(mode="json"),
                "decisions": {d.key: {"value": d.value, "why": d.reason} for d in plan.decisions},
                "audit": plan.check.audit.as_json(),
                "memory": plan.memory.as_json(),
            }
        )
        return
    wipe()
    console = Console(highlight=False)
    console.print(Text(as_yaml(plan.recipe)))
    for decision in plan.decisions:
        console.print(Text(str(decision)))
    console.print()
    _report(plan.check, console)
    _memory(plan.memory, console)


def as_object(value: Json) -> None:
    """One JSON object on stdout."""
    wipe()
    print(json.dumps(value, ensure_ascii=False))


def _report(report: CheckReport, console: Console) -> None:
    for notice in report.notices:
        console.print(Text(notice))
    _statistics(report.audit, console)
    if report.preview:
        legend = Text("\nthe first rows; trained text stands between ")
        legend.append("⟦ and ⟧", style=_TRAINED)
        console.print(legend)
    for row in report.preview:
        console.print(_marked(row))
    for told in findings_by_rule(report.audit):
        console.print(told)


def _statistics(audit: Audit, console: Console) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("rows", f"{audit.rows:,}")
    parts = audit.statistics.get("parts")
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, dict):
            shown = {key: value for key, value in part.items() if key not in ("path", "role")}
            table.add_row(f"{part['role']} file".replace("_", " "), Text(str(part["path"])))
            table.add_row("", Text(_listed(shown)))
    for name, value in audit.statistics.items():
        if name not in ("parts", "checks"):
            shown_value = _listed(value) if isinstance(value, dict) else _number(value)
            table.add_row(name.replace("_", " "), Text(shown_value))
    console.print(table)


def _listed(values: JsonObject) -> str:
    """`rows 415, formats messages, tokens (p50 96, p95 152)`."""
    told = []
    for key, value in values.items():
        name = key.replace("_", " ")
        if isinstance(value, dict):
            told.append(f"{name} ({_listed(value)})")
        elif isinstance(value, list):
            told.append(f"{name} {', '.join(_number(entry) for entry in value)}")
        else:
            told.append(f"{name} {_number(value)}")
    return ", ".join(told)


def _number(value: Json) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _marked(row: Preview) -> Text:
    text = Text(f"{row.place} {row.side}".rstrip() + "\n", style="dim")
    for piece, trained in row.segments:
        if trained:
            text.append(f"⟦{piece}⟧", style=f"not dim {_TRAINED}")
        else:
            text.append(piece, style="not dim")
    return text.append("\n")


def _memory(plan: MemoryPlan, console: Console) -> None:
    table = Table(title="memory", show_header=False, box=None, title_justify="left")
    for name, size in plan.parts():
        table.add_row(name, f"{size / 2**20:,.0f} MiB", style="bold" if name == "in all" else "")
    console.print(table)
    console.print(Text(plan.reason))
