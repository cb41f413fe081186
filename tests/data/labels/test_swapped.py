"""Exchanged answers are found by rare words, each row in one pair, with bounded candidates."""

from __future__ import annotations

import pytest

from tunesmith.data.labels import swapped
from tunesmith.data.labels.swapped import ExchangeSearch, Misplaced

NAMES = ["scurvy", "gout", "rickets", "mumps", "asthma", "anemia", "cholera", "measles"]


def searched(answers: list[str]) -> tuple[ExchangeSearch, list[str]]:
    search = ExchangeSearch()
    for index, (name, answer) in enumerate(zip(NAMES, answers, strict=True)):
        search.add(10 * index, f"What is {name}, and who has {name}?", answer)
    return search, answers


def test_a_pair_is_found_by_both_rows() -> None:
    answers = [f"({name.capitalize()}) is an illness." for name in NAMES]
    answers[2], answers[5] = answers[5], answers[2]
    search, said = searched(answers)
    found = search.misplaced(lambda index: said[index // 10], 0.5)
    (pair,) = found.exchanged
    assert found.shifted == ()
    assert (pair.first, pair.second) == (20, 50)
    assert 0.5 < pair.gain <= 2


def test_a_ring_of_three_is_no_pair() -> None:
    answers = [f"{name} is an illness." for name in NAMES]
    answers[1], answers[2], answers[3] = answers[2], answers[3], answers[1]
    search, said = searched(answers)
    assert search.misplaced(lambda index: said[index // 10], 0.5) == Misplaced()


def test_few_rows_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swapped, "MOST_CANDIDATES", 3)
    search, said = searched(["No word of it at all." for _ in NAMES])
    read: list[int] = []

    def answer_of(index: int) -> str:
        read.append(index)
        return said[index // 10]

    assert search.misplaced(answer_of, 0.5) == Misplaced()
    assert read == [0, 10, 20]
