"""Check digits: what fits passes, and one wrong digit or two swapped do not."""

from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.data.personal import values
from tunesmith.data.personal import check_rules
from tunesmith.data.personal.banking import is_card, is_iban
from tunesmith.data.personal.check_digits import (
    dihedral,
    is_luhn,
    is_mod_11_10,
    is_verhoeff,
    remainder_97,
)

SEEDS = some.integers(0, 10**9).map(random.Random)
RULES = {
    "cpf": check_rules.is_cpf,
    "nhs": check_rules.is_nhs,
    "steuer_id": check_rules.is_steuer_id,
    "dni": check_rules.is_dni,
    "nir": check_rules.is_nir,
    "bsn": check_rules.is_bsn,
    "pesel": check_rules.is_pesel,
    "tfn": check_rules.is_tfn,
    "chinese": check_rules.is_chinese,
    "aadhaar": is_verhoeff,
    "card": is_card,
    "iban": is_iban,
    "ssn": check_rules.is_ssn,
    "sin": is_luhn,
}
FINDS_EVERY_WRONG_DIGIT = sorted(RULES.keys() - {"ssn", "pesel", "bsn", "tfn", "chinese"})


def compact(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum())


@pytest.mark.parametrize("name", sorted(RULES))
@given(chance=SEEDS)
def test_what_is_made_by_the_rule_passes(name: str, chance: random.Random) -> None:
    assert RULES[name](compact(getattr(values, name)(chance)))


@pytest.mark.parametrize("name", FINDS_EVERY_WRONG_DIGIT)
@given(chance=SEEDS)
def test_one_wrong_digit_is_noticed(name: str, chance: random.Random) -> None:
    value = compact(getattr(values, name)(chance))
    place = chance.choice([at for at, sign in enumerate(value) if sign.isdigit()])
    other = chance.choice([digit for digit in "0123456789" if digit != value[place]])
    assert not RULES[name](value[:place] + other + value[place + 1 :])


@given(chance=SEEDS)
def test_verhoeff_and_mod_97_notice_swapped_neighbours(chance: random.Random) -> None:
    for name in ("aadhaar", "iban"):
        value = compact(getattr(values, name)(chance))
        place = chance.choice(range(4, len(value) - 1))
        if value[place] != value[place + 1]:
            swapped = value[:place] + value[place + 1] + value[place] + value[place + 2 :]
            assert not RULES[name](swapped)


def test_the_dihedral_group_is_one() -> None:
    every = range(10)
    assert all(sorted(dihedral(left, right) for right in every) == list(every) for left in every)
    assert all(dihedral(a, b) == values.D5[a][b] for a in every for b in every)


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (check_rules.is_german_pension, "15070649C103"),
        (check_rules.is_nir, "184127645108946"),
        (check_rules.is_codice_fiscale, "RSSMRA85T10A562S"),
        (check_rules.is_belgian, "85073003328"),
        (check_rules.is_portuguese, "123456789"),
        (check_rules.is_swiss, "7569217076985"),
        (check_rules.is_finnish, "131052-308T".replace("-", "")),
        (check_rules.is_nric, "S1234567D"),
        (check_rules.is_medicare, "2123456701"),
        (is_mod_11_10, "86095742719"),
    ],
)
def test_published_examples(rule: object, value: str) -> None:
    assert callable(rule)
    assert rule(value)
    wrong = value[:-2] + str((int(value[-2]) + 1) % 10) + value[-1]
    assert not rule(wrong)


@given(some.text("0123456789", min_size=1, max_size=30))
def test_mod_97_is_the_number_itself(text: str) -> None:
    assert remainder_97(text) == int(text) % 97


@given(some.integers(1, 9999), some.integers(-2, 15), some.integers(-2, 35))
def test_a_date_is_one_of_the_calendar(year: int, month: int, day: int) -> None:
    try:
        date(year, month, day)
        known = True
    except ValueError:
        known = False
    assert check_rules.is_date(year, month, day) is known
