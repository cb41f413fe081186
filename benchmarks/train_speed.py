"""Training speed beside a plain Transformers and PEFT loop, on the same rows in the same steps.

    contestant          tokens/s   seconds a step   peak memory   first loss   last loss
    tunesmith               ...

Both train LoRA on the bundled example with AdamW at the same constant rate; the plain loop
pads the rows of a step to the longest. Each contestant runs in a process of its own, in turn,
so that what else the machine does meets both; medians over the rounds are shown. The first
step warms up and is not counted. Tokens are those of the rows, never padding. The two losses
show that both do the same work; no figure here makes anything fail.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from tunesmith import pipeline
from tunesmith.base import locate_base
from tunesmith.contracts import TokenRow
from tunesmith.data.order import Mixture, epoch_order
from tunesmith.data.store import open_packed
from tunesmith.recipe import Request
from tunesmith.runs.documents import read_lines
from tunesmith.train.steps import StepRows

RANK = 16
RATE = 1e-3
CONTESTANTS = ("tunesmith", "transformers+peft")

# Legend: B rows of a step, T tokens of the longest.


def main() -> None:
    """Run the contestants in turn and print the table."""
    parser = argparse.ArgumentParser(description="Time training beside a plain loop.")
    parser.add_argument("--base", default="starter")
    parser.add_argument("--data", default="bundled:support/train.jsonl")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rows-per-step", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contestant is not None:
        contest = train_here if given.contestant == "tunesmith" else train_plainly
        print(json.dumps(contest(given)))
        return
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(given.rounds):
            for name in CONTESTANTS:
                figures[name].append(one_round(name, Path(scratch, str(number))))
    show(figures, given)


def one_round(contestant: str, folder: Path) -> dict[str, float]:
    """Run one contestant in a process of its own."""
    command = [sys.executable, __file__, *sys.argv[1:]]
    command += ["--contestant", contestant, "--folder", str(folder)]
    print(f"{contestant} ...", file=sys.stderr, flush=True)
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def train_here(given: argparse.Namespace) -> dict[str, float]:
    """Tunesmith's own training, by the figures of its metrics.jsonl."""
    settings = {
        "adapter": "lora",
        "adapter.rank": RANK,
        "data.held_out": 0,
        "train.steps": given.steps,
        "train.rows_per_step": given.rows_per_step,
        "train.learning_rate": RATE,
        "train.schedule": "constant",
        "train.warmup": 0,
        "train.save_every": given.steps,
    }
    asked = Request(
        base=given.base,
        data=given.data,
        output=str(given.folder),
        overrides=tuple(f"{key}={value}" for key, value in settings.items()),
    )
    run = pipeline.run_stages(asked, resume=False, until="train")
    lines = read_lines(run.path("metrics.jsonl"))
    return measured(
        [float(str(line["seconds"])) for line in lines],
        [int(str(line["tokens"])) for line in lines],
        [float(str(line["loss"])) for line in lines],
    )


def train_plainly(given: argparse.Namespace) -> dict[str, float]:
    """The loop that one writes by hand, on the rows that Tunesmith has just prepared."""
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    steps = rows_of_steps(given.folder / "data" / "train", given.rows_per_step)
    base = AutoModelForCausalLM.from_pretrained(locate_base(given.base).path, dtype=torch.float32)
    adapter = LoraConfig(
        task_type="CAUSAL_LM", r=RANK, lora_alpha=2 * RANK, target_modules="all-linear"
    )
    model = get_peft_model(base, adapter).to(device)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=RATE, weight_decay=0.01)
    seconds, tokens, losses = [], [], []
    for step in range(1, given.steps + 1):
        rows = steps.of(step)
        start = time.perf_counter()
        batch = {name: value.to(device) for name, value in padded(rows).items()}
        loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        seconds.append(time.perf_counter() - start)
        tokens.append(sum(row.ids_T.size for row in rows))
    return measured(seconds, tokens, losses)


def rows_of_steps(folder: Path, rows_per_step: int) -> StepRows:
    """The rows in the order in which Tunesmith took them."""
    rows = open_packed(folder)
    mixture = Mixture(source_of_R=rows.source_of, weights=(1.0,), seed=0)
    return StepRows(rows, lambda epoch: epoch_order(mixture, epoch), rows_per_step)


def padded(rows: list[TokenRow]) -> dict[str, torch.Tensor]:
    """A batch as Transformers takes it: right padding, labels where a token is trained."""
    longest = max(row.ids_T.size for row in rows)
    ids_BT = np.zeros((len(rows), longest), dtype=np.int64)
    labels_BT = np.full((len(rows), longest), -100, dtype=np.int64)
    mask_BT = np.zeros((len(rows), longest), dtype=np.int64)
    for place, row in enumerate(rows):
        size = row.ids_T.size
        ids_BT[place, :size] = row.ids_T
        labels_BT[place, :size] = np.where(row.weights_T > 0, row.ids_T, -100)
        mask_BT[place, :size] = 1
    return {
        "input_ids": torch.from_numpy(ids_BT),
        "labels": torch.from_numpy(labels_BT),
        "attention_mask": torch.from_numpy(mask_BT),
    }


def measured(seconds: list[float], tokens: list[int], losses: list[float]) -> dict[str, float]:
    """The figures of one run, without its first step."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if torch.cuda.is_available():
        peak = torch.cuda.max_memory_allocated()
    return {
        "rate": sum(tokens[1:]) / sum(seconds[1:]),
        "step": statistics.median(seconds[1:]),
        "megabytes": peak / 1e6,
        "first": losses[0],
        "last": losses[-1],
    }


def show(figures: dict[str, list[dict[str, float]]], given: argparse.Namespace) -> None:
    """The table of medians, and the ratio of the rates."""
    middle = {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for name, runs in figures.items()
    }
    memory = "GPU memory" if torch.cuda.is_available() else "peak memory"
    print(f"{given.base}, {given.steps} steps of {given.rows_per_step} rows, LoRA rank {RANK},")
    print(f"medians of {given.rounds} rounds in turn, {torch.get_num_threads()} threads\n")
    print(
        f"{'contestant':<18} {'tokens/s':>9} {'s a step':>9} {memory:>12} "
        f"{'first loss':>11} {'last loss':>10}"
    )
    for name, row in middle.items():
        print(
            f"{name:<18} {row['rate']:>9,.0f} {row['step']:>9.3f} {row['megabytes']:>9,.0f} MB "
            f"{row['first']:>11.4f} {row['last']:>10.4f}"
        )
    ratio = middle[CONTESTANTS[0]]["rate"] / middle[CONTESTANTS[1]]["rate"]
    spread = [
        ours["rate"] / plain["rate"]
        for ours, plain in zip(figures[CONTESTANTS[0]], figures[CONTESTANTS[1]], strict=True)
    ]
    print(f"\nratio {ratio:.2f} (single rounds {min(spread):.2f} to {max(spread):.2f})")


if __name__ == "__main__":
    main()
