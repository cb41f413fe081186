"""Gates: what passes, what fails, and what nobody measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tunesmith.contracts import Result
from tunesmith.errors import RecipeError, Refused
from tunesmith.evaluate.gates import check_names, judge_gates, refuse_failed
from tunesmith.recipe import Gate

RESULT = Result(
    task="retention", version=1, metric="bits_per_byte", unit="bits per byte",
    higher_is_better=False, slice="all", n=60, groups=60, base=2.0, tuned=2.1, difference=0.1,
    low=0.05, high=0.15, p_value=0.001,
)  # fmt: skip


def gate(**values: object) -> Gate:
    return Gate.model_validate({"task": "retention", "metric": "bits_per_byte", **values})


@pytest.mark.parametrize(
    ("asked", "value", "passed"),
    [
        (gate(max=2.1), 2.1, True),
        (gate(max=2.0), 2.1, False),
        (gate(min=2.0, max=2.2), 2.1, True),
        (gate(min=2.2), 2.1, False),
        (gate(of="difference", max=0.2), 0.1, True),
        (gate(of="difference", max=0.05), 0.1, False),
        (gate(slice="code", max=9.0), None, False),
    ],
)
def test_a_gate_looks_at_its_figure(asked: Gate, value: float | None, passed: bool) -> None:
    (verdict,) = judge_gates([asked], [RESULT])
    assert (verdict.value, verdict.passed) == (value, passed)


def test_a_difference_that_is_not_known_fails() -> None:
    unknown = replace(RESULT, difference=None)
    (verdict,) = judge_gates([gate(of="difference", max=1.0)], [unknown])
    assert not verdict.passed and "was not measured" in str(verdict)


def test_refusing_names_every_failed_gate_and_no_other() -> None:
    verdicts = judge_gates([gate(max=2.0), gate(max=3.0), gate(slice="code", min=0.0)], [RESULT])
    with pytest.raises(Refused) as refused:
        refuse_failed(verdicts)
    assert refused.value.exit_code == 3
    assert "= 2.1, must be at most 2: failed" in refused.value.what
    assert "[code] was not measured" in refused.value.what
    assert "at most 3" not in refused.value.what
    refuse_failed(judge_gates([gate(max=3.0)], [RESULT]))


@pytest.mark.parametrize(
    ("tasks", "gates", "says"),
    [
        (("retenton",), (), "did you mean retention?"),
        (None, (Gate(task="answer", metric="f1", min=0),), "did you mean answers?"),
        (None, (Gate(task="answers", metric="rouge", min=0),), "did you mean rouge_l?"),
        (("heldout",), (gate(max=1.0),), "add retention to evaluate.tasks"),
    ],
)
def test_names_are_checked_before_anything_is_computed(
    tasks: tuple[str, ...] | None, gates: tuple[Gate, ...], says: str
) -> None:
    with pytest.raises(RecipeError, match="^(?s:.*)" + says.replace("?", r"\?")):
        check_names(tasks, gates)
    check_names(("retention",), (gate(max=1.0),))
    check_names(None, (gate(max=1.0),))
