"""Data that looks like classification is told from data that does not, in bounded memory."""

from __future__ import annotations

import pytest

from tests.data.checks.through import asked
from tunesmith.contracts import Conversation, Example, Message
from tunesmith.data.audit.contracts import AuditRow
from tunesmith.data.audit.rows import as_row
from tunesmith.data.labels.tally import MOST_CLASSES, LabelTally, label_of
from tunesmith.errors import Place


def row(question: str, answer: str) -> AuditRow:
    return shown(asked(question, answer))


def shown(content: Conversation) -> AuditRow:
    return as_row(0, 0, Example(content=content, place=Place(file="x", line=1), digest=""))


def tallied(answers: list[str]) -> LabelTally:
    tally = LabelTally()
    for answer in answers:
        tally.add(row("Which?", answer))
    return tally


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        (" spam\n", "spam"),
        ("very bad", "very bad"),
        ("two\nlines", None),
        ("a b c d e f g h i", None),
        ("x" * 61, None),
        ("   ", None),
    ],
)
def test_a_label_is_short(answer: str, label: str | None) -> None:
    assert label_of(row("Which?", answer)) == label


def test_a_conversation_of_several_answers_has_no_label() -> None:
    user, assistant = (
        Message(role="user", content="Which?"),
        Message(role="assistant", content="spam"),
    )
    content = Conversation(messages=(user, assistant, user, assistant))
    assert label_of(shown(content)) is None


def test_classes_come_with_their_rows() -> None:
    tally = tallied(["spam"] * 30 + ["fair"] * 60 + ["odd"])
    assert tally.classes() == {"fair": 60, "spam": 30, "odd": 1}


@pytest.mark.parametrize(
    "answers",
    [
        ["spam", "fair"] * 20,
        ["spam"] * 100,
        [str(number) for number in range(1000)],
        ["spam", "fair"] * 50 + ["No label, but a sentence that goes on and on and on."] * 30,
        [str(number) for number in range(MOST_CLASSES + 1)] * 6,
    ],
    ids=["few rows", "one class", "all different", "text among them", "too many"],
)
def test_what_is_no_classification(answers: list[str]) -> None:
    assert tallied(answers).classes() is None


def test_frequent_labels_survive_a_flood_of_others() -> None:
    answers = [answer for number in range(20_000) for answer in ("spam", "fair", f"id {number}")]
    tally = tallied(answers)
    assert len(tally._counts) <= 4 * MOST_CLASSES
    assert {"spam", "fair"} <= set(tally._counts)
