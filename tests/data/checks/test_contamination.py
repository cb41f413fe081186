"""Rows that hold texts of a benchmark, changed a little or not, and rows that do not."""

from __future__ import annotations

import random

import pytest

from tests.data.checks.sides import between, compared_texts
from tests.data.checks.test_duplicates import ROWS
from tunesmith.data.audit.contracts import Found
from tunesmith.data.near.passages import passages

FIRST = len(ROWS)
QUESTIONS = [
    f"A baker in town {n} sells {n} loaves in the morning, twice as many before noon, and then "
    f"gives {n + 3} of what is left to the school behind the mill. How many loaves does she "
    f"sell by noon on day {n} if nobody from village {n * 7} comes to buy from her in the rain?"
    for n in range(40, 60)
]
ANSWER = "She sells the loaves."
EXAM = compared_texts([f"{question}\n{ANSWER}" for question in QUESTIONS])


def found(
    rows: list[tuple[str, str]], held_out: list[tuple[str, str]] | None = None
) -> list[Found]:
    return between("contamination", [*ROWS, *rows], held_out or [], compared=EXAM)[0]


def edited(text: str, share: float) -> str:
    draw = random.Random(3)
    return " ".join("thing" if draw.random() < share else word for word in text.split())


@pytest.mark.parametrize(
    "row",
    [
        (QUESTIONS[4], ANSWER),
        (QUESTIONS[4].upper().replace(",", " -"), "No idea."),
        ("Solve this for me: " + edited(QUESTIONS[4], 0.06) + " Thanks!", "No idea."),
        ("Write an exercise.", "Here is one. " + QUESTIONS[4]),
    ],
)
def test_a_text_of_the_benchmark_is_found(row: tuple[str, str]) -> None:
    (one,) = found([row])
    assert (one.rule, one.index) == ("contamination", FIRST)
    assert one.elsewhere is not None
    assert one.elsewhere.line == 5
    assert "a text of exam" in one.message
    assert "village" in one.excerpt or "morning" in one.excerpt


def test_a_text_that_only_begins_alike_is_not() -> None:
    row = ("A baker in town 44 sells 44 loaves. What is the name of her dog?", "Rex.")
    assert found([row]) == []


def test_rows_that_are_not_trained_on_are_not() -> None:
    assert found([], held_out=[(QUESTIONS[4], ANSWER)]) == []


def test_a_short_question_must_be_the_whole_question() -> None:
    exam = compared_texts(["Where is my new card?"])
    rows = [
        *ROWS,
        ("where is my new card", "x"),
        ("Tell me, where is my new card?", "x"),
        ("y", "z"),
    ]
    told, _ = between("contamination", rows, compared=exam)
    assert [one.index for one in told] == [FIRST]


def test_frames_and_common_phrases_say_nothing() -> None:
    frame = "Choose the best of the four answers below and write down its letter and nothing more."
    exam = compared_texts([f"{frame}\nItem {n}" for n in range(3)])
    assert between("contamination", [(frame, "A")], compared=exam)[0] == []
    once = compared_texts([frame])
    rows = [(f"{frame} {' '.join(ROWS[n])}", "A") for n in range(11)]
    assert len(between("contamination", rows[:10], compared=once)[0]) == 10
    told, counted = between("contamination", rows, compared=once)
    assert told == []
    assert counted["rows_with_common_phrases"] == 11


def test_a_dialogue_is_found_by_its_turns_together() -> None:
    turns = [f"{ROWS[n][0]} {ROWS[n][1]}" for n in range(10)]
    exam = compared_texts(["\n".join(turns)])
    row = ("\n".join(turns[:5]), "Nothing of it.")
    assert [one.index for one in between("contamination", [row], compared=exam)[0]] == [0]
    single = (turns[0], "Nothing of it.")
    assert between("contamination", [single], compared=exam)[0] == []


def test_nothing_to_compare_with() -> None:
    assert between("contamination", ROWS) == ([], {})


def test_short_passages_need_more_than_long_ones() -> None:
    (short,) = passages("one two three four five six seven eight nine ten")
    (long,) = passages(" ".join(f"w{n}" for n in range(60)))
    assert short.needed(0.5) == 1
    assert long.needed(0.5) == 0.5
