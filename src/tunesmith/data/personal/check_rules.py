"""The check rule of each national number, on its capitals and digits without separators.

US 123-45-6789      ranges that are given out          DE 86095742719   mod 11,10, one repeat
UK 943 476 5919     weighted sum mod 11                BR 390.533.447-05   two sums mod 11
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter

from tunesmith.data.personal.check_digits import is_mod_11_10, weighted

_LETTERS_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD_CODICE = (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18,
    20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
)  # fmt: skip
_NINO_NEVER = frozenset({"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"})


def is_date(year: int, month: int, day: int) -> bool:
    """Whether the calendar has that day."""
    return 1 <= month <= 12 and year >= 1 and 1 <= day <= monthrange(year, month)[1]


def is_ssn(digits: str) -> bool:
    """United States, social security: area, group and serial that are given out."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def is_itin(digits: str) -> bool:
    """United States, tax number of those without social security: 9, and groups from 50 on."""
    return digits[0] == "9" and int(digits[3:5]) >= 50


def is_nhs(digits: str) -> bool:
    """United Kingdom, health service: weights 10 to 2, mod 11."""
    check = 11 - weighted(digits, range(10, 1, -1)) % 11
    return len(set(digits)) > 1 and check != 10 and check % 11 == int(digits[9])


def is_nino(compact: str) -> bool:
    """United Kingdom, national insurance: letters that are given out."""
    return compact[:2] not in _NINO_NEVER and not compact.startswith("QQ")


def is_steuer_id(digits: str) -> bool:
    """Germany, tax: one digit of the first ten comes two or three times; mod 11,10."""
    counts = sorted(Counter(digits[:10]).values(), reverse=True)
    return (
        digits[0] != "0"
        and counts[0] in {2, 3}
        and counts[1] <= 2
        and is_mod_11_10(digits)
        and sum(count > 1 for count in counts) == 1
    )


def is_german_pension(compact: str) -> bool:
    """Germany, pension: area, birth date, a letter, serial; digit sums of weighted places."""
    day, month = int(compact[2:4]), int(compact[4:6])
    digits = f"{compact[:8]}{ord(compact[8]) - 64:02d}{compact[9:11]}"
    total = 0
    for weight, digit in zip((2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), digits, strict=True):
        total += sum(divmod(weight * int(digit), 10))
    return 1 <= day <= 31 and 1 <= month <= 12 and total % 10 == int(compact[11])


def is_nir(compact: str) -> bool:
    """France: sex, month, and 97 minus the remainder; 2A and 2B are Corsica."""
    month = int(compact[3:5])
    body = compact[:13].replace("2A", "19").replace("2B", "18")
    if not body.isdigit() or not (1 <= month <= 12 or 20 <= month <= 42 or month >= 50):
        return False
    return compact[0] in "123478" and 97 - int(body) % 97 == int(compact[13:])


def is_dni(compact: str) -> bool:
    """Spain: eight digits (or X, Y, Z and seven) and the letter of their remainder by 23."""
    number = compact[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return len(set(number)) > 1 and _LETTERS_DNI[int(number) % 23] == compact[-1]


def is_codice_fiscale(compact: str) -> bool:
    """Italy: letters for digits where two people would collide; odd and even places mod 26."""
    total = 0
    for place, sign in enumerate(compact[:15]):
        value = int(sign) if sign.isdigit() else ord(sign) - 65
        total += value if place % 2 else _ODD_CODICE[value]
    return chr(65 + total % 26) == compact[15]


def is_bsn(digits: str) -> bool:
    """Netherlands: weights 9 to 2 and -1, mod 11."""
    return len(set(digits)) > 1 and weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def is_belgian(digits: str) -> bool:
    """Belgium: 97 minus the remainder, with a 2 before it for people born from 2000 on."""
    month, check = int(digits[2:4]) % 20, int(digits[9:])
    wanted = (97 - int(digits[:9]) % 97, 97 - int(f"2{digits[:9]}") % 97)
    return month <= 12 and int(digits[4:6]) <= 31 and check in wanted


def is_pesel(digits: str) -> bool:
    """Poland: weights 1 3 7 9, mod 10; the month carries the century."""
    check = -weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10
    month, day = int(digits[2:4]) % 20, int(digits[4:6])
    return 1 <= month <= 12 and 1 <= day <= 31 and check == int(digits[10])


def is_portuguese(digits: str) -> bool:
    """Portugal, tax: weights 9 to 2, mod 11."""
    check = 11 - weighted(digits, range(9, 1, -1)) % 11
    return digits[0] in "123" and check % 11 % 10 == int(digits[8])


def is_cpf(digits: str) -> bool:
    """Brazil: two check digits, weights 10 to 2 and 11 to 2, mod 11."""
    first = 11 - weighted(digits, range(10, 1, -1)) % 11
    second = 11 - weighted(digits, range(11, 1, -1)) % 11
    checks = [0 if check > 9 else check for check in (first, second)]
    return len(set(digits)) > 1 and checks == [int(digits[9]), int(digits[10])]


def is_chinese(compact: str) -> bool:
    """China: a birth date, and ISO 7064 mod 11-2 with X for ten."""
    if not is_date(int(compact[6:10]), int(compact[10:12]), int(compact[12:14])):
        return False
    total = weighted(compact, [2**place % 11 for place in range(17, 0, -1)])
    return "1800" < compact[6:10] < "2100" and "10X98765432"[total % 11] == compact[17]


def is_tfn(digits: str) -> bool:
    """Australia, tax: weights mod 11 over nine digits."""
    return weighted(digits, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0 and len(set(digits)) > 1


def is_medicare(digits: str) -> bool:
    """Australia, health: first digit 2 to 6, weights 1 3 7 9, mod 10, ninth digit."""
    return digits[0] in "23456" and weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(
        digits[8]
    )


def is_swiss(digits: str) -> bool:
    """Switzerland: 756, and the check digit of EAN-13."""
    return digits.startswith("756") and weighted(digits, (1, 3) * 6 + (1,)) % 10 == 0


def is_norwegian(digits: str) -> bool:
    """Norway: a day and a month, and two weighted sums mod 11."""
    day, month = int(digits[:2]) % 40, int(digits[2:4]) % 40
    first = weighted(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    second = weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11
    return 1 <= day <= 31 and 1 <= month <= 12 and first == second == 0


def is_finnish(compact: str) -> bool:
    """Finland: a birth date, and the remainder by 31 as a sign."""
    day, month = int(compact[:2]), int(compact[2:4])
    sign = "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(compact[:6] + compact[-4:-1]) % 31]
    return 1 <= day <= 31 and 1 <= month <= 12 and sign == compact[-1]


def is_birth_date_first(digits: str) -> bool:
    """Whether the six digits before the last four are a year, a month and a day of a person."""
    month, day = int(digits[-8:-6]), int(digits[-6:-4])
    return 1 <= month <= 12 and 1 <= day % 60 <= 31


def is_south_korean(digits: str) -> bool:
    """South Korea: a birth date, a digit for sex and century, weights 2 to 9 and 2 to 5, mod 11."""
    month, day = int(digits[2:4]), int(digits[4:6])
    check = (11 - weighted(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10
    return 1 <= month <= 12 and 1 <= day <= 31 and check == int(digits[12])


def is_my_number(digits: str) -> bool:
    """Japan: weights 6 to 2 and 7 to 2, mod 11; remainders 0 and 1 give 0."""
    rest = weighted(digits, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if rest <= 1 else 11 - rest) == int(digits[11])


def is_nric(compact: str) -> bool:
    """Singapore: weights 2 7 6 5 4 3 2, a letter by series."""
    total = weighted(compact[1:8], (2, 7, 6, 5, 4, 3, 2)) + (4 if compact[0] in "TG" else 0)
    return ("JZIHGFEDCBA" if compact[0] in "ST" else "XWUTRQPNMLK")[total % 11] == compact[8]
