"""The comparison as a table for a terminal, readable at 80 columns and without colour."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tunesmith.contracts import Result
from tunesmith.evaluate.record import EvaluationRecord, read_record
from tunesmith.evaluate.wording import (
    interval,
    metric_name,
    number,
    signed,
    task_name,
    verdict,
)

_STYLES = {"better": "green", "worse": "red"}


def show_table(path: Path, console: Console) -> None:
    """Print the table, the gates, and what the words mean.

    Args:
        path: an evaluation.json.
        console: of the terminal.
    """
    record = read_record(path)
    console.print(comparison_table(record))
    console.print(
        Text(
            "difference: tuned minus base, 95 % interval; same: the interval includes 0.",
            style="dim",
        )
    )
    for verdict_of_gate in record.gates:
        console.print(Text(f"gate: {verdict_of_gate}"))


def comparison_table(record: EvaluationRecord) -> Table:
    """Metric, base, tuned, difference, interval, verdict; a block a task.

    Slices stand below their figure, and only below the first of a task: the others are in
    the report.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("measured", overflow="fold")
    for heading in ("base", "tuned", "difference"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for task, results in groupby(record.results, key=lambda result: result.task):
        block = list(results)
        sizes = [result.n for result in block if result.slice == "all"]
        rows = Text(f"n = {max(sizes, default=0)}", style="dim")
        table.add_row(Text(task_name(task), style="bold"), rows)
        sliced = next((result.metric for result in block if result.slice != "all"), None)
        for result in block:
            if result.slice == "all" or result.metric == sliced:
                table.add_row(*_cells(result))
    return table


def _cells(result: Result) -> tuple[str | Text, ...]:
    word = verdict(result)
    name = metric_name(result.metric)
    if result.slice != "all":
        name = f"  {result.slice.replace('_', ' ')}"
    return (
        Text(f"  {name}"),
        number(result.base),
        number(result.tuned),
        signed(result.difference),
        interval(result),
        Text(word, style=_STYLES.get(word, "")),
    )
