"""The written content that ships: support conversations and the retention text.

These tests guard the promises of the two READMEs: the held-out questions measure something only if
none of them was trained on, and the retention text only if it is large and does not repeat itself.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

BUNDLED = Path(__file__).resolve().parents[2] / "src" / "tunesmith" / "bundled"
SUPPORT = BUNDLED / "support"
RETENTION = BUNDLED / "retention"
RETENTION_FILES = ("stories", "encyclopedic", "dialogue", "instructions", "code")

Turn = tuple[str, str]


def conversations(name: str) -> list[list[Turn]]:
    """Read one support file as (role, content) turns and fail on any other key."""
    rows: list[list[Turn]] = []
    for line in (SUPPORT / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        assert set(row) == {"messages"}
        assert all(set(message) == {"role", "content"} for message in row["messages"])
        rows.append([(message["role"], message["content"]) for message in row["messages"]])
    return rows


def contents(rows: list[list[Turn]], role: str) -> list[str]:
    """List what one role says, in file order."""
    return [content for turns in rows for turn_role, content in turns if turn_role == role]


def words(text: str) -> tuple[str, ...]:
    """Reduce a text to its words, so that case and punctuation make no difference."""
    return tuple(re.findall(r"[a-z0-9]+", text.lower()))


@pytest.mark.parametrize(("name", "low", "high"), [("train", 350, 420), ("heldout", 80, 120)])
def test_counts(name: str, low: int, high: int) -> None:
    assert low <= len(conversations(name)) <= high


def test_readme_states_the_counts() -> None:
    readme = (SUPPORT / "README.md").read_text(encoding="utf-8")
    for name in ("train", "heldout"):
        rows = conversations(name)
        second_rounds = sum(len(turns) == 5 for turns in rows)
        assert f"| `{name}.jsonl` | {len(rows)} | {second_rounds} |" in readme


def test_a_tenth_of_the_training_conversations_has_a_second_round() -> None:
    rows = conversations("train")
    assert 0.10 <= sum(len(turns) == 5 for turns in rows) / len(rows) <= 0.15


@pytest.mark.parametrize("name", ["train", "heldout"])
def test_roles_stand_in_order_and_nothing_is_empty(name: str) -> None:
    one_round = ("system", "user", "assistant")
    for turns in conversations(name):
        roles = tuple(role for role, _ in turns)
        assert roles in (one_round, (*one_round, "user", "assistant"))
        assert all(content and content == content.strip() for _, content in turns)


def test_one_system_prompt() -> None:
    rows = conversations("train") + conversations("heldout")
    assert len(set(contents(rows, "system"))) == 1


def test_no_question_is_asked_twice() -> None:
    rows = conversations("train") + conversations("heldout")
    questions = [words(question) for question in contents(rows, "user")]
    assert len(set(questions)) == len(questions)


def test_heldout_questions_are_not_edits_of_training_questions() -> None:
    trained = [set(words(question)) for question in contents(conversations("train"), "user")]
    for question in contents(conversations("heldout"), "user"):
        asked = set(words(question))
        assert max(len(asked & other) / len(asked | other) for other in trained) < 0.55, question


def test_every_heldout_answer_is_taught_and_every_topic_is_held_out() -> None:
    taught = contents(conversations("train"), "assistant")
    asked = set(contents(conversations("heldout"), "assistant"))
    assert asked == set(taught)
    assert all(taught.count(answer) >= 5 for answer in asked)


def test_answers_are_short() -> None:
    for answer in contents(conversations("train"), "assistant"):
        assert 14 <= len(answer.split()) <= 40, answer


@pytest.mark.parametrize("name", RETENTION_FILES)
def test_retention_file_has_its_size_and_documents(name: str) -> None:
    raw = (RETENTION / f"{name}.txt").read_bytes()
    assert 7_000 <= len(raw) <= 14_000
    documents = raw.decode("utf-8").split("\n\n---\n\n")
    assert 8 <= len(documents) <= 14
    assert all(len(document) >= 300 for document in documents)
    assert not any(line == "---" for document in documents for line in document.splitlines())


def test_retention_is_large_enough() -> None:
    assert sum((RETENTION / f"{name}.txt").stat().st_size for name in RETENTION_FILES) >= 45_000


def test_retention_does_not_repeat_itself() -> None:
    seen: set[str] = set()
    for name in RETENTION_FILES:
        for line in (RETENTION / f"{name}.txt").read_text(encoding="utf-8").splitlines():
            # Code cannot do without braces, imports and returns; its longer lines must differ.
            exempt = len(line.strip()) < (30 if name == "code" else 1) or line == "---"
            assert exempt or line not in seen, f"{name}.txt: {line}"
            seen.add(line)
