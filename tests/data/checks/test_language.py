"""Rows in another language are told from code, names, numbers and what was asked for."""

from __future__ import annotations

import pytest

from tests.data.checks.looked_at import asked, found_in, looked_at, rules_in
from tests.data.sentences import SENTENCES
from tunesmith.contracts import Json, JsonObject
from tunesmith.data.audit.contracts import Ground
from tunesmith.data.checks.language import begin

_PLACES = ["mill", "shop", "town hall", "bakery", "museum", "library", "school", "station"]
_ENGLISH = [
    asked(f"When does the {place} number {n} open?", f"The {place} opens at {n} in the morning.")
    for n in range(1, 7)
    for place in _PLACES
]


def _planted(row: JsonObject) -> list[str]:
    rows = [*_ENGLISH[:20], row, *_ENGLISH[20:]]
    found = found_in("language", rows)
    assert all(one.index == 20 for one in found)
    return [one.message for one in found]


@pytest.mark.parametrize("language", SENTENCES)
def test_an_answer_in_another_language(language: str) -> None:
    for answer in SENTENCES[language]:
        (message,) = _planted(asked("When does the shop open?", answer))
        assert message == f"the answer is in another language ({language}) than the data (en)"


def test_a_prompt_in_another_language_and_a_whole_row() -> None:
    german = SENTENCES["de"][1]
    (message,) = _planted(asked(german, "It opens at ten in the morning."))
    assert message.startswith("the prompt")
    (message,) = _planted(asked("Wann ist der Laden am Montag offen?", german))
    assert message.startswith("the row")


def test_one_answer_of_a_long_conversation() -> None:
    turns: list[Json] = []
    for n in range(6):
        said = SENTENCES["fr"][0] if n == 3 else f"It opens at {n} in the morning."
        turns.append({"role": "user", "content": f"When does the shop number {n} open?"})
        turns.append({"role": "assistant", "content": said})
    clean: JsonObject = {"messages": [*turns[:6], *turns[8:]]}
    (one,) = found_in("language", [*[clean] * 20, {"messages": turns}])
    assert (one.index, one.excerpt) == (20, SENTENCES["fr"][0])


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Translate into German: The shop is open.", "Der Laden ist von zehn bis fünf offen."),
        ("How do you say “the shop is open” in French?", "Le magasin est ouvert, il est là."),
        ("Answer the next question in Spanish. Is it open?", "Sí, la tienda está abierta ya."),
        ("Which language is this: Ja, der Laden ist offen?", "Das ist die deutsche Sprache."),
        ("Who plays in the team?", "José García, María de la Cruz, Juan del Río, Ana de los Ríos"),
        ("Write a loop.", "for i in range(10):\n    total += i\n    print(total, i, end='')"),
        ("What is 3 * (4 + 5)?", "3 * (4 + 5) = 3 * 9 = 27"),
        (
            "Which cities are large?",
            "Dhaka, Khulna, Chittagong, Sylhet, Rajshahi, Barisal, Bogra, X",
        ),
        (
            "Which drugs?",
            "aspirin, ibuprofen, naproxen, acetaminophen, codeine, morphine, tramadol",
        ),
        ("What does it mean?", "“C’est la vie” is said when something cannot be changed."),
        ("Is it open?", "Ja."),
        ("Call it.", '{"name": "weather", "arguments": {"stadt": "Gent", "tag": "heute"}}'),
    ],
)
def test_rows_that_are_no_mistake(question: str, answer: str) -> None:
    assert _planted(asked(question, answer)) == []


def test_a_language_that_many_rows_are_in_is_the_datas_own() -> None:
    german = [asked(f"Wann macht die Mühle {n} auf?", "Sie ist am Morgen offen.") for n in range(9)]
    assert rules_in("language", [*_ENGLISH, *german]) == []
    few = Ground(limits={"other_language": 0.5})
    assert len(found_in("language", [*_ENGLISH, *german], few)) == 9


def test_data_of_many_languages_is_left_alone() -> None:
    rows = [asked("Is it open?", text) for texts in SENTENCES.values() for text in texts]
    assert rules_in("language", rows) == []


@pytest.mark.parametrize("language", ["de", "ru", "zh", "sw", "eu"])
def test_the_datas_own_language_may_be_any(language: str) -> None:
    text = SENTENCES[language][-1]
    rows = [asked(f"{text} ({n})", f"{n}: {text}") for n in range(30)]
    assert rules_in("language", rows) == []
    english = asked("When does the shop open?", "It opens at ten in the morning, as it always did.")
    assert rules_in("language", [*rows, english]) == ["other_language"]


def test_statistics_name_the_languages() -> None:
    ground = Ground(limits={"other_language": 0.1})
    assert begin(ground).statistics() == {}
    looker = begin(ground)
    german = asked("Ist der Laden am Montag offen?", SENTENCES["de"][1])
    looked_at([*_ENGLISH, german], looker)
    assert looker.statistics() == {"languages": {"en": 0.9796}, "classified": 1}
