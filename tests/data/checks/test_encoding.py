"""Broken text in rows, each kind under its rule, and real rows that stay clean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.data.checks.looked_at import asked, found_in, rules_in
from tests.data.misread import EASILY_MISTAKEN, SOUND, WAYS
from tunesmith.data.audit.contracts import Ground
from tunesmith.data.checks.encoding import begin

_SHARED = Path(__file__).parents[4] / "shared" / "data"


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        ("The cafÃ© is open.", "mojibake"),
        ("It\x92s open.", "mojibake"),
        ("It\ufffds open.", "replacement_character"),
        ("It is\x07 open.", "control_character"),
        ("It is op\u200ben.", "invisible_character"),
        ("<p>It is open.</p>", "markup"),
        ("It is open.\\nCome in.", "markup"),
    ],
)
def test_each_fault_has_its_rule(answer: str, rule: str) -> None:
    for row in (asked("Is it open?", answer), asked(answer, "It is open.")):
        (one,) = found_in("encoding", [row])
        assert (one.rule, one.index) == (rule, 0)
        assert one.excerpt
        assert one.excerpt in f"{row['question']}\n{row['answer']}"


@pytest.mark.parametrize("text", SOUND + EASILY_MISTAKEN)
def test_sound_text_is_clean(text: str) -> None:
    assert rules_in("encoding", [asked("What does it say?", text)]) == []


@pytest.mark.parametrize("text", SOUND)
def test_misread_text_is_mojibake_and_nothing_else(text: str) -> None:
    for way in WAYS:
        assert rules_in("encoding", [asked("What does it say?", way(text))]) == ["mojibake"]


def test_a_row_may_break_several_rules() -> None:
    row = asked("What is a cafÃ©?", "<p>A place.</p>\x00")
    assert rules_in("encoding", [row]) == ["mojibake", "control_character", "markup"]


def test_nul_blocks() -> None:
    found = found_in("encoding", [asked("Is it open?", "It\0 is open.")])
    assert [(one.rule, one.severity) for one in found] == [("control_character", "block")]


def test_rows_about_markup_hold_it() -> None:
    assert rules_in("encoding", [asked("Write a paragraph in HTML.", "<p>Hello</p>")]) == []
    assert rules_in("encoding", [asked("Solve it.", "As 3 < 5 and 7 > 5, x<y.")]) == []


def test_kinds_of_markup_are_counted() -> None:
    assert begin(Ground(limits={})).statistics() == {}


def test_real_rows_are_clean() -> None:
    file = _SHARED / "gsm8k" / "test.jsonl"
    if not file.exists():
        pytest.skip(f"{file} is absent")
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert len(found_in("encoding", rows)) <= 1
