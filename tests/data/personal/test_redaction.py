"""Placeholders: typed, the same value the same number over a data set, never redacted again."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.data.personal import values
from tests.data.personal.test_find import FOUND, MADE
from tests.data.personal.test_masking import TEXTS
from tunesmith.data.personal import PERSONAL, SECRETS, Redactor


def test_the_same_value_gets_the_same_number_in_every_row() -> None:
    redactor = Redactor()
    assert redactor.redact("a@b.org, c@d.org") == "[EMAIL_1], [EMAIL_2]"
    assert redactor.redact("C@D.org then A@B.ORG") == "[EMAIL_2] then [EMAIL_1]"
    assert redactor.replaced == {"email": 4}
    assert redactor.distinct == {"email": 2}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("call +49 30 901820", "Tel. (030) 901820"),
        ("call +1 415 555 2671", "call (415) 555-2671"),
        ("card 4539 1488 0343 6467", "card 4539148803436467"),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN de89370400440532013000"),
        ("my name is Ada  Byron".replace("  ", " "), "Patient: Ada Byron"),
        ("SSN 212-45-6789", "SSN 212456789"),
    ],
)
def test_ways_of_writing_a_value_are_one(one: str, other: str) -> None:
    redactor = Redactor()
    assert "_1]" in redactor.redact(one)
    assert "_1]" in redactor.redact(other)


@pytest.mark.parametrize("text", [*TEXTS, *(marked for _, marked in FOUND)])
def test_a_second_time_changes_nothing(text: str) -> None:
    redactor = Redactor()
    once = redactor.redact(text.replace("⟦", "").replace("⟧", ""))
    assert "_1]" in once
    assert redactor.redact(once) == once
    assert Redactor().redact(once) == once


@given(some.lists(some.sampled_from(sorted(MADE)), min_size=1, max_size=4), some.integers(0, 10**9))
def test_what_is_redacted_holds_nothing_any_more(templates: list[str], seed: int) -> None:
    chance = random.Random(seed)
    text = "\n".join(template.format(MADE[template][1](chance)) for template in templates)
    redactor = Redactor()
    once = redactor.redact(text)
    assert sum(redactor.replaced.values()) == len(templates)
    assert redactor.redact(once) == once


def test_only_the_kinds_asked_for() -> None:
    text = "a@b.org, 4539 1488 0343 6467"
    assert Redactor(kinds={"card"}).redact(text) == "a@b.org, [CARD_1]"
    assert Redactor(kinds=()).redact(text) == text


def test_it_keeps_digests_and_no_values() -> None:
    redactor = Redactor()
    address = "jane.private@mail.org"
    redactor.redact(address)
    assert "jane" not in repr(vars(redactor))


@given(some.text())
def test_any_text_is_redacted(text: str) -> None:
    assert Redactor().redact(text) == Redactor().redact(text)


def test_every_rule_has_one_place() -> None:
    assert len({*PERSONAL, *SECRETS}) == len(PERSONAL) + len(SECRETS)
    assert values.luhn_sum("79927398713") % 10 == 0
