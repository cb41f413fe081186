"""Each evaluation on a model made of arithmetic, against figures worked out by hand."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import pytest
from sklearn.metrics import f1_score

from tests.evaluate.fakes import SFT, FakeSubject, example, examples, material, pair
from tunesmith import plugins
from tunesmith.errors import Place
from tunesmith.evaluate.contracts import Material, Measure, Measurement, Subject, Task
from tunesmith.evaluate.tasks import answers, classification, heldout, overfitting, retention

QUESTIONS = [("open?", "Yes, from 10."), ("fee?", "It is 25 euros."), ("dogs?", "In the basket.")]


def figure(measurement: Measurement, metric: str, part: str = "all") -> float:
    (found,) = [m for m in measurement.measures if (m.metric.name, m.slice) == (metric, part)]
    return value_of(found)


def value_of(measure: Measure) -> float:
    return float(measure.value(measure.statistics_RK.sum(axis=0)))


def labelled(rows: int = 30) -> Material:
    labels = ("card_lost", "refund", "top_up")
    pairs = [(f"question {number}", labels[number % 3]) for number in range(rows)]
    return material(held_out=examples(pairs), train=examples(pairs, first=100))


@pytest.mark.parametrize("name", plugins.names("tasks"))
def test_every_task_declares_what_it_reports(name: str) -> None:
    task = cast(Task, plugins.load("tasks", name))
    assert task.VERSION >= 1
    names = [metric.name for metric in task.METRICS]
    assert len(set(names)) == len(names) > 0
    data = labelled()
    data = Material(
        held_out=(pair("q", "yes", "no"),) if name == "preferences" else data.held_out,
        train=data.train,
        documents=(("stories", "Once.", Place(file="s.txt", line=1)),),
        encoder=data.encoder,
        seed=0,
        method=SFT,
    )
    assert task.missing(data) == ""
    measured = task.measure(cast(Subject, FakeSubject()), data)
    assert {m.metric.name for m in measured.measures} == set(names)
    for one in measured.measures:
        assert len(one.keys) == len(one.groups) == len(one.statistics_RK) > 0
        assert one.metric in task.METRICS


@pytest.mark.parametrize("name", plugins.names("tasks"))
def test_every_task_says_what_it_lacks(name: str) -> None:
    task = cast(Task, plugins.load("tasks", name))
    assert task.missing(material()) != ""


def test_heldout_sums_over_all_tokens() -> None:
    subject = FakeSubject(known=frozenset({"ab"}))
    rows = examples([("q", "ab"), ("q", "äbcdef")])
    measured = heldout.measure(subject, material(held_out=rows))
    nats = 2 * 0.5 + 6 * 2.0
    assert figure(measured, "loss") == pytest.approx(nats / 8)
    assert figure(measured, "perplexity") == pytest.approx(math.exp(nats / 8))
    assert figure(measured, "bits_per_byte") == pytest.approx(nats / math.log(2) / 9)
    assert figure(measured, "token_accuracy") == pytest.approx(2 / 8)


def test_overfitting_is_the_gap_between_two_kinds_of_rows() -> None:
    data = material(held_out=examples([("q", "abc")]), train=examples([("q", "xyz")], first=9))
    measured = overfitting.measure(FakeSubject(known=frozenset({"xyz"})), data)
    assert figure(measured, "gap") == pytest.approx(1.5)
    assert figure(measured, "loss", "train") == pytest.approx(0.5)
    assert figure(measured, "loss", "held_out") == pytest.approx(2.0)
    assert overfitting.missing(material(held_out=data.held_out)) != ""


def test_retention_has_a_slice_for_each_file() -> None:
    documents = (
        ("stories", "Once upon", Place(file="stories.txt", line=1)),
        ("code", "def", Place(file="code.txt", line=1)),
    )
    measured = retention.measure(
        FakeSubject(known=frozenset({"def"})), material(documents=documents)
    )
    assert figure(measured, "bits_per_byte", "code") == pytest.approx(0.5 / math.log(2))
    assert figure(measured, "bits_per_byte", "stories") == pytest.approx(2 / math.log(2))
    whole = (9 * 2.0 + 3 * 0.5) / math.log(2) / 12
    assert figure(measured, "bits_per_byte") == pytest.approx(whole)
    alone = retention.measure(FakeSubject(), material(documents=documents[:1]))
    assert {m.slice for m in alone.measures} == {"all"}


def test_answers_score_one_for_gold_and_zero_for_nothing() -> None:
    data = material(held_out=examples(QUESTIONS))
    gold = answers.measure(FakeSubject(answers=dict(QUESTIONS)), data)
    for metric, best in (("exact_match", 1), ("f1", 1), ("rouge_l", 1), ("chrf", 100)):
        assert figure(gold, metric) == pytest.approx(best)
    assert figure(gold, "stopped") == 1 and figure(gold, "length_error") == 0
    nothing = answers.measure(FakeSubject(), data)
    for metric in ("exact_match", "f1", "rouge_l", "chrf", "stopped"):
        assert figure(nothing, metric) == 0
    assert figure(nothing, "length_error") == 1


def test_answers_measure_only_what_the_budget_allowed() -> None:
    data = material(held_out=examples(QUESTIONS))
    measured = answers.measure(FakeSubject(answers=dict(QUESTIONS), limit=2), data)
    assert {len(one.keys) for one in measured.measures} == {2}


def test_labels_are_few_short_and_repeated() -> None:
    assert classification.labels_of(labelled()) == ("card_lost", "refund", "top_up")
    assert classification.labels_of(material(held_out=examples(QUESTIONS))) == ()
    free = examples([(f"q{n}", f"answer number {n}") for n in range(40)])
    assert classification.labels_of(material(held_out=free)) == ()
    long = examples([(f"q{n}", f"{'very ' * 20}{n % 2}") for n in range(40)])
    assert classification.labels_of(material(held_out=long)) == ()
    one = examples([(f"q{n}", "always the same") for n in range(40)])
    assert classification.labels_of(material(held_out=one)) == ()
    few = examples([(f"q{n}", "ab"[n % 2]) for n in range(6)])
    assert classification.labels_of(material(held_out=few)) == ()


def test_classification_of_generated_and_of_likeliest_labels() -> None:
    data = labelled(30)
    truth = [f"{('card_lost', 'refund', 'top_up')[n % 3]}" for n in range(30)]
    said = [*truth[:12], *["refund"] * 10, *["I do not know"] * 8]
    known = frozenset(f"question {n}=top_up" for n in range(30))
    subject = FakeSubject(
        answers={f"question {n}": f" {text.upper()}.\nThat is all." for n, text in enumerate(said)},
        known=known,
    )
    measured = classification.measure(subject, data)
    assert figure(measured, "accuracy") == pytest.approx(np.mean(np.array(truth) == said))
    expected = f1_score(truth, said, labels=sorted(set(truth)), average="macro", zero_division=0)
    assert figure(measured, "macro_f1") == pytest.approx(expected)
    assert figure(measured, "likeliest_accuracy") == pytest.approx(1 / 3)
    generated = measured.details["generated"]
    assert isinstance(generated, list)
    assert np.array(generated).sum() == 30 and np.array(generated)[:, 3].sum() == 8
    assert np.array(measured.details["likeliest"])[:, 2].tolist() == [10, 10, 10]


def test_many_labels_are_judged_on_fewer_rows() -> None:
    pairs = [(f"q{n}".ljust(40), f"label {n % 100}") for n in range(400)]
    data = material(held_out=examples(pairs[:200]), train=examples(pairs[200:], first=500))
    measured = classification.measure(FakeSubject(), data)
    sizes = {m.metric.name: len(m.keys) for m in measured.measures}
    assert sizes["accuracy"] == 200
    assert sizes["likeliest_accuracy"] == 13  # 100 labels of about 50 tokens, 60,000 tokens


def test_a_group_is_the_row_itself_where_it_has_none() -> None:
    one = example("q", "a", 3)
    assert one.group == ""
    data = material(held_out=(one, example("q", "b", 4)))
    measured = answers.measure(FakeSubject(), data)
    assert {len(set(m.groups)) for m in measured.measures} == {2}
