"""Numbers with check digits, made by the formulas of those who issue them.

Luhn: sum of digits, every second one doubled, = 0 mod 10. IBAN: number mod 97 = 1.
Verhoeff: product in the dihedral group D5 = 0. NHS: weights 10..2, 11 minus the remainder.
Every maker draws a number that nobody looked up; whether one is in use is chance.
"""

from __future__ import annotations

from benchmarks.audit.dice import DIGITS, UPPER, Dice

_TURN = ((1, 5, 7, 6, 2, 8, 3, 0, 9, 4), (0, 1, 2, 3, 4, 5, 6, 7, 8, 9))
_SPANISH = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD = (
    1,
    0,
    5,
    7,
    9,
    13,
    15,
    17,
    19,
    21,
    2,
    4,
    18,
    20,
    11,
    3,
    6,
    8,
    12,
    14,
    16,
    10,
    22,
    25,
    24,
    23,
)
_NINO = "ABCEGHJKLMNPRSTWXYZ"
_MONTHS = "ABCDEHLMPRST"


def wrong(number: str, dice: Dice) -> str:
    """The same number with another last character of its kind: its check fails."""
    last = number[-1]
    others = [c for c in (DIGITS if last.isdigit() else UPPER) if c != last]
    return number[:-1] + dice.random.choice(others)


def luhn(body: str) -> str:
    """A body and its check digit."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return body + str(-total % 10)


def card(dice: Dice) -> str:
    """A card number of one of four brands."""
    kind = dice.random.choice(("visa", "mastercard", "amex", "discover"))
    if kind == "amex":
        return luhn(dice.random.choice(("34", "37")) + dice.digits(12))
    first = {"visa": "4", "mastercard": f"5{dice.number(1, 5)}", "discover": "6011"}[kind]
    return luhn(first + dice.digits(15 - len(first)))


def iban(dice: Dice, country: str) -> str:
    """An IBAN whose account number has the country's own shape and check digits."""
    account = _ACCOUNTS[country](dice)
    rest = int(_as_digits(f"{account}{country}00")) % 97
    return f"{country}{98 - rest:02}{account}"


def _as_digits(text: str) -> str:
    return "".join(str(int(character, 36)) for character in text)


def _german_account(dice: Dice) -> str:
    return dice.digits(8, first="12345678") + dice.digits(10)


def _british_account(dice: Dice) -> str:
    return dice.random.choice(("NWBK", "BARC", "LOYD", "MIDL")) + dice.digits(14)


def _french_account(dice: Dice) -> str:
    bank, branch, number = dice.digits(5, first="123"), dice.digits(5), dice.digits(11)
    key = 97 - (89 * int(bank) + 15 * int(branch) + 3 * int(number)) % 97
    return f"{bank}{branch}{number}{key:02}"


def _spanish_account(dice: Dice) -> str:
    bank, number = dice.digits(8, first="012"), dice.digits(10)
    return bank + _spanish_digit("00" + bank) + _spanish_digit(number) + number


def _spanish_digit(ten: str) -> str:
    total = sum(int(digit) * (2**place % 11) for place, digit in enumerate(ten))
    left = 11 - total % 11
    return {10: "1", 11: "0"}.get(left, str(left))


def _italian_account(dice: Dice) -> str:
    body = dice.digits(10) + dice.digits(12)
    total = sum(_ODD[int(c)] if place % 2 == 0 else int(c) for place, c in enumerate(body))
    return UPPER[total % 26] + body


def _dutch_account(dice: Dice) -> str:
    while True:
        number = dice.digits(10, first="01234567")
        if sum(int(digit) * (10 - place) for place, digit in enumerate(number)) % 11 == 0:
            return dice.random.choice(("ABNA", "INGB", "RABO", "TRIO")) + number


_ACCOUNTS = {
    "DE": _german_account,
    "GB": _british_account,
    "FR": _french_account,
    "ES": _spanish_account,
    "IT": _italian_account,
    "NL": _dutch_account,
}


def ssn(dice: Dice) -> str:
    """United States: no check digit, but areas, groups and serials that are never given."""
    area = dice.random.choice([n for n in range(1, 900) if n != 666])
    return f"{area:03}-{dice.number(1, 99):02}-{dice.number(1, 9999):04}"


def ssn_never_given(dice: Dice) -> str:
    """The same shape with an area that does not exist."""
    area = dice.random.choice(("000", "666"))
    return f"{area}-{dice.number(1, 99):02}-{dice.number(1, 9999):04}"


def nino(dice: Dice) -> str:
    """United Kingdom, national insurance: no check digit, but letters that are never used."""
    while True:
        prefix = dice.text(_NINO, 1) + dice.text(_NINO, 1)
        if prefix not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}:
            return prefix + dice.digits(6) + dice.text("ABCD", 1)


def nhs(dice: Dice) -> str:
    """United Kingdom, health service: weights 10 to 2."""
    while True:
        body = dice.digits(9, first="46")
        check = -sum(int(d) * w for d, w in zip(body, range(10, 1, -1), strict=True)) % 11
        if check < 10:
            return body + str(check)


def tax_de(dice: Dice) -> str:
    """Germany, tax: one digit twice among ten, no other; ISO 7064 mod 11, 10."""
    pool = dice.random.sample(DIGITS, 9)
    body = pool + [dice.random.choice(pool)]
    while body[0] == "0" or len(set(body)) != 9:
        dice.random.shuffle(body)
    product = 10
    for digit in body:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return "".join(body) + str((11 - product) % 10)


def nir(dice: Dice) -> str:
    """France, social security: 97 minus the number mod 97."""
    place = f"{dice.number(1, 95):02}{dice.number(1, 400):03}{dice.number(1, 999):03}"
    place = place.replace("20", "21", 1) if place.startswith("20") else place
    body = f"{dice.number(1, 2)}{dice.number(30, 99):02}{dice.number(1, 12):02}{place}"
    return f"{body}{97 - int(body) % 97:02}"


def dni(dice: Dice) -> str:
    """Spain, identity card: letter by the number mod 23."""
    number = dice.digits(8, first="1234567")
    return number + _SPANISH[int(number) % 23]


def nie(dice: Dice) -> str:
    """Spain, foreigners: X, Y, Z stand for 0, 1, 2."""
    first, number = dice.number(0, 2), dice.digits(7)
    return "XYZ"[first] + number + _SPANISH[int(f"{first}{number}") % 23]


def codice_fiscale(dice: Dice) -> str:
    """Italy, tax: letters of the name, date, place, and a check letter."""
    consonants = "BCDFGLMNPRSTVZ"
    day = dice.number(1, 28) + dice.random.choice((0, 40))
    body = dice.text(consonants, 6) + f"{dice.number(30, 99)}{dice.text(_MONTHS, 1)}{day:02}"
    body += dice.random.choice("ABCDEFGHIL") + dice.digits(3)
    total = 0
    for place, character in enumerate(body):
        value = int(character) if character.isdigit() else ord(character) - ord("A")
        total += _ODD[value] if place % 2 == 0 else value
    return body + UPPER[total % 26]


def bsn(dice: Dice) -> str:
    """The Netherlands, citizens: 9a + 8b + ... + 2h - i = 0 mod 11."""
    while True:
        number = dice.digits(9, first="12345678")
        weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
        if sum(int(d) * w for d, w in zip(number, weights, strict=True)) % 11 == 0:
            return number


def aadhaar(dice: Dice) -> str:
    """India, identity: Verhoeff."""
    body = dice.digits(11, first="23456789")
    return next(f"{body}{check}" for check in DIGITS if verhoeff(f"{body}{check}") == 0)


def pan(dice: Dice) -> str:
    """India, tax: no check digit that is public; the fourth letter is P for a person."""
    return dice.text(UPPER, 3) + "P" + dice.text(UPPER, 1) + dice.digits(4) + dice.text(UPPER, 1)


def verhoeff(number: str) -> int:
    """0 for a number with the right check digit."""
    checked = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit)
        for _ in range(place % 8):
            value = _TURN[0][value]
        checked = _product(checked, value)
    return checked


def _product(a: int, b: int) -> int:
    """In D5: 0 to 4 are turns, 5 to 9 reflections."""
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
    return 5 + (a - b) % 5 if b < 5 else (a - b) % 5
