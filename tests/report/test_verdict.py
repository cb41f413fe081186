"""The sentences: what is said for which figures, and what is not claimed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.evaluate.records import make_record
from tests.report.fake_run import make_run
from tunesmith.contracts import Result
from tunesmith.evaluate.record import EvaluationRecord
from tunesmith.report.facts import read_facts
from tunesmith.report.verdict import Judgement, judge, percent, signed_percent

VerdictOf = Callable[[EvaluationRecord], Judgement]


def changed(record: EvaluationRecord, task: str, **values: float | None) -> EvaluationRecord:
    """The record with figures of a task's whole slices replaced."""

    def change(one: Result) -> Result:
        return replace(one, **values) if (one.task, one.slice) == (task, "all") else one  # type: ignore[arg-type]

    return replace(record, results=tuple(change(one) for one in record.results))


def without(record: EvaluationRecord, *tasks: str) -> EvaluationRecord:
    results = tuple(one for one in record.results if one.task not in tasks)
    return replace(record, results=results, gates=())


@pytest.fixture
def verdict_of(tmp_path: Path) -> VerdictOf:
    def of(record: EvaluationRecord) -> Judgement:
        return judge(read_facts(make_run(tmp_path / "run", steps=3, record=record)))

    return of


def test_answers_lead_where_there_are_no_labels(verdict_of: VerdictOf) -> None:
    said = verdict_of(without(make_record(), "classification"))
    assert said.mood == "good" and said.headline == "The tuned model is better at its task."
    assert said.sentences[0] == (
        "On 83 held-out questions the tuned model's answers match the reference far better: "
        "ROUGE-L 0.050 → 0.710 (+0.660, 95 % interval +0.600 to +0.710)."
    )
    assert "It needs 53 % less information" in said.sentences[1]


def test_answers_that_no_longer_end_spoil_the_verdict(verdict_of: VerdictOf) -> None:
    record = without(make_record(), "classification")
    (scored,) = (one for one in record.results if (one.task, one.metric) == ("answers", "rouge_l"))
    stopped = replace(
        scored, metric="stopped", base=0.92, tuned=0.42, difference=-0.5, low=-0.9, high=-0.1
    )
    others = tuple(
        one for one in record.results if (one.task, one.metric) != ("answers", "stopped")
    )
    said = verdict_of(replace(record, results=(stopped, *others)))
    assert said.mood == "mixed"
    assert said.headline == "The tuned model is better at its task, but fewer of its answers end."
    assert any("92 % → 42 %" in sentence for sentence in said.sentences)


def test_pairs_lead_where_there_are_pairs(verdict_of: VerdictOf) -> None:
    record = without(make_record(), "classification")
    (scored,) = (one for one in record.results if (one.task, one.metric) == ("answers", "rouge_l"))
    pairs = replace(
        scored, task="preferences", metric="reward_accuracy", base=0.5, tuned=0.75,
        difference=0.25, low=0.1, high=0.4,
    )  # fmt: skip
    said = verdict_of(replace(record, results=(pairs, *record.results)))
    assert said.headline == "The tuned model is better at its task."
    assert said.sentences[0] == (
        "On 83 held-out pairs the tuned model tells the chosen answer from the rejected one far "
        "better, where one half is chance: reward accuracy 0.500 → 0.750 (+0.250, 95 % interval "
        "+0.100 to +0.400)."
    )


def test_prediction_leads_where_nothing_was_asked(verdict_of: VerdictOf) -> None:
    said = verdict_of(without(make_record(), "classification", "answers"))
    assert "predicts the text of 83 held-out rows far better" in said.sentences[0]
    assert not any("information" in sentence for sentence in said.sentences)


def test_a_failed_gate_is_the_headline(verdict_of: VerdictOf) -> None:
    said = verdict_of(make_record())
    assert said.mood == "bad" and said.headline == "The run does not meet its conditions."
    assert "retention bits_per_byte difference = 0.11, must be at most 0.05" in said.sentences[-1]


def test_forgetting_much_is_a_mixed_result(verdict_of: VerdictOf) -> None:
    record = without(make_record(), "classification")
    record = changed(record, "retention", tuned=3.2, difference=0.5, low=0.4, high=0.6)
    said = verdict_of(record)
    assert said.mood == "mixed" and said.headline.endswith("and worse at general text.")
    assert any("this is what the tuning cost" in sentence for sentence in said.sentences)


def test_worse_is_called_worse(verdict_of: VerdictOf) -> None:
    record = without(make_record(), "classification")
    said = verdict_of(changed(record, "answers", difference=-0.3, low=-0.4, high=-0.2))
    assert said.mood == "bad" and "far worse" in said.sentences[0]


def test_an_interval_around_nothing_claims_nothing(verdict_of: VerdictOf) -> None:
    record = without(make_record(), "classification")
    record = changed(record, "answers", difference=0.3, low=-0.1, high=0.7)
    record = changed(record, "retention", difference=0.01, low=-0.1, high=0.2)
    record = changed(record, "overfitting", low=-0.1)
    said = verdict_of(record)
    assert said.mood == "mixed" and said.headline.startswith("No clear difference")
    assert "about as well as the base" in said.sentences[0]
    assert any("no sign of forgetting" in sentence for sentence in said.sentences)
    assert any("no sign of memorising" in sentence for sentence in said.sentences)


def test_too_few_rows_are_said_to_be_too_few(verdict_of: VerdictOf) -> None:
    record = without(make_record(), "classification", "retention")
    said = verdict_of(changed(record, "answers", low=None, high=None, p_value=None))
    assert "too few rows to be sure" in said.sentences[0]
    assert said.mood == "unknown"


def test_percentages() -> None:
    assert [percent(x) for x in (0.041, -0.5, 1.5)] == ["4.1 %", "50 %", "150 %"]
    assert [signed_percent(x) for x in (0.041, -0.5, 0.0001)] == ["+4.1 %", "-50 %", "0.0 %"]
