"""evaluation.json: what was measured, with intervals, as every later stage reads it.

{"format": 1,
"settings": {"rows": 83, "answered": 83, "decoding": "greedy", "max_new_tokens": 128, ...},
"results": [{"task": "answers", "metric": "rouge_l", "base": 0.05, "tuned": 0.71, ...}],
"intervals": [{"task": "answers", "metric": "rouge_l", "slice": "all",
"base": [0.04, 0.06], "tuned": [0.66, 0.76]}],
"gates": [{"gate": {...}, "value": 0.71, "passed": true, "reason": "answers f1 ..."}],
"generations": [{"prompt": "...", "reference": "...", "base": "...", "tuned": "...",
"scores": {"rouge_l": {"base": 0.1, "tuned": 1.0}}, "place": "t.jsonl:3"}],
"confusion": null, "details": {}, "skipped": {"classification": "..."}, "seconds": 41.0}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tunesmith.contracts import Json, JsonObject, Result
from tunesmith.errors import Place, RunError
from tunesmith.evaluate.gates import Verdict
from tunesmith.recipe import Gate
from tunesmith.runs.documents import read_json

FORMAT = 1
FILE = "evaluation.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The 95 % intervals of the base's and the tuned model's own figures."""

    task: str
    metric: str
    slice: str
    base: tuple[float, float] | None
    tuned: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairOfScores:
    """A row's own figure under base and tuned; None where it is not defined."""

    base: float | None
    tuned: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A held-out question with its three answers."""

    prompt: str
    reference: str
    base: str | None
    tuned: str
    scores: dict[str, PairOfScores]
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRecord:
    """The content of evaluation.json."""

    format: int
    settings: JsonObject
    results: tuple[Result, ...]
    intervals: tuple[Interval, ...]
    gates: tuple[Verdict, ...]
    generations: tuple[Generation, ...]
    confusion: JsonObject | None
    """`labels`, and for `base` and `tuned` the matrices `generated` and `likeliest`."""
    details: JsonObject
    """By task: what base and tuned showed that is no single figure."""
    skipped: dict[str, str]
    """Tasks that did not run, and why."""
    seconds: float

    def as_json(self) -> JsonObject:
        """Plain data for evaluation.json."""
        document = asdict(self)
        document["gates"] = [
            {
                "gate": verdict.gate.model_dump(mode="json"),
                "value": verdict.value,
                "passed": verdict.passed,
                "reason": str(verdict),
            }
            for verdict in self.gates
        ]
        return document


def find(results: Sequence[Result], task: str, metric: str, part: str = "all") -> Result | None:
    """The result of that name, or None."""
    wanted = (task, metric, part)
    return next((r for r in results if (r.task, r.metric, r.slice) == wanted), None)


def read_record(path: Path) -> EvaluationRecord:
    """The evaluation.json at `path`.

    Raises:
        RunError: it is absent, damaged, or of another format.
    """
    document = read_json(path)
    try:
        return _record(document)
    except (ValidationError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"this is no evaluation of ours: {str(error).splitlines()[0]}",
            hint="measure again with: tunesmith eval RUN",
            place=Place(file=path),
        ) from None


def _record(document: Json) -> EvaluationRecord:
    content = _object(document)
    if content.get("format") != FORMAT:
        raise ValueError(f"its format is {content.get('format')}, not {FORMAT}")
    skipped, seconds, confusion = content["skipped"], content["seconds"], content["confusion"]
    return EvaluationRecord(
        format=FORMAT,
        settings=_object(content["settings"]),
        results=_RESULTS.validate_python(content["results"]),
        intervals=_INTERVALS.validate_python(content["intervals"]),
        gates=tuple(_verdict(_object(entry)) for entry in _list(content["gates"])),
        generations=_GENERATIONS.validate_python(content["generations"]),
        confusion=None if confusion is None else _object(confusion),
        details=_object(content["details"]),
        skipped={name: str(why) for name, why in _object(skipped).items()},
        seconds=_number(seconds),
    )


def _verdict(entry: JsonObject) -> Verdict:
    value = entry["value"]
    return Verdict(
        gate=Gate.model_validate(entry["gate"]),
        value=None if value is None else _number(value),
        passed=entry["passed"] is True,
    )


def _object(value: Json) -> JsonObject:
    if not isinstance(value, dict):
        raise ValueError("an object is missing")
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise ValueError("a list is missing")
    return value


def _number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number is missing")
    return float(value)


_RESULTS = TypeAdapter(tuple[Result, ...])
_INTERVALS = TypeAdapter(tuple[Interval, ...])
_GENERATIONS = TypeAdapter(tuple[Generation, ...])
