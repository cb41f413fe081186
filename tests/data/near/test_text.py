"""What two spellings of one text share, and what keeps two texts apart."""

from __future__ import annotations

import pytest

from tunesmith.data.near.text import key, normalised, shingles, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("My card hasn't  arrived!", "my card hasnt arrived"),
        ("Caf\u00e9 \u2014 \u201copen\u201d", "CAFE\u0301 open"),
        ("\uff21\uff22\uff23 123", "abc 123"),
        ("don\u2019t", "don't"),
        ("well-known", "well known"),
        ("Stra\u00dfe", "STRASSE"),
    ],
)
def test_spellings_of_one_text(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("3 + 1", "3 - 1"), ("C#", "C"), ("50 %", "50"), ("is -3", "is 3"), ("\U0001f44d", "!")],
)
def test_signs_that_mean_something(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_scripts_without_spaces_have_words() -> None:
    assert words("\u4eca\u65e5\u306f") == ["\u4eca", "\u65e5", "\u306f"]
    assert words("caf\u00e9 \u4eca\u65e5 x1") == ["caf\u00e9", "\u4eca", "\u65e5", "x1"]


def test_the_plain_way_and_the_full_way_agree() -> None:
    text = "It's 3-1, C# _and_ covid-19: $5 <b> 10% ~x|y^2 -4 a-1 2-3"
    assert words(text) == words(text + " \u2014")


def test_shingles_are_words_and_pairs() -> None:
    assert shingles(["a", "b", "a"]) == {"a", "b", "a b", "b a"}
    assert shingles([]) == set()


def test_a_key_is_the_same_in_every_process() -> None:
    assert key("a b") == 0xBB37DEA5C027F928
    assert key("a b") != key("a c")
