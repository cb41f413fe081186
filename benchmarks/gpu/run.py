"""Everything that waits for one CUDA device, in calls of under nine minutes.

    python benchmarks/gpu/run.py --out DIR --call 1      on a GPU; then 2, 3, ...
    python benchmarks/gpu/run.py --out DIR --tiny        all of it, small, on a CPU

First whether results are right, then how fast they come. What one call has no time for is passed
over and named; `--only` and `--budget` give it a call of its own. Each part runs in a process of
its own with a time limit, so that one that fails does not end the rest; DIR/gpu.md and DIR/gpu.json
are written after every part, and hold what earlier calls with the same DIR found. Nothing is
downloaded and nothing needs to be installed but what the parts import: this file needs Python only.
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


HIDDEN = ("losses", "same_steps")
"""What lines hold for a table of its own."""
LIMITS = {"float32": 1e-5, "bfloat16": 1e-2, "fp8": 2e-2, "nf4": 1e-2}
"""How far apart the losses may be, by what the base is kept in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A process: its name, the module, its arguments, and how many seconds it may take."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    seconds: float
    call: int
    """The call that it belongs to."""


def parts() -> list[Part]:
    """In the order in which they matter."""
    found = [Part(name="machine", module="machine", seconds=40, call=1)]
    for names in (("llama", "qwen3"), ("mistral", "gemma2", "gemma3"), ("phi3", "granite", "gpt2")):
        name = f"exact {' '.join(names)}"
        seconds = 75 if len(found) > 1 else 110
        found.append(Part(name=name, module="exact", arguments=names, seconds=seconds, call=1))
    behaviours = (
        ("nf4", 40), ("fp8", 60), ("optimizers", 40), ("waiting", 120), ("generation", 30),
        ("resume", 90), ("memory", 90), ("offloading", 40),
    )  # fmt: skip
    for name, seconds in behaviours:
        found.append(
            Part(name=name, module="behaviour", arguments=(name,), seconds=seconds, call=1)
        )
    found += [
        speed("llama-8b", "lora", seconds=500, call=2),
        Part(name="yardstick", module="yardstick", arguments=(PRICE,), seconds=330, call=3),
        speed("llama-1b", "lora", seconds=190, call=3),
        speed("qwen3-8b", "lora", seconds=400, call=4),
        Part(name="quality", module="quality", seconds=120, call=4),
        speed("llama-1b", "full", seconds=140, call=5),
    ]
    for shape in ("llama-8b", "llama-1b", "qwen3-8b"):
        found.append(
            Part(name=f"unsloth {shape}", module="unsloth_peer", arguments=(shape, "lora"),
                 seconds=120, call=5)
        )  # fmt: skip
    return [
        *found,
        speed("qwen3-1.7b", "lora", seconds=220, call=6),
        speed("qwen3-1.7b", "full", seconds=140, call=6),
        speed("llama-8b", "full", seconds=140, call=6),
        Part(name="starter", module="starter", seconds=2400, call=7),
    ]


def speed(shape: str, adapter: str, *, seconds: float, call: int) -> Part:
    """Contestants on one shape."""
    name = f"speed {shape} {adapter}"
    return Part(name=name, module="speed", arguments=(shape, adapter), seconds=seconds, call=call)


def main() -> None:
    """Run the parts until they are done or the time is up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder for the results")
    add("--tiny", action="store_true", help="small models and few steps, on a CPU as well")
    add("--budget", type=float, default=520, help="seconds in all (520)")
    add("--call", type=int, help="the parts of one call, as README.md lists them")
    add("--only", action="append", help="part of a part's name; repeat")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + given.budget
    results = earlier(given.out)
    for part in parts():
        if given.call not in (None, part.call):
            continue
        if given.only and not any(word in part.name for word in given.only):
            continue
        left = end - time.monotonic()
        if left < LEAST:
            found: dict[str, Any] = {"skipped": "the time is up", "lines": []}
        else:
            seconds = part.seconds * (PATIENCE if given.tiny else 1)
            found = run_part(part, given.out, min(left, seconds), tiny=given.tiny)
        if "skipped" not in found or part.name not in results:
            results[part.name] = {"part": part.name, **found}
        lay_over(list(results.values()))
        print(f"{part.name}: {verdict(results[part.name])}", file=sys.stderr, flush=True)
        write(given.out, list(results.values()))
    print((given.out / "gpu.md").read_text())


def earlier(out: Path) -> dict[str, dict[str, Any]]:
    """What earlier calls wrote into the same folder, by part."""
    file = out / "gpu.json"
    found = json.loads(file.read_text()) if file.exists() else []
    return {result["part"]: result for result in found}


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
    result: dict[str, Any] = {"seconds": round(time.monotonic() - began, 1)}
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


def lay_over(results: list[dict[str, Any]]) -> None:
    """Note in each line with losses how far they are from those of Transformers, at most.

    The steps, the rows and the weights to begin with are the same, so the losses must be.
    """
    lines = raced(results)
    known = {(*place_of(line), line["contestant"]): line["losses"] for line in lines}
    for line in lines:
        if not line["same_steps"]:
            continue
        reference = "transformers-nf4" if line["base"] == "nf4" else "transformers"
        wanted = known.get((*place_of(line), reference))
        if wanted is not None:
            pairs = zip(line["losses"], wanted, strict=True)
            apart = [abs(one - other) / abs(other) for one, other in pairs]
            line["apart"] = max(apart, key=lambda value: (value != value, value))
            line["ok"] = line["ok"] and line["apart"] <= LIMITS[line["base"]]


def raced(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines of contestants that did their steps."""
    return [line for result in results for line in result["lines"] if "losses" in line]


def place_of(line: dict[str, Any]) -> tuple[str, str, str]:
    """What contestants have in common that are compared."""
    return line["model"], line["trained"], line["rows"]


def write(out: Path, results: list[dict[str, Any]]) -> None:
    """`gpu.json` with everything, `gpu.md` for people."""
    (out / "gpu.json").write_text(json.dumps(results, indent=1) + "\n")
    page = ["# On one device", "", *side_by_side(raced(results))]
    for result in results:
        page += [f"## {result['part']}: {verdict(result)}", ""]
        page += [table(result["lines"]), ""] if result["lines"] else []
        if "error" in result:
            page += ["```", result["error"][-1500:], "```", ""]
    (out / "gpu.md").write_text("\n".join(page))


def side_by_side(lines: list[dict[str, Any]]) -> list[str]:
    """For each model and kind of rows the contestants' figures, and their losses by step."""
    page = []
    for place in dict.fromkeys(map(place_of, lines)):
        own = [line for line in lines if place_of(line) == place]
        model, trained, rows = place
        page += [
            f"## {model}, {trained}, rows: {rows}",
            "",
            table([shown_of(one, own) for one in own]),
        ]
        alike = [line for line in own if line["same_steps"]]
        page += ["", "Losses, laid over one another:", ""]
        page += [
            table(
                [
                    {"step": str(step + 1)}
                    | {line["contestant"]: f"{line['losses'][step]:.6f}" for line in alike}
                    for step in range(max((len(line["losses"]) for line in alike), default=0))
                ]
            ),
            "",
        ]
    return page


def shown_of(line: dict[str, Any], own: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of a line, with the fastest peer's whose base is kept as precisely."""
    exact = line["base"] != "nf4"
    peers = [
        one["tokens_per_s"]
        for one in own
        if not one["contestant"].startswith("tunesmith") and (one["base"] != "nf4") is exact
    ]
    return {
        "contestant": line["contestant"],
        "base": line["base"],
        "tokens a second": line["tokens_per_s"],
        "times the fastest peer": line["tokens_per_s"] / max(peers) if peers else None,
        "share of product rate": line["share"],
        "peak GiB": line["gib"],
        "losses apart": f"{line['apart']:.1e}" if "apart" in line else None,
        "ok": line["ok"],
        "note": line.get("note"),
    }


def table(lines: list[dict[str, Any]]) -> str:
    """A Markdown table with a column for every key that occurs."""
    keys = list(dict.fromkeys(key for line in lines for key in line if key not in HIDDEN))
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
