"""Tunesmith beside its peers, in one run: speed, memory, the same result, and the limit.

Without arguments: the workloads of ../shared/bench where that folder is there, else the
bundled example. Your own file on your own model:

    python -m benchmarks --base models/mine --data rows.jsonl --steps 4 --rounds 3

Each contestant runs in a process of its own, in turn, forwards and backwards. The page is
written after every round, to OUT/speed.md and OUT/speed.json; OUT/runs.jsonl has every run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.contest import ROOT, Arena, compete, run_process, say
from benchmarks.contestants import EVERY, Contestant, extra, why_not
from benchmarks.page import Book, write_page
from benchmarks.task import Task, write_task
from benchmarks.workload import Asked, make_task
from tunesmith.base import locate_base
from tunesmith.bundled import bundled_path

SHARED = ROOT.parent / "shared" / "bench"
SHARED_KINDS = ("sft-lora", "sft-full", "dpo-lora")
SLOW = ("trl-default",)


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--base", help="model folder, or `starter`; a name that ../shared/bench makes, too")
    add("--data", type=Path, help="your rows, in any format that Tunesmith reads")
    add("--held-out", type=Path, help="rows to measure with; left out: the rows that follow")
    add("--workload", action="append", choices=SHARED_KINDS, help="method and adapter; repeat")
    add("--steps", type=int, help="optimizer steps (3; of dpo 2)")
    add("--rows-per-step", type=int, default=8, help="rows of a step (8)")
    add("--rounds", type=int, default=3, help="times that everybody runs (3)")
    add("--contestant", action="append", help=f"of: {', '.join(EVERY)}; all but {SLOW[0]}")
    add("--also", action="append", default=[], metavar="NAME:KEY=VALUE,...",
        help="the product once more with other settings; repeat")  # fmt: skip
    add("--llamafactory", type=Path, metavar="PATH", help="an environment with LLaMA-Factory")
    add("--timeout", type=float, default=3600, help="seconds of one run at most (3600)")
    add("--no-limit", action="store_true", help="do not measure the arithmetic limit")
    add("--out", type=Path, default=Path("runs/bench"), help="folder for the result (runs/bench)")
    return parser


def main() -> None:
    """Do what the command line asks for, and print the page."""
    given = arguments().parse_args()
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    folder = given.out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "runs.jsonl").write_text("")
    try:
        tasks = make_tasks(given, folder)
        chosen, absent = choose(given, tasks)
    except (ValueError, KeyError, FileNotFoundError) as error:
        raise SystemExit(f"error: {error}") from error
    arena = Arena(folder=folder, llamafactory=given.llamafactory, timeout=given.timeout)
    book = Book(
        folder=folder,
        tasks=list(tasks.values()),
        limits=[] if given.no_limit else measure_limits(list(tasks), arena),
        absent=absent,
        llamafactory=given.llamafactory,
    )
    page = ""
    for number in range(1, given.rounds + 1):
        compete(tasks, chosen, arena, range(number, number + 1))
        page = write_page(book)
    print(page)


def make_tasks(given: argparse.Namespace, folder: Path) -> dict[Path, Task]:
    """Prepare the tasks of a command line; by the files that hold them."""
    tasks: dict[Path, Task] = {}
    for kind in given.workload or (SHARED_KINDS if use_shared(given) else ("sft-lora",)):
        method, adapter = kind.split("-")
        asked = what_is_asked(given, method, adapter, folder)
        say(f"preparing {asked.data.name}, {method} {adapter}")
        file = folder / kind / "task.json"
        task = make_task(asked, file.parent)
        write_task(task, file)
        tasks[file] = task
    return tasks


def use_shared(given: argparse.Namespace) -> bool:
    """Whether the workloads of ../shared/bench are meant."""
    return given.data is None and SHARED.is_dir() and given.base != "starter"


def what_is_asked(given: argparse.Namespace, method: str, adapter: str, folder: Path) -> Asked:
    """Model and rows of one task."""
    if use_shared(given):
        stem = "support_dpo" if method == "dpo" else "support"
        base = shared_base(given.base or "llama-15m", folder)
        data, held_out = SHARED / f"{stem}.jsonl", SHARED / f"{stem}.eval.jsonl"
    else:
        base = str(locate_base(given.base or "starter").path)
        data, held_out = given.data, given.held_out
        if data is None:
            data = Path(bundled_path("bundled:support/train.jsonl"))
            held_out = Path(bundled_path("bundled:support/heldout.jsonl"))
    return Asked(
        base=base,
        data=data,
        held_out=held_out,
        method=method,
        adapter=adapter,
        steps=given.steps or (2 if method == "dpo" else 3),
        rows_per_step=given.rows_per_step,
    )


def shared_base(name: str, folder: Path) -> str:
    """A model folder; one that ../shared/bench can make is made where there is none."""
    if Path(name).is_dir():
        return str(Path(name).resolve())
    made = folder / "models" / name
    if not made.is_dir():
        say(f"making {name} with random weights")
        command = [sys.executable, str(SHARED / "make_models.py"), name]
        command += ["--out", str(made.parent), "--tokenizers", str(SHARED)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return str(made)


def choose(
    given: argparse.Namespace, tasks: dict[Path, Task]
) -> tuple[dict[Path, list[Contestant]], dict[str, str]]:
    """Who takes part in each task, and why others do not."""
    names = given.contestant or [name for name in EVERY if name not in SLOW]
    wanted = [EVERY[name] for name in names] + [extra(text) for text in given.also]
    chosen: dict[Path, list[Contestant]] = {}
    absent: dict[str, str] = {}
    for file, task in tasks.items():
        chosen[file] = []
        for one in wanted:
            reason = why_not(one, task, given.llamafactory)
            if reason:
                absent[f"{one.name} ({task.name})"] = reason
            else:
                chosen[file].append(one)
    return chosen, absent


def measure_limits(files: list[Path], arena: Arena) -> list[dict[str, object]]:
    """The arithmetic limits, measured in a process of its own."""
    say("measuring matrix products")
    output = arena.folder / "scratch" / "limits.json"
    command = [sys.executable, "-m", "benchmarks.limit"]
    for file in files:
        command += ["--task", str(file)]
    ended = run_process(command, arena, output)
    if ended.error:
        raise SystemExit(f"error: the limit was not measured: {ended.error}")
    found: list[dict[str, object]] = json.loads(output.read_text().splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
