"""Runs the contestants of a task in turn, each in a process of its own.

Round 1 goes through them forwards, round 2 backwards, and so on, so that what else the
machine does meets all alike. Every run is one line of `runs.jsonl` as soon as it is over.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contestants import Contestant
from benchmarks.machine import busy_so_far
from benchmarks.task import Task, read_figures

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena:
    """What all runs have in common."""

    folder: Path
    llamafactory: Path | None = None
    timeout: float = 3600.0
    """Seconds after which a contestant is ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended."""

    error: str
    """Empty where it ended well."""
    seconds: float
    cpu: float


def compete(
    tasks: dict[Path, Task],
    contestants: dict[Path, list[Contestant]],
    arena: Arena,
    rounds: range,
) -> None:
    """Run everybody for some rounds; what was measured is in `runs.jsonl`.

    Args:
        tasks: by the file that holds each.
        contestants: of each task.
        arena: where to, and how long.
        rounds: numbers of the rounds, from 1.
    """
    for number in rounds:
        entries = [(file, one) for file in tasks for one in contestants[file]]
        for file, one in entries if number % 2 else reversed(entries):
            if one.once and number > 1:
                continue
            figures = run_once(file, one, arena, number)
            line = {"task": tasks[file].name, "contestant": one.name, "round": number, **figures}
            with (arena.folder / "runs.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
            say(_told(tasks[file], line))


def run_once(file: Path, one: Contestant, arena: Arena, number: int) -> dict[str, Any]:
    """One contestant, one round: its figures, or `error`."""
    folder = arena.folder / "scratch" / one.name
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", f"benchmarks.contestants.{one.module}"]
    command += ["--task", str(file), "--mode", one.mode, "--folder", str(folder)]
    for setting in one.settings:
        command += ["--setting", setting]
    if one.module == "llamafactory":
        command += ["--environment", str(arena.llamafactory)]
    before = busy_so_far()
    ended = run_process(command, arena)
    after = busy_so_far()
    figures: dict[str, Any] = {"wall_process": ended.seconds}
    if before is not None and after is not None:
        figures["others_busy"] = max(0.0, after.worked - before.worked - ended.cpu)
        figures["stolen"] = after.stolen - before.stolen
    if ended.error:
        shutil.rmtree(folder, ignore_errors=True)
        return {**figures, "error": ended.error}
    figures |= read_figures(folder)
    if number == 1:
        figures |= _held_out(file, folder / "result", arena)
    shutil.rmtree(folder, ignore_errors=True)
    return figures


def _held_out(file: Path, result: Path, arena: Arena) -> dict[str, Any]:
    output = arena.folder / "scratch" / "held_out.json"
    command = [sys.executable, "-m", "benchmarks.held_out", "--task", str(file)]
    ended = run_process([*command, "--result", str(result)], arena, output)
    if ended.error:
        return {"held_out_error": ended.error}
    found: dict[str, Any] = json.loads(output.read_text().splitlines()[-1])
    return found


def run_process(command: list[str], arena: Arena, output: Path | None = None) -> Ended:
    """Run a command to its end; its last words are the error where it fails."""
    logs = arena.folder / "scratch"
    logs.mkdir(parents=True, exist_ok=True)
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    began = time.perf_counter()
    times = os.times()
    with (logs / "stderr").open("w+") as words, (output or logs / "stdout").open("w") as stream:
        process = subprocess.Popen(
            command, stdout=stream, stderr=words, env=variables, start_new_session=True
        )
        try:
            code = process.wait(timeout=arena.timeout)
            error = "" if code == 0 else f"exit code {code}: "
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            error = f"over {arena.timeout:.0f} seconds: "
        seconds = time.perf_counter() - began
        if error:
            words.seek(0)
            error += words.read()[-2000:].strip()
    after = os.times()
    cpu = after.children_user + after.children_system - times.children_user
    return Ended(error=error, seconds=seconds, cpu=cpu - times.children_system)


def say(line: str) -> None:
    """Progress goes to stderr."""
    print(line, file=sys.stderr, flush=True)


def _told(task: Task, line: dict[str, Any]) -> str:
    head = f"round {line['round']}  {task.name}  {line['contestant']}"
    if "error" in line:
        last = line["error"].splitlines()[-1]
        return f"{head}: failed, {last[:200]}"
    rate = task.useful / line["wall_train"]
    return f"{head}: {rate:,.0f} tokens/s, {line['peak_gib']:.2f} GiB"
