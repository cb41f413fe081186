"""A run's directory as a finished run leaves it, made without a model: for looking at reports."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.evaluate.records import make_generation, make_record
from tunesmith.contracts import StepRecord
from tunesmith.evaluate.record import EvaluationRecord
from tunesmith.runs import Run, create_run
from tunesmith.runs.documents import write_json, write_text
from tunesmith.train import metrics

RECIPE = """\
base: {path: tiny/base}
data: {sources: [{path: /home/somebody/tickets.jsonl}], held_out: 0.1}
adapter: {name: lora, rank: 16}
train: {epochs: 3, learning_rate: 1e-3}
"""
QUESTIONS = (
    "How do I get a refund for the months that I did not use?",
    "late fee 25 euros???",
    "I want to bring along a small dog. Will it be allowed in the basket, or do I need to book "
    "a cargo bike, and what would that cost me for an afternoon?",
)


def make_run(folder: Path, steps: int = 240, record: EvaluationRecord | None = None) -> Run:
    """A whole run of so many steps."""
    run = create_run(folder)
    write_text(run.path("recipe.yaml"), RECIPE)
    write_training(run, steps)
    generations = tuple(
        make_generation(
            prompt=QUESTIONS[number % 3],
            base="A dog lived behind the farm. " * (1 + number % 4),
            tuned="We refund a yearly membership for the months not used if you move away.",
        )
        for number in range(12)
    )
    write_json(run.path("evaluation.json"), (record or make_record(generations)).as_json())
    write_data(run)
    write_json(
        run.path("environment.json"),
        {"tunesmith": "0.1.0", "packages": {"torch": "2.13.0", "peft": None}, "cores": 2},
    )
    decisions = {"train.learning_rate": "a small model stands a high rate <really>"}
    run.finish_stage("prepare", {"rows": 415, "decisions": decisions})
    return run


def write_training(run: Run, steps: int) -> None:
    generator = np.random.default_rng(0)
    for step in range(1, steps + 1):
        loss = 1.2 + 4 * math.exp(-step / 60) + 0.15 * float(generator.normal())
        record = StepRecord(
            step=step,
            loss=loss,
            learning_rate=1e-3,
            gradient_norm=1.0,
            tokens=900,
            seconds=0.4,
            trained=3,
            needed=4,
            computed=4,
            padded=6,
        )
        metrics.append(run.path("metrics.jsonl"), record)
    every = max(1, steps // 8)
    for step in range(0, steps + 1, every):
        loss = 1.4 + 4 * math.exp(-step / 60) + 0.000004 * step**2
        run.events.append("evaluated", step=step, held_out_loss=loss, best=False)
    chosen = every * 7
    run.finish_stage(
        "train",
        {
            "steps": steps, "chosen_step": chosen, "reason": "the lowest held-out loss, 1.43",
            "tokens": 900 * steps, "seconds": 0.4 * steps,
        },
    )  # fmt: skip


def write_data(run: Run) -> None:
    run.path("data").mkdir()
    finding = {
        "rule": "duplicate", "severity": "warn", "message": "the same as line 4", "fix": "drop it",
        "file": "tickets.jsonl", "line": 9,
    }  # fmt: skip
    tokens = {"total": 42448, "trained": 19979, "p50": 96, "p95": 152, "max": 166, "truncated": 0}
    write_json(
        run.path("data", "audit.json"),
        {
            "rows": 523, "verdict": "warnings", "counts": {"duplicate": 3}, "findings": [finding],
            "statistics": {"train": 415, "held_out": 108, "tokens": tokens},
        },
    )  # fmt: skip
    source = {
        "path": "/home/somebody/tickets.jsonl", "weight": 1.0, "rows": 523,
        "formats": ["messages"], "files": [{"path": "x", "sha256": "5a78f7ee7f47e418" * 4}],
    }  # fmt: skip
    write_json(run.path("data", "provenance.json"), {"sources": [source], "held_out": []})


def with_hostile_text(text: str) -> EvaluationRecord:
    """The text everywhere where text of data or of people can stand."""
    record = make_record((make_generation(prompt=text, base=text, tuned=text),))
    hostile = replace(record.generations[0], reference=text, place=f"/a/{text}.jsonl:3")
    return replace(
        record,
        generations=(hostile,),
        results=tuple(
            replace(one, slice=text) if one.slice == "code" else one for one in record.results
        ),
        confusion={
            "labels": [text, "b"],
            "base": {"generated": [[1, 0, 0], [0, 1, 0]]},
            "tuned": {"generated": [[1, 0, 0], [0, 1, 0]]},
        },
        settings={**record.settings, "retention": text},
        skipped={"bias": text},
    )
