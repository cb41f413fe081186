"""The yardstick: a model of 7B on 1,000 rows in minutes, from the command to the saved result.

    python -m benchmarks.gpu.yardstick PRICE        PRICE of the device in an hour, in any currency

A Llama of 7B with random weights is written first, which does not count. What counts is the whole
of one call of `tunesmith train`: its start, the check of the rows, 3 epochs of LoRA over 1,000
rows of 400 tokens that share nothing, its checkpoints, and the saved adapter. It is done on the
base as it is, and then on one in FP8. The time is divided:

    until_prepared    imports, the digest of the base, the check of the rows, their tokens
    until_started     more imports, loading the base, the proof, the choice of the head
    in_steps          training; what was compiled in the first step is in `first_step`
    between_steps     checkpoints, and what else the loop does
    after             the adapter is written, the process ends

`imports` are part of the first two, measured by themselves.
"""

from __future__ import annotations

import json
import random
import string
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from benchmarks.gpu.part import Part, line, read_part, what_failed
from benchmarks.gpu.rate import product_rate
from benchmarks.gpu.training import Training, absent_packages, write_tokenizer
from benchmarks.limit import Work, operations, shapes_of

EPOCHS = 3
FRAME = 21
"""Tokens of a row beside its letters: four marks, and the names of the roles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the model is, and how much there is to learn."""

    config: LlamaConfig
    rows: int
    tokens: int


LARGE = Size(
    config=LlamaConfig(
        vocab_size=32000, hidden_size=4096, num_hidden_layers=32, num_attention_heads=32,
        num_key_value_heads=32, intermediate_size=11008, max_position_embeddings=4096,
        pad_token_id=0, bos_token_id=1, eos_token_id=2,
    ),
    rows=1000,
    tokens=400,
)  # fmt: skip
TINY = Size(
    config=LlamaConfig(
        vocab_size=515, hidden_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=4, intermediate_size=96, max_position_embeddings=256,
        pad_token_id=0, bos_token_id=1, eos_token_id=2,
    ),
    rows=12,
    tokens=100,
)  # fmt: skip


def write_model(folder: Path, config: LlamaConfig, device: str) -> int:
    """Random weights in bf16, made on the device; how many."""
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            model = LlamaForCausalLM(config)
    finally:
        torch.set_default_dtype(before)
    model.save_pretrained(folder)
    write_tokenizer(folder)
    return sum(weight.numel() for weight in model.parameters())


def write_rows(path: Path, size: Size) -> None:
    """Rows of letters, of so many tokens each."""
    draw = random.Random(0)
    letters = size.tokens - FRAME
    with path.open("w") as stream:
        for _ in range(size.rows):
            text = "".join(draw.choices(string.ascii_lowercase, k=letters))
            row = {"prompt": text[: letters // 2], "completion": text[letters // 2 :]}
            stream.write(json.dumps(row) + "\n")


def steps_of(run: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl."""
    return [json.loads(one) for one in (run / "metrics.jsonl").read_text().splitlines()]


def divided(run: Path, began: float, ended: float) -> dict[str, float]:
    """Where the seconds of a run went, from the times that it wrote down itself."""
    events = [json.loads(one) for one in (run / "events.jsonl").read_text().splitlines()]
    at = {event["kind"]: datetime.fromisoformat(event["time"]).timestamp() for event in events}
    prepared = (run / "environment.json").stat().st_mtime
    steps = steps_of(run)
    inside = sum(step["seconds"] for step in steps)
    return {
        "until_prepared": prepared - began,
        "until_started": at["started"] - prepared,
        "in_steps": inside,
        "first_step": steps[0]["seconds"],
        "between_steps": at["trained"] - at["started"] - inside,
        "after": ended - at["trained"],
    }


def import_seconds() -> float:
    """What importing everything that training needs takes by itself."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import tunesmith.train.stage"], check=True)
    return time.monotonic() - began


def measure(part: Part, folder: Path) -> None:
    """Write the base, train on it, and say what that took."""
    size = TINY if part.tiny else LARGE
    weights = write_model(folder, size.config, part.device)
    if part.device == "cuda":
        torch.cuda.empty_cache()
    write_rows(folder / "rows.jsonl", size)
    task = Training(
        device=part.device,
        folder=folder,
        base=str(folder),
        data=str(folder / "rows.jsonl"),
        settings=("data.held_out=0", f"train.epochs={EPOCHS}"),
    )
    imports = import_seconds()
    for kind in ("none", "fp8"):
        settings = (*task.settings, f"base.quantize={kind}")
        began = time.time()
        run = replace(task, settings=settings).train(kind)
        ended = time.time()
        figures = figures_of(run, size, part, ended - began)
        split = divided(run, began, ended)
        line(weights=weights, base=kind, **figures, **split, imports=imports)


def figures_of(run: Path, size: Size, part: Part, whole: float) -> dict[str, Any]:
    """Time, rate and cost of a run."""
    price = float(part.words[0]) if part.words else 0.0
    steps = steps_of(run)
    inside, tokens = sum(step["seconds"] for step in steps), sum(step["tokens"] for step in steps)
    seen = round(tokens / size.tokens)
    work = Work(
        tokens=tokens,
        pairs=seen * size.tokens * (size.tokens + 1) // 2,
        labelled=sum(step["trained"] for step in steps),
    )
    done = operations(shapes_of(size.config), work, "lora")
    return {
        "rows": size.rows,
        "epochs": EPOCHS,
        # A last step may be filled up with rows of the next epoch.
        "ok": tokens % size.tokens == 0 and seen >= EPOCHS * size.rows,
        "seconds": whole,
        "price_per_hour": price,
        "cost": price * whole / 3600,
        "tokens_per_s": tokens / inside,
        "share": done / inside / product_rate(part.device),
    }


def main() -> None:
    """Measure, or say what is absent."""
    part = read_part(__doc__)
    absent = absent_packages()
    if absent:
        line(skipped=f"{absent} absent")
        return
    with tempfile.TemporaryDirectory() as scratch:
        try:
            measure(part, Path(scratch))
        except Exception as error:  # said in the table, like any other result
            line(ok=False, note=what_failed(error))


if __name__ == "__main__":
    main()
