"""Everything that waits for one CUDA device, in calls of under nine minutes.

    python benchmarks/gpu/run.py --out DIR          on a GPU
    python benchmarks/gpu/run.py --out DIR --tiny   the same, small, on a CPU

First whether results are right, then how fast they come. What one call has no time for is passed
over and named; `--only` and `--budget` give it a call of its own. Each part runs in a process of
its own with a time limit, so that one that fails does not end the rest; DIR/gpu.md and DIR/gpu.json
are written after every part. Nothing is downloaded and nothing needs to be installed but what the
parts import: this file needs Python only.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LEAST = 15.0
"""Seconds that must be left to begin a part."""
PRICE = "3.00"
"""Of an hour of the device, where the yardstick is not called by itself with another."""
PATIENCE = 4
"""How much longer a part may take where it is small: on machines with other work to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A process: its name, the module, its arguments, and how many seconds it may take."""

    name: str
    module: str
    arguments: tuple[str, ...]
    seconds: float


def parts() -> list[Part]:
    """In the order in which they matter."""
    found = [Part(name="machine", module="machine", arguments=(), seconds=40)]
    for names in (("llama", "qwen3"), ("mistral", "gemma2", "gemma3"), ("phi3", "granite", "gpt2")):
        name = f"exact {' '.join(names)}"
        seconds = 75 if len(found) > 1 else 110
        found.append(Part(name=name, module="exact", arguments=names, seconds=seconds))
    found += [
        Part(name="nf4", module="behaviour", arguments=("nf4",), seconds=40),
        Part(name="fp8", module="behaviour", arguments=("fp8",), seconds=60),
        Part(name="optimizers", module="behaviour", arguments=("optimizers",), seconds=40),
        Part(name="waiting", module="behaviour", arguments=("waiting",), seconds=120),
        Part(name="generation", module="behaviour", arguments=("generation",), seconds=30),
        Part(name="resume", module="behaviour", arguments=("resume",), seconds=90),
        Part(name="memory", module="behaviour", arguments=("memory",), seconds=90),
    ]
    runs = (
        ("llama-1b", "lora"), ("llama-8b", "lora"), ("qwen3-8b", "lora"), ("llama-1b", "full"),
        ("qwen3-1.7b", "lora"), ("qwen3-1.7b", "full"), ("llama-8b", "full"),
    )  # fmt: skip
    for shape, adapter in runs:
        found.append(
            Part(name=f"speed {shape} {adapter}", module="speed", arguments=(shape, adapter),
                 seconds=120 if adapter == "lora" else 90)
        )  # fmt: skip
    for shape in ("llama-1b", "llama-8b", "qwen3-8b"):
        found.append(
            Part(name=f"unsloth {shape}", module="unsloth_peer", arguments=(shape, "lora"),
                 seconds=120)
        )  # fmt: skip
    found += [
        Part(name="quality", module="quality", arguments=(), seconds=150),
        Part(name="yardstick", module="yardstick", arguments=(PRICE,), seconds=420),
        Part(name="starter", module="starter", arguments=(), seconds=2400),
    ]
    return found


def main() -> None:
    """Run the parts until they are done or the time is up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder for the results")
    add("--tiny", action="store_true", help="small models and few steps, on a CPU as well")
    add("--budget", type=float, default=520, help="seconds in all (520)")
    add("--only", action="append", help="part of a part's name; repeat")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + given.budget
    results: list[dict[str, Any]] = []
    for part in parts():
        if given.only and not any(word in part.name for word in given.only):
            continue
        left = end - time.monotonic()
        if left < LEAST:
            results.append({"part": part.name, "skipped": "the time is up", "lines": []})
        else:
            seconds = part.seconds * (PATIENCE if given.tiny else 1)
            results.append(run_part(part, given.out, min(left, seconds), tiny=given.tiny))
        last = results[-1]
        print(f"{part.name}: {verdict(last)}", file=sys.stderr, flush=True)
        write(given.out, results)
    print((given.out / "gpu.md").read_text())


def run_part(part: Part, out: Path, seconds: float, *, tiny: bool) -> dict[str, Any]:
    """One part; the lines that it printed count even where it did not end well."""
    paths = [str(ROOT), str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    variables = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "PYTORCH_ALLOC_CONF": "expandable_segments:True",
    }
    command = [sys.executable, "-m", f"benchmarks.gpu.{part.module}", *part.arguments]
    command += ["--tiny"] if tiny else []
    began = time.monotonic()
    lines, words = out / "part.lines", out / "part.log"
    with lines.open("w") as stream, words.open("w") as errors:
        process = subprocess.Popen(
            command, stdout=stream, stderr=errors, env=variables, start_new_session=True
        )
        try:
            code: int | None = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            code = None
    found = [json.loads(line) for line in lines.read_text().splitlines() if line.startswith("{")]
    result: dict[str, Any] = {"part": part.name, "seconds": round(time.monotonic() - began, 1)}
    if code is None:
        result["error"] = f"stopped after {seconds:.0f} seconds"
    elif code != 0:
        result["error"] = f"exit code {code}: {words.read_text(errors='replace')[-1500:].strip()}"
    lines.unlink()
    words.unlink()
    return {**result, "lines": found}


def verdict(result: dict[str, Any]) -> str:
    """In a few words."""
    if "skipped" in result:
        return f"skipped: {result['skipped']}"
    wrong = [line for line in result["lines"] if line.get("ok") is False]
    if "error" in result:
        return f"FAILED: {result['error'].splitlines()[-1][:200]}"
    return f"{len(wrong)} of {len(result['lines'])} WRONG" if wrong else "done"


def write(out: Path, results: list[dict[str, Any]]) -> None:
    """`gpu.json` with everything, `gpu.md` for people."""
    (out / "gpu.json").write_text(json.dumps(results, indent=1) + "\n")
    page = ["# On one device", ""]
    for result in results:
        page += [f"## {result['part']}: {verdict(result)}", ""]
        page += [table(result["lines"]), ""] if result["lines"] else []
        if "error" in result:
            page += ["```", result["error"][-1500:], "```", ""]
    (out / "gpu.md").write_text("\n".join(page))


def table(lines: list[dict[str, Any]]) -> str:
    """A Markdown table with a column for every key that occurs."""
    keys = list(dict.fromkeys(key for line in lines for key in line))
    rows = [keys, ["---"] * len(keys)]
    rows += [[shown(line.get(key)) for key in keys] for line in lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def shown(value: object) -> str:
    """A cell: few digits, one line."""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return "" if value is None else str(value).replace("\n", " ").replace("|", "/")[:200]


if __name__ == "__main__":
    main()
