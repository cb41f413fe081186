"""Numbers that the bench makes, checked by formulas written another way."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import phonenumbers
import pytest
from benchmarks.audit.dice import Dice
from benchmarks.audit.people import COUNTRIES

from benchmarks.audit import digits, people

Holds = Callable[[str], bool]
NINO = r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]"
_FIVE = ("0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
         "5987604321", "6598710432", "7659821043", "8765932104", "9876543210")  # fmt: skip
_TURNS = ("0123456789", "1576283094", "5803796142", "8916043527", "9453126870",
          "4286573901", "2793806415", "7046913258")  # fmt: skip


@pytest.fixture
def dice() -> Dice:
    return Dice("tune", 3, "test")


def luhn_holds(number: str) -> bool:
    doubled = "0246813579"
    ones = number[::-1]
    return (
        sum(int(one) for one in ones[::2] + "".join(doubled[int(c)] for c in ones[1::2])) % 10 == 0
    )


def iban_holds(text: str) -> bool:
    turned = text[4:] + text[:4]
    left = 0
    for character in turned:
        for digit in str("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(character)):
            left = (left * 10 + int(digit)) % 97
    return left == 1


def verhoeff_holds(number: str) -> bool:
    state = 0
    for place, digit in enumerate(number[::-1]):
        state = int(_FIVE[state][int(_TURNS[place % 8][int(digit)])])
    return state == 0


def steuer_holds(number: str) -> bool:
    rest = 10
    for digit in number[:-1]:
        rest = (rest + int(digit)) % 10
        rest = (rest if rest else 10) * 2 % 11
    return (rest + int(number[-1])) % 10 == 1


def nhs_holds(number: str) -> bool:
    return (
        sum(int(one) * weight for one, weight in zip(number, range(10, 0, -1), strict=True)) % 11
        == 0
    )


def bsn_holds(number: str) -> bool:
    total = sum(int(one) * (9 - place) for place, one in enumerate(number[:8]))
    return total % 11 == int(number[8])


def nir_holds(number: str) -> bool:
    return (int(number[:13]) + int(number[13:])) % 97 == 0


def dni_holds(number: str) -> bool:
    value = (
        number.replace("X", "0").replace("Y", "1").replace("Z", "2")
        if number[0] in "XYZ"
        else number
    )
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(value[:-1]) % 23] == number[-1]


def fiscal_holds(number: str) -> bool:
    odd = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                   [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18,
                    20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23], strict=True))  # fmt: skip
    total = sum(odd[one] for one in number[:15:2])
    total += sum(int(one) if one.isdigit() else ord(one) - 65 for one in number[1:15:2])
    return chr(65 + total % 26) == number[15]


KNOWN = [
    (luhn_holds, "79927398713"), (iban_holds, "GB82WEST12345698765432"), (verhoeff_holds, "2363"),
    (steuer_holds, "86095742719"), (nhs_holds, "9434765919"), (bsn_holds, "111222333"),
    (nir_holds, "255081416802538"), (dni_holds, "12345678Z"), (dni_holds, "X1234567L"),
    (fiscal_holds, "RSSMRA85T10A562S"),
]  # fmt: skip
MADE = [
    (digits.card, luhn_holds), (digits.aadhaar, verhoeff_holds), (digits.tax_de, steuer_holds),
    (digits.nhs, nhs_holds), (digits.bsn, bsn_holds), (digits.nir, nir_holds),
    (digits.dni, dni_holds), (digits.nie, dni_holds), (digits.codice_fiscale, fiscal_holds),
    *((partial(digits.iban, country=name), iban_holds) for name in
      ("DE", "GB", "FR", "ES", "IT", "NL")),
]  # fmt: skip


@pytest.mark.parametrize(("holds", "number"), KNOWN)
def test_the_other_formula_knows_published_numbers(holds: Holds, number: str) -> None:
    assert holds(number)
    last = (
        "A" if number[-1] != "A" and number[-1].isalpha() else str((int(number[-1], 36) + 1) % 10)
    )
    assert not holds(number[:-1] + last)


@pytest.mark.parametrize(("make", "holds"), MADE)
def test_made_numbers_hold_and_near_misses_do_not(
    make: Callable[[Dice], str], holds: Holds, dice: Dice
) -> None:
    for _ in range(200):
        number = make(dice)
        assert holds(number), number
        assert not holds(digits.wrong(number, dice)), number


@pytest.mark.parametrize(
    "iban",
    ["FR7630006000011234567890189", "ES9121000418450200051332", "IT60X0542811101000000123456"],
)
def test_account_numbers_have_the_country_s_own_check_digits(iban: str) -> None:
    class Fixed(Dice):
        """Gives the digits of a published account number."""

        def __init__(self, text: str) -> None:
            super().__init__("tune", 0, "fixed")
            self.left = text

        def digits(self, count: int, *, first: str = "") -> str:
            taken, self.left = self.left[:count], self.left[count:]
            return taken

    account = iban[4:]
    given = {"FR": account[:21], "ES": account[:8] + account[10:], "IT": account[1:]}[iban[:2]]
    assert digits.iban(Fixed(given), iban[:2]) == iban


def test_numbers_without_check_digits_have_the_shape_that_is_given_out(dice: Dice) -> None:
    for _ in range(200):
        assert re.fullmatch(r"(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}", digits.ssn(dice))
        assert re.fullmatch(r"(000|666)-\d\d-\d{4}", digits.ssn_never_given(dice))
        assert re.fullmatch(NINO, digits.nino(dice))
        assert re.fullmatch(r"[A-Z]{3}P[A-Z]\d{4}[A-Z]", digits.pan(dice))


@pytest.mark.parametrize("country", COUNTRIES)
def test_telephone_numbers_are_such_as_the_country_has(country: str, dice: Dice) -> None:
    for _ in range(300):
        text = people.phone(dice, country)
        assert phonenumbers.is_valid_number(phonenumbers.parse(text, country)), text
