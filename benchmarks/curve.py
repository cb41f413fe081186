"""The training loss of every step: with sharing, without it, and a peer's, on the same rows.

    python -m benchmarks.curve --base starter --data rows.jsonl --steps 200

All begin alike and train the first `steps * rows_per_step` rows in the order of the file, like
the contestants of `python -m benchmarks`: AdamW at a constant rate, no decay, gradients clipped
at 1, no dropout. What is exact must then give one curve, to the rounding that training carries
from step to step; a second peer shows how large that is between two that share nothing.

After every run OUT/curve.json keeps the losses and OUT/curve.png draws them, the differences from
the first peer below. The largest relative difference of each pair, |a - b| / b, is printed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.contest import Arena, run_once, say
from benchmarks.contestants import EVERY, PRODUCT, why_not
from benchmarks.task import RATE, Task, write_task
from benchmarks.workload import Asked, make_task
from tunesmith.base import locate_base
from tunesmith.errors import InputError

PEERS = ("trl-accum", "trl-padded", "plain-accum", "plain-padded")
NO_HELD_OUT = 0
"""A round in which results are not measured on held-out rows."""
FLOAT32_STEP = 2.0**-23
"""The relative distance of neighbouring fp32 numbers."""

Curves = dict[str, list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """How far two curves are apart where they are farthest."""

    one: str
    other: str
    largest: float
    """|one - other| / other."""
    step: int
    """From 1."""
    median: float


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.curve",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--base", required=True, help="model folder, or `starter`")
    add("--data", type=Path, required=True, help="rows, in any format that Tunesmith reads")
    add("--steps", type=int, default=200, help="optimizer steps (200)")
    add("--rows-per-step", type=int, default=8, help="rows of a step (8)")
    add("--adapter", choices=("lora", "full"), default="lora", help="what is trained (lora)")
    add("--rate", type=float, default=RATE, help=f"learning rate ({RATE})")
    add("--peer", action="append", choices=PEERS, help=f"compare with; repeat ({PEERS[0]})")
    add("--timeout", type=float, default=3600, help="seconds of one run at most (3600)")
    add("--out", type=Path, default=Path("runs/curve"), help="folder for the result (runs/curve)")
    return parser


def main() -> None:
    """Train everybody, write both files, and print how far the curves are apart."""
    given = arguments().parse_args()
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    folder = given.out.resolve()
    peers = list(dict.fromkeys(given.peer or PEERS[:1]))
    try:
        task = task_of(given, folder / "scratch" / "task")
    except (ValueError, FileNotFoundError, InputError) as error:
        raise SystemExit(f"error: {error}") from error
    for name in peers:
        if reason := why_not(EVERY[name], task, None):
            raise SystemExit(f"error: {name}: {reason}")
    arena = Arena(folder=folder, timeout=given.timeout)
    file = folder / "scratch" / "task.json"
    write_task(task, file)
    curves: Curves = {}
    for name in [*(one.name for one in PRODUCT), *peers]:
        curves[name] = train(name, task, file, arena)
        keep(curves, task, peers[0], folder)
    print(page_of(curves, gaps_of(curves)))


def task_of(given: argparse.Namespace, folder: Path) -> Task:
    """The rows and the settings that all train with."""
    asked = Asked(
        base=str(locate_base(given.base).path),
        data=given.data,
        held_out=None,
        method="sft",
        adapter=given.adapter,
        steps=given.steps,
        rows_per_step=given.rows_per_step,
    )
    return replace(make_task(asked, folder), rate=given.rate)


def train(name: str, task: Task, file: Path, arena: Arena) -> list[float]:
    """The losses of a contestant's steps; it runs in a process of its own.

    Raises:
        SystemExit: it failed, or did another number of steps.
    """
    figures = run_once(file, EVERY[name], arena, NO_HELD_OUT)
    if "error" in figures:
        raise SystemExit(f"error: {name} failed: {figures['error']}")
    losses: list[float] = figures["losses"]
    if len(losses) != task.steps:
        raise SystemExit(f"error: {name} did {len(losses)} of {task.steps} steps")
    say(f"{name}: {losses[0]:.4f} -> {losses[-1]:.4f}, {figures['wall_train']:.0f} s")
    return losses


def keep(curves: Curves, task: Task, peer: str, folder: Path) -> None:
    """Write what is there so far; the picture, from the peer on that it compares with."""
    gaps = [asdict(gap) for gap in gaps_of(curves)]
    kept = {"task": asdict(task), "losses": curves, "gaps": gaps}
    (folder / "curve.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    if peer in curves:
        title = f"{Path(task.base).name}, {task.name}, {task.rows_per_step} rows a step"
        draw(curves, peer, title).savefig(folder / "curve.png", dpi=120)


def differences(one: list[float], other: list[float]) -> list[float]:
    """|one - other| / other of each step."""
    return [abs(a - b) / abs(b) for a, b in zip(one, other, strict=True)]


def gaps_of(curves: Curves) -> list[Gap]:
    """Every pair of curves."""
    found = []
    for one, other in itertools.combinations(curves, 2):
        each = differences(curves[one], curves[other])
        step = max(range(len(each)), key=each.__getitem__)
        found.append(
            Gap(
                one=one,
                other=other,
                largest=each[step],
                step=step + 1,
                median=sorted(each)[len(each) // 2],
            )
        )
    return found


def page_of(curves: Curves, gaps: list[Gap]) -> str:
    """First and last losses, and the pairs, as Markdown."""
    lines = ["| curve | first step | mean of the last tenth |", "| --- | --- | --- |"]
    for name, losses in curves.items():
        last = losses[-math.ceil(len(losses) / 10) :]
        lines.append(f"| {name} | {losses[0]:.6f} | {sum(last) / len(last):.6f} |")
    lines += ["", "| pair | largest relative difference | at step | median |"]
    lines.append("| --- | --- | --- | --- |")
    for gap in gaps:
        lines.append(
            f"| {gap.one}, {gap.other} | {gap.largest:.2e} | {gap.step} | {gap.median:.2e} |"
        )
    return "\n".join(lines)


def draw(curves: Curves, peer: str, title: str) -> Figure:
    """All curves, each narrower than the one that it lies on, and their distances below.

    A step in which two losses are equal to the last bit has no place on a log axis: it is left
    out of the lower picture.
    """
    figure = Figure(figsize=(10, 8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    order = [peer, *(name for name in curves if name != peer)]
    steps = range(1, len(curves[peer]) + 1)
    for place, name in enumerate(order):
        color = f"C{place}"
        width = 1 + 2.5 * (len(order) - 1 - place)
        above.plot(steps, curves[name], color=color, linewidth=width, label=name)
        if name != peer:
            apart = [gap or math.nan for gap in differences(curves[name], curves[peer])]
            below.plot(steps, apart, ".-", color=color, linewidth=0.7, markersize=4, label=name)
    below.axhline(FLOAT32_STEP, color="grey", linestyle=":", label="one fp32 step (2^-23)")
    above.set(title=title, ylabel="training loss, nats a token")
    below.set(yscale="log", xlabel="optimizer step", ylabel=f"relative difference from {peer}")
    for axes in (above, below):
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


if __name__ == "__main__":
    main()
