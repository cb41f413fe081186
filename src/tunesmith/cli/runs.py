"""`tunesmith runs`: the runs in a folder, or two of them side by side.

tunesmith runs                       name  started  done  base  loss of the base -> tuned
tunesmith runs compare runs/a runs/b
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from tunesmith.contracts import Json, JsonObject
    from tunesmith.runs import Run


def command(
    words: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FOLDER] | compare RUN RUN", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the runs in a folder (./runs), or compare two of them."""
    from tunesmith.runs import list_runs, open_run

    names = list(words or [])
    if names and str(names[0]) == "compare":
        if len(names) != 3:
            raise InputError(
                "compare takes two runs", hint="tunesmith runs compare runs/first runs/second"
            )
        compared = compare(open_run(names[1]), open_run(names[2]))
        _print(compared, _comparison_table(compared), as_json=as_json)
        return
    if len(names) > 1:
        raise InputError(
            f"runs takes one folder, not {len(names)}", hint="tunesmith runs compare A B compares"
        )
    folder = names[0] if names else Path("runs")
    if names and not folder.is_dir():
        raise InputError(f"there is no folder {folder}", hint="name the folder that holds the runs")
    listed: JsonObject = {"runs": [summary(run) for run in list_runs(folder)]}
    if not listed["runs"] and not as_json:
        sys.stderr.write(f"no runs in {folder}; tunesmith run makes one\n")
        return
    _print(listed, _list_table(listed), as_json=as_json)


def summary(run: Run) -> JsonObject:
    """One run: name, start, finished stages, base, data, and its figures by metric."""
    state = run.state()
    stages = state["stages"]
    assert isinstance(stages, dict)
    recipe = _recipe(run)
    results = _results(run)
    return {
        "name": run.name,
        "folder": str(run.folder),
        "created": state["created"],
        "stages": list(stages),
        "recipe": recipe,
        "results": list(results.values()),
    }


def compare(first: Run, second: Run) -> JsonObject:
    """Both runs: the recipe keys that differ, and every figure that either has."""
    left, right = _flat(_recipe(first)), _flat(_recipe(second))
    keys = [key for key in {**left, **right} if key != "output"]
    results = [_results(first), _results(second)]
    figures: list[Json] = []
    for key in {**results[0], **results[1]}:
        pair = [found.get(key) for found in results]
        known = pair[0] or pair[1]
        assert known is not None
        figures.append(
            {
                "task": known["task"],
                "metric": known["metric"],
                "slice": known["slice"],
                "unit": known["unit"],
                "higher_is_better": known["higher_is_better"],
                "first": pair[0]["tuned"] if pair[0] else None,
                "second": pair[1]["tuned"] if pair[1] else None,
            }
        )
    return {
        "first": first.name,
        "second": second.name,
        "recipe": [
            {"key": key, "first": left.get(key), "second": right.get(key)}
            for key in keys
            if left.get(key) != right.get(key)
        ],
        "results": figures,
    }


def _recipe(run: Run) -> JsonObject:
    """The resolved recipe as plain values; empty before it is written."""
    from ruamel.yaml import YAML

    path = run.path("recipe.yaml")
    if not path.exists():
        return {}
    values = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    plain: JsonObject = json.loads(json.dumps(values))
    return plain


def _results(run: Run) -> dict[tuple[str, str, str], JsonObject]:
    from tunesmith.runs.documents import read_json

    path = run.path("evaluation.json")
    if not path.exists():
        return {}
    document = read_json(path)
    assert isinstance(document, dict)
    rows = document["results"]
    assert isinstance(rows, list)
    found = {}
    for row in rows:
        assert isinstance(row, dict)
        found[(str(row["task"]), str(row["metric"]), str(row["slice"]))] = row
    return found


def _flat(value: Json, prefix: str = "") -> dict[str, Json]:
    """`{"train": {"steps": 2}}` as `{"train.steps": 2}`."""
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Json] = {}
    for key, inner in value.items():
        flat.update(_flat(inner, f"{prefix}.{key}" if prefix else key))
    return flat


def _list_table(listed: JsonObject) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("run", "started", "done", "base", "figure", "before", "after"):
        table.add_column(title, justify="right" if title in {"before", "after"} else "left")
    rows = listed["runs"]
    assert isinstance(rows, list)
    for row in rows:
        assert isinstance(row, dict)
        stages, results, recipe = row["stages"], row["results"], row["recipe"]
        assert isinstance(stages, list)
        assert isinstance(results, list)
        assert isinstance(recipe, dict)
        base = recipe.get("base")
        path = str(base["path"]) if isinstance(base, dict) else ""
        figure = next((result for result in results if isinstance(result, dict)), None)
        shown = (
            (
                f"{figure['task']} {figure['metric']}",
                _figure(figure["base"]),
                _figure(figure["tuned"]),
            )
            if figure
            else ("", "", "")
        )
        done = str(stages[-1]) if stages else "nothing yet"
        started = str(row["created"])[:16].replace("T", " ")
        table.add_row(str(row["name"]), started, done, Path(path).name, *shown)
    return table


def _comparison_table(compared: JsonObject) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    table.add_column(str(compared["first"]), justify="right")
    table.add_column(str(compared["second"]), justify="right")
    differing, figures = compared["recipe"], compared["results"]
    assert isinstance(differing, list)
    assert isinstance(figures, list)
    for row in differing:
        assert isinstance(row, dict)
        table.add_row(str(row["key"]), _value(row["first"]), _value(row["second"]))
    if differing and figures:
        table.add_section()
    for row in figures:
        assert isinstance(row, dict)
        name = f"{row['task']} {row['metric']}"
        if row["slice"] != "all":
            name += f" ({row['slice']})"
        arrow = "up" if row["higher_is_better"] else "down"
        table.add_row(f"{name}, better {arrow}", _figure(row["first"]), _figure(row["second"]))
    return table


def _value(value: Json) -> str:
    return "-" if value is None else str(value)


def _figure(value: Json) -> str:
    if value is None:
        return "-"
    assert isinstance(value, int | float)
    return f"{value:.4g}"


def _print(value: JsonObject, table: Table, *, as_json: bool) -> None:
    from rich.console import Console

    if as_json:
        sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
        return
    Console().print(table)
