"""Who a text speaks of: terms are found, and words with other meanings are not taken for them."""

from __future__ import annotations

import pytest

from tunesmith.data.bias.lexicon import lexicon
from tunesmith.data.bias.mentions import reading_of, sentences_of, sentiment_of


def groups(text: str) -> set[str]:
    reading = reading_of("", text)
    return {one.term.group for one in reading.mentions} if reading else set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She's late.", {"female"}),
        ("The (male) nurse left.", {"male"}),
        ("They are non-binary.", {"nonbinary"}),
        ("A young black man asked.", {"young", "black", "male"}),
        ("A black cup of tea.", set()),
        ("Periventricular white matter, adult onset.", {"adult"}),
        ("She is black.", {"female", "black"}),
        ("The car is black.", set()),
        ("It was a warm Indian summer.", set()),
        ("An Indian student won.", {"indian"}),
        ("Polish citizens vote.", {"polish"}),
        ("Please polish the people carrier.", set()),
        ("Translate it into French.", set()),
        ("The race began; the patient was patient.", set()),
        ("An old bridge and old men.", {"old", "male"}),
        ("A blind trial of blind patients.", {"blind"}),
        ("Men and women may apply.", set()),
        ("Native American people and American people", {"indigenous", "american"}),
        ("Ms. Bell has MS.", {"female"}),
        ("Mrs Bell and Mr Bell", {"female", "male"}),
        ("Muslims and Christians met at a synagogue.", {"muslim", "christian", "jewish"}),
        ("He uses a wheelchair.", {"male", "wheelchair"}),
        ("Die Frau ist nicht mit dem Mann verwandt.", {"female", "male"}),
        ("Elle est la mère de Paul.", {"female"}),
        ("La mujer y el hombre no llegaron a la casa.", {"female", "male"}),
        ("Mann is a name, and so is Frau.", set()),
        ("", set()),
    ],
)
def test_mentions(text: str, expected: set[str]) -> None:
    assert groups(text) == expected


def test_capital_letters_that_grow_when_small_move_nothing() -> None:
    assert groups("İİİİ she met Polish people") == {"female", "polish"}


def test_a_group_is_alone_where_no_other_of_its_axis_is_mentioned() -> None:
    reading = reading_of("Is she there?", "He is, and he is a Muslim.")
    assert reading is not None
    assert reading.alone() == {"religion": "muslim"}
    assert reading.alone(asked_only=True) == {"gender": "female"}
    assert [one.term.group for one in reading.asked] == ["female"]


def test_sentences_keep_what_is_said_of_whom() -> None:
    reading = reading_of("", "She is a kind nurse. The lawyers met him! It rained.")
    assert reading is not None
    first, second = reading.sentences()
    assert (first.alone, first.described) == ({"gender": "female"}, {"kind", "nurse"})
    assert (second.alone, second.described) == ({"gender": "male"}, {"lawyer"})
    assert first.sentiment == 1
    assert first.trained


def test_a_prompt_is_a_sentence_of_its_own() -> None:
    reading = reading_of("She asks", "the doctor answers him")
    assert reading is not None
    assert [(one.trained, one.described) for one in reading.sentences()] == [
        (False, frozenset()),
        (True, frozenset({"doctor"})),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a kind and honest man", 1.0),
        ("a lazy liar", -1.0),
        ("not a kind man", -1.0),
        ("kind but lazy", 0.0),
        ("a man of forty", 0.0),
    ],
)
def test_sentiment(text: str, expected: float) -> None:
    assert sentiment_of(text.split()) == expected


def test_sentences_as_they_are_written() -> None:
    assert sentences_of("One, two. Three!\nFour 3.5") == ["One, two.", "Three!", "Four 3.5"]


def test_the_files_of_words_hold_together() -> None:
    words = lexicon()
    assert not words.positive & words.negative
    every = [term for known in words.terms.values() for some in known.values() for term in some]
    assert {term.axis for term in every} == set(words.axes)
    for axis, groups_of_axis in words.axes.items():
        assert 3 <= len(groups_of_axis) < 255, axis
    named = [(term.words, term.axis) for some in words.terms[""].values() for term in some]
    assert len(named) == len(set(named))
    assert words.occupations["nurses"] == "nurse"
    assert words.occupations["secretaries"] == "secretary"
