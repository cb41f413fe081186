"""A record of an evaluation with every part in it."""

from __future__ import annotations

from tunesmith.contracts import Result
from tunesmith.evaluate.gates import judge_gates
from tunesmith.evaluate.record import EvaluationRecord, Generation, Interval, PairOfScores
from tunesmith.recipe import Gate

# task, metric, unit, higher is better, slice, base, tuned, low, high
_FIGURES: tuple[tuple[str, str, str, bool, str, float, float, float, float], ...] = (
    ("answers", "chrf", "0 to 100", True, "all", 9.3, 61.2, 47.1, 56.8),
    ("answers", "exact_match", "share of answers", True, "all", 0.0, 0.41, 0.31, 0.5),
    ("answers", "rouge_l", "0 to 1", True, "all", 0.05, 0.71, 0.6, 0.71),
    ("answers", "stopped", "share of answers", True, "all", 0.98, 1.0, 0.0, 0.05),
    ("answers", "length_error", "share of length", False, "all", 0.73, 0.14, -0.64, -0.54),
    ("classification", "accuracy", "share of rows", True, "all", 0.33, 0.81, 0.3, 0.66),
    ("heldout", "loss", "nats per token", False, "all", 5.62, 2.65, -3.09, -2.85),
    ("heldout", "perplexity", "per token", False, "all", 276.2, 14.17, -300.0, -230.0),
    ("heldout", "bits_per_byte", "bits per byte", False, "all", 2.545, 1.2, -1.41, -1.27),
    ("overfitting", "gap", "nats per token", False, "all", -0.079, 0.293, 0.142, 0.577),
    ("overfitting", "loss", "nats per token", False, "train", 5.7, 2.36, -3.4, -3.1),
    ("overfitting", "loss", "nats per token", False, "held_out", 5.62, 2.65, -3.09, -2.85),
    ("retention", "bits_per_byte", "bits per byte", False, "all", 2.7, 2.81, 0.09, 0.13),
    ("retention", "bits_per_byte", "bits per byte", False, "code", 5.25, 5.41, 0.12, 0.19),
    ("retention", "bits_per_byte", "bits per byte", False, "stories", 1.66, 1.65, -0.03, 0.01),
)


def make_results() -> tuple[Result, ...]:
    return tuple(
        Result(
            task=task, version=1, metric=metric, unit=unit, higher_is_better=higher, slice=part,
            n=83, groups=80, base=base, tuned=tuned, difference=tuned - base, low=low, high=high,
            p_value=0.001 if low * high > 0 else 0.4,
        )
        for task, metric, unit, higher, part, base, tuned, low, high in _FIGURES
    )  # fmt: skip


def make_record(generations: tuple[Generation, ...] = ()) -> EvaluationRecord:
    results = make_results()
    gates = (
        Gate(task="retention", metric="bits_per_byte", of="difference", max=0.05),
        Gate(task="answers", metric="rouge_l", min=0.5),
    )
    return EvaluationRecord(
        format=1,
        settings={"rows": 83, "answered": 83, "decoding": "greedy", "resamples": 2000},
        results=results,
        intervals=tuple(
            Interval(
                task=result.task,
                metric=result.metric,
                slice=result.slice,
                base=(result.base * 0.95, result.base * 1.05) if result.base else None,
                tuned=(result.tuned * 0.95, result.tuned * 1.05),
            )
            for result in results
        ),
        gates=judge_gates(gates, results),
        generations=generations or (make_generation(),),
        confusion={
            "labels": ["lost", "refund"],
            "base": {"generated": [[1, 2, 7], [0, 1, 9]], "likeliest": [[6, 4, 0], [5, 5, 0]]},
            "tuned": {"generated": [[9, 1, 0], [2, 8, 0]], "likeliest": [[9, 1, 0], [1, 9, 0]]},
        },
        details={"answers": {"base": {"median_tokens": 40.0}, "tuned": {"median_tokens": 21.0}}},
        skipped={"bias": "not in this release"},
        seconds=41.5,
    )


def make_generation(
    prompt: str = "How do I get a refund?", base: str | None = "A dog.", tuned: str = "Write to us."
) -> Generation:
    return Generation(
        prompt=prompt,
        reference="Write to help@ottermere.example.",
        base=base,
        tuned=tuned,
        scores={"rouge_l": PairOfScores(base=0.0, tuned=0.667)},
        place="/home/somebody/tickets.jsonl:3",
    )
