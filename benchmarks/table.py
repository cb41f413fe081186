"""From single runs to medians, ratios, shares of the limit, and a page of Markdown."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.contestants import EVERY
from benchmarks.task import Task

SAME_FIRST = 1e-5
SAME_HELD_OUT = 1e-4
BUSY = 0.1
"""Share of a run's time from which on the work of others is mentioned."""


def summarise(task: Task, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry a contestant, in the order of its first run: medians, ratios, agreement.

    Ratios of time are against the fastest peer, and of memory against the leanest, each over
    its median; a ratio above 1 is faster, or more memory.
    """
    names = list(dict.fromkeys(run["contestant"] for run in runs))
    found = []
    for name in names:
        own = [run for run in runs if run["contestant"] == name]
        good = [run for run in own if "error" not in run]
        found.append(_entry(task, name, good) if good else _failed(name, own[0]["error"]))
    entries = [entry for entry in found if "error" not in entry]
    peers = [entry for entry in entries if not entry["is_product"]]
    first = next((one["loss_first"] for one in peers if not one["own_batches"]), None)
    held_out = next((one["eval_loss"] for one in peers if not one["own_batches"]), None)
    for entry in entries:
        entry["same_work"] = _same(entry, first, held_out)
        if peers:
            fastest = max(peer["useful_per_s"] for peer in peers)
            entry["ratio_train"] = entry["useful_per_s"] / fastest
            shortest = min(peer["wall_process"] for peer in peers)
            entry["ratio_process"] = shortest / entry["wall_process"]
            leanest = min(peer["peak_gib"] for peer in peers)
            entry["ratio_memory"] = entry["peak_gib"] / leanest
    return found


def _entry(task: Task, name: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    walls = [run["wall_train"] for run in runs]
    known = EVERY.get(name)
    entry: dict[str, Any] = {
        "name": name,
        "is_product": name.startswith("tunesmith"),
        "own_batches": known is not None and known.own_batches,
        "rounds": len(runs),
        "wall_train": statistics.median(walls),
        "wall_train_range": [min(walls), max(walls)],
        "wall_process": statistics.median(run["wall_process"] for run in runs),
        "peak_gib": statistics.median(run["peak_gib"] for run in runs),
    }
    entry["useful_per_s"] = task.useful / entry["wall_train"]
    for key in ("steps", "loss_first", "loss_last", "eval_loss", "eval_accuracy", "computed"):
        entry[key] = next((run[key] for run in runs if key in run), None)
    busy = [run.get("others_busy", 0.0) + run.get("stolen", 0.0) for run in runs]
    entry["disturbed"] = sum(
        seconds > BUSY * run["wall_process"] for seconds, run in zip(busy, runs, strict=True)
    )
    return entry


def _failed(name: str, error: str) -> dict[str, Any]:
    return {"name": name, "is_product": name.startswith("tunesmith"), "error": error}


def _same(entry: dict[str, Any], first: float | None, held_out: float | None) -> str:
    """Whether a contestant did what the first peer with the same batches did."""
    if entry["own_batches"]:
        return "own batches"
    if first is None:
        return "nothing to compare"
    wrong = []
    if abs(entry["loss_first"] - first) > SAME_FIRST:
        wrong.append(f"first loss by {entry['loss_first'] - first:.1g}")
    if held_out is not None and entry["eval_loss"] is not None:
        difference = entry["eval_loss"] - held_out
        if abs(difference) > SAME_HELD_OUT:
            wrong.append(f"held-out loss by {difference:.1g}")
    return "differs: " + ", ".join(wrong) if wrong else "yes"


def share_of(entry: dict[str, Any], limit: dict[str, Any], which: str) -> float:
    """The part of the arithmetic limit that a contestant reached."""
    reached: float = entry["useful_per_s"] / limit[which]["useful_per_s"]
    return reached


COLUMNS = (
    "", "training s", "range", "tokens/s", "x fastest peer", "process s", "x fastest peer",
    "peak GiB", "x leanest peer", "first loss", "last loss", "held-out", "same work",
    "limit", "limit, shared",
)  # fmt: skip


def section(task: Task, entries: list[dict[str, Any]], limit: dict[str, Any] | None) -> str:
    """One task as Markdown: what was asked, the limit, and the table."""
    lines = [f"## {task.name}, {task.base.rstrip('/').rsplit('/', 1)[-1]}", ""]
    fed = "words" if task.words else "tokens"
    lines.append(
        f"{task.steps} steps of {task.rows_per_step} rows, {task.useful:,} tokens, of which "
        f"{task.trained:,} are trained; the peers are given {fed}."
    )
    if limit is not None:
        lines += ["", *_limit_lines(task, limit)]
    lines += ["", _row(COLUMNS), _row("---" for _ in COLUMNS)]
    lines += [_row(_cells(entry, limit)) for entry in entries if "error" not in entry]
    failed = [entry for entry in entries if "error" in entry]
    if failed:
        lines += [""] + [
            f"- {one['name']}: {one['error'].splitlines()[-1][:300]}" for one in failed
        ]
    disturbed = [one["name"] for one in entries if one.get("disturbed")]
    if disturbed:
        lines += ["", f"The machine had other work to do during rounds of {', '.join(disturbed)}."]
    return "\n".join(lines) + "\n"


def _limit_lines(task: Task, limit: dict[str, Any]) -> list[str]:
    kind = task.adapter
    alone, shared = limit["rows_alone"], limit["prefixes_shared"]
    return [
        f"Arithmetic limit: {limit['weights'] / 1e6:,.1f} million weights in linear layers, "
        f"{limit['body'][kind] / 1e9:,.0f} GFLOP/s in their products and "
        f"{limit['head'][kind] / 1e9:,.0f} in the head's. Rows alone "
        f"{alone['operations'] / 1e9:,.0f} GFLOP, {alone['seconds']:.1f} s, "
        f"{alone['useful_per_s']:,.0f} tokens/s; prefixes shared {shared['tokens']:,} of "
        f"{alone['tokens']:,} tokens, {shared['operations'] / 1e9:,.0f} GFLOP, "
        f"{shared['seconds']:.1f} s, {shared['useful_per_s']:,.0f} tokens/s."
    ]


def _cells(entry: dict[str, Any], limit: dict[str, Any] | None) -> list[str]:
    low, high = entry["wall_train_range"]
    held_out = "" if entry["eval_loss"] is None else f"{entry['eval_loss']:.5f}"
    cells = [
        entry["name"],
        f"{entry['wall_train']:.2f}",
        f"{low:.2f} to {high:.2f}",
        f"{entry['useful_per_s']:,.0f}",
        _times(entry.get("ratio_train")),
        f"{entry['wall_process']:.1f}",
        _times(entry.get("ratio_process")),
        f"{entry['peak_gib']:.2f}",
        _times(entry.get("ratio_memory")),
        f"{entry['loss_first']:.5f}",
        f"{entry['loss_last']:.5f}",
        held_out,
        entry["same_work"],
    ]
    kinds = ("rows_alone", "prefixes_shared")
    return cells + [f"{share_of(entry, limit, kind):.0%}" if limit else "" for kind in kinds]


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def _row(cells: Any) -> str:  # noqa: ANN401  any iterable of texts
    return "| " + " | ".join(cells) + " |"
