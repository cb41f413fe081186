"""Tunesmith as one contestant of somebody else's comparison: prints one JSON line.

    python -m benchmarks.contestant --model models/llama-15m --data support.jsonl --steps 3

The first `8 * steps` rows are trained in the order of the file, like by the contestants of
`python -m benchmarks`: the line has wall_train (a reference included), useful_tokens,
useful_per_s, peak_gib, loss_first, loss_last, eval_loss, and more. Held-out rows are those of
`NAME.eval.jsonl` beside `NAME.jsonl`, or else the rows that follow.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

from benchmarks.contest import Arena, run_once
from benchmarks.contestants import Contestant
from benchmarks.task import write_task
from benchmarks.workload import Asked, make_task


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.contestant",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--model", required=True, help="model folder")
    add("--data", type=Path, required=True, help="rows to train")
    add("--method", choices=("sft", "dpo"), default="sft", help="objective (sft)")
    add("--adapter", choices=("lora", "full"), default="lora", help="what is trained (lora)")
    add("--share", choices=("on", "off"), default="on", help="share prefixes (on)")
    add("--steps", type=int, default=3, help="optimizer steps (3)")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="of the recipe; repeat")
    add("--timeout", type=float, default=3600, help="seconds at most (3600)")
    return parser


def main() -> None:
    """Run once and print the line."""
    given = arguments().parse_args()
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    beside = given.data.with_name(f"{given.data.stem}.eval.jsonl")
    share = "true" if given.share == "on" else "false"
    one = Contestant(
        name="tunesmith",
        module="product",
        settings=(f"train.share_prefixes={share}", *given.set),
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "task.json")
        task = make_task(
            Asked(
                base=str(Path(given.model).resolve()),
                data=given.data.resolve(),
                held_out=beside if beside.exists() else None,
                method=given.method,
                adapter=given.adapter,
                steps=given.steps,
            ),
            Path(folder),
        )
        write_task(task, file)
        figures = run_once(file, one, Arena(folder=Path(folder), timeout=given.timeout), 1)
    line = {
        "tool": "tunesmith",
        "model": Path(given.model).name,
        "data": given.data.name,
        "method": given.method,
        "adapter": given.adapter,
        "share": given.share,
        "useful_tokens": task.useful,
        "labelled_tokens": task.trained,
        **figures,
    }
    if "error" not in figures:
        line["useful_per_s"] = task.useful / figures["wall_train"]
    print(json.dumps(line))


if __name__ == "__main__":
    main()
