"""Wrong labels and exchanged answers: planted ones are found, clean data is left alone."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest

from tests.data.checks.through import by_rule, through
from tunesmith.data.checks import label_noise

SHARED = Path(__file__).parents[4] / "shared" / "data"
WORDS = {
    "delivery": "parcel courier late arrive van tracking doorstep depot",
    "refund": "money back refund return receipt credit charge twice",
    "login": "password reset screen locked account username code browser",
    "praise": "thanks great lovely helpful kind quick excellent happy",
}
FILLERS = "please could you tell me about the my it is was very and this"


def labelled(rows: int, seed: int = 1) -> list[tuple[str, str]]:
    """Rows of four classes, each with words of its own among those of all."""
    draw = random.Random(seed)
    return [
        (
            " ".join(draw.choices(WORDS[label].split(), k=4) + draw.choices(FILLERS.split(), k=6)),
            label,
        )
        for label in draw.choices(sorted(WORDS), k=rows)
    ]


def with_wrong_labels(
    rows: list[tuple[str, str]], share: float, seed: int = 2
) -> tuple[list[tuple[str, str]], set[int]]:
    """Some rows with another label, and which."""
    draw = random.Random(seed)
    labels = sorted({label for _, label in rows})
    wrong = set(draw.sample(range(len(rows)), int(len(rows) * share)))
    out = list(rows)
    for row in wrong:
        text, right = rows[row]
        out[row] = (text, draw.choice([label for label in labels if label != right]))
    return out, wrong


def with_exchanged_answers(
    rows: list[tuple[str, str]], share: float, seed: int = 3
) -> tuple[list[tuple[str, str]], set[frozenset[int]]]:
    """Some pairs of rows with each other's answer, and which."""
    draw = random.Random(seed)
    chosen = draw.sample(range(len(rows)), int(len(rows) * share) // 2 * 2)
    out = list(rows)
    for first, second in zip(chosen[::2], chosen[1::2], strict=True):
        out[first] = (rows[first][0], rows[second][1])
        out[second] = (rows[second][0], rows[first][1])
    pairs = zip(chosen[::2], chosen[1::2], strict=True)
    return out, {frozenset(pair) for pair in pairs}


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_wrong_labels_are_found(share: float) -> None:
    rows, wrong = with_wrong_labels(labelled(1000), share)
    found, statistics = through("label_noise", rows)
    reported = {one.index for one in found}
    assert len(reported & wrong) >= 0.9 * len(wrong)
    assert len(reported - wrong) <= 10
    assert statistics["wrong_labels_by_estimate"] == pytest.approx(share, abs=0.015)


def test_a_finding_names_both_labels_in_its_excerpt_only() -> None:
    rows, wrong = with_wrong_labels(labelled(1000), 0.02)
    found, _ = through("label_noise", rows)
    one = next(one for one in found if one.index in wrong)
    assert one.index is not None
    given = rows[one.index][1]
    assert one.excerpt.startswith(f"{given} (rows like it: ")
    assert not any(label in one.message for label in WORDS)


def test_right_labels_are_left_alone() -> None:
    found, statistics = through("label_noise", labelled(1000))
    assert len(found) <= 4
    assert statistics["labels_that_fit_best"] > 0.98


def test_labels_that_words_do_not_tell_are_not_judged() -> None:
    draw = random.Random(4)
    rows = [(text, draw.choice("abcde")) for text, _ in labelled(1000)]
    found, statistics = through("label_noise", rows)
    assert found == []
    assert statistics["labels_that_fit_best"] < 0.5


def test_labels_that_are_decided_by_what_words_do_not_say_are_not_judged() -> None:
    draw = random.Random(7)
    rows = [
        (f"{draw.choice(['She', 'He'])} asks for {draw.randrange(900, 9000)}.", "")
        for _ in range(500)
    ]
    chances = {"She": 0.8, "He": 0.3}
    rows = [(text, "no" if draw.random() < chances[text.split()[0]] else "yes") for text, _ in rows]
    assert through("label_noise", rows)[0] == []


def test_a_higher_limit_reports_less() -> None:
    # Without a word of its class a row that is right may look wrong.
    clean = [
        (" ".join(text.split()[2 + row % 3 :]), label)
        for row, (text, label) in enumerate(labelled(1000, seed=5))
    ]
    rows, wrong = with_wrong_labels(clean, 0.05)
    many, few = (
        len(through("label_noise", rows, limits={"label_noise": limit})[0]) for limit in (0.4, 0.95)
    )
    assert many > few > 0.3 * len(wrong)


def test_a_rare_class_is_skipped() -> None:
    rows = [*labelled(500), ("parcel courier late arrive", "once")]
    found, statistics = through("label_noise", rows)
    assert 500 not in {one.index for one in found}
    assert statistics["rows_judged"] == 500


def test_many_rows_are_sampled_by_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_noise, "MOST_JUDGED", 300)
    rows, wrong = with_wrong_labels(labelled(1000), 0.1)
    first, statistics = through("label_noise", rows, seed=1)
    assert statistics["rows_judged"] == 300
    assert first == through("label_noise", rows, seed=1)[0]
    other, _ = through("label_noise", rows, seed=2)
    assert {one.index for one in first} != {one.index for one in other}
    assert len({one.index for one in first} & wrong) >= 15
    # The sample is of all rows, not of the first ones.
    assert max(one.index or 0 for one in first) > 800


def invented(rows: int) -> list[tuple[str, str]]:
    """Questions whose answers say their subject again."""
    draw = random.Random(6)
    names = ["".join(draw.choices("bcdfglmnprstv", k=4)) + "itis" for _ in range(rows)]
    places = [draw.choice(["Ghent", "Turku", "Lagos", "Quito", "Perth"]) for _ in range(rows)]
    return [
        (
            f"What is {name} and how is it treated in {place}?",
            f"In {place} people with {name} are given rest, and most of them recover soon after.",
        )
        for name, place in zip(names, places, strict=True)
    ]


def test_exchanged_answers_are_found() -> None:
    rows, pairs = with_exchanged_answers(invented(300), 0.1)
    found, statistics = through("label_noise", rows)
    told = {frozenset((one.index, one.other)) for one in by_rule(found, "label_noise")}
    assert told == pairs
    assert all(one.rows == 2 for one in found)
    assert statistics == {"exchanged_answers": len(pairs), "shifted_runs": 0}


@pytest.mark.parametrize("offset", [1, -1])
def test_a_column_that_slipped_by_a_row_is_found(offset: int) -> None:
    rows = invented(300)
    answers = [answer for _, answer in rows]
    block = slice(100, 140)
    for row in range(block.start, block.stop):
        rows[row] = (rows[row][0], answers[row - offset])
    (one,) = through("label_noise", rows)[0]
    assert one.index in {99, 100, 101}
    assert one.other in {138, 139, 140}
    assert ("further down" if offset > 0 else "further up") in one.message
    assert 36 <= one.rows <= 40


def test_a_whole_column_that_slipped_is_found() -> None:
    rows = invented(300)
    shifted = [(question, rows[row - 1][1]) for row, (question, _) in enumerate(rows)]
    (one,) = through("label_noise", shifted)[0]
    assert one.rows >= 295


def test_answers_that_fit_are_left_alone() -> None:
    assert through("label_noise", invented(300))[0] == []


def test_nothing_comes_of_nothing() -> None:
    assert through("label_noise", [])[0] == []
    assert through("label_noise", ["plain text"] * 3)[0] == []


def test_wrong_intents_among_real_ones() -> None:
    file = SHARED / "banking77" / "test.csv"
    if not file.exists():
        pytest.skip(f"{file} is absent")
    with file.open(encoding="utf-8") as lines:
        clean = [(row["text"], row["category"]) for row in csv.DictReader(lines)]
    rows, wrong = with_wrong_labels(clean, 0.05)
    reported = {one.index for one in through("label_noise", rows)[0]}
    assert len(reported & wrong) >= 0.85 * len(wrong)
    assert len(reported - wrong) <= 0.05 * (len(rows) - len(wrong))
    assert len(through("label_noise", clean)[0]) <= 0.005 * len(clean)


def test_exchanged_solutions_among_real_ones() -> None:
    file = SHARED / "gsm8k" / "test.jsonl"
    if not file.exists():
        pytest.skip(f"{file} is absent")
    with file.open(encoding="utf-8") as lines:
        clean = [(row["question"], row["answer"]) for row in map(json.loads, lines)]
    rows, pairs = with_exchanged_answers(clean, 0.05)
    told = {frozenset((one.index, one.other)) for one in through("label_noise", rows)[0]}
    assert len(told & pairs) >= 0.85 * len(pairs)
    assert len(told - pairs) <= 1
    assert through("label_noise", clean)[0] == []
