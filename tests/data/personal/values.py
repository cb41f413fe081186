"""Values that prove themselves, made here by brute force: the last digits are tried until they fit.

The checks tried are the published rules written a second time, apart from the ones under test.
"""

from __future__ import annotations

import random
import string
from itertools import product

LETTERS = string.ascii_uppercase


def digits(chance: random.Random, count: int, first: str = "123456789") -> str:
    return chance.choice(first) + "".join(chance.choice("0123456789") for _ in range(count - 1))


def luhn_sum(number: str) -> int:
    total = 0
    for place, digit in enumerate(number[::-1]):
        total += sum(divmod(int(digit) * (1 + place % 2), 10))
    return total


def card(chance: random.Random) -> str:
    prefix, length = chance.choice([("4", 16), ("51", 16), ("2345", 16), ("37", 15), ("6011", 16)])
    body = prefix + digits(chance, length - 1 - len(prefix), "0123456789")
    return next(body + last for last in "0123456789" if luhn_sum(body + last) % 10 == 0)


IBAN_BODIES = {
    "DE": "0" * 18,
    "FR": "0" * 10 + "A" * 11 + "00",
    "GB": "AAAA" + "0" * 14,
    "ES": "0" * 20,
    "IT": "A" + "0" * 22,
    "NL": "AAAA" + "0" * 10,
    "BE": "0" * 12,
    "CH": "0" * 17,
    "AT": "0" * 16,
    "PL": "0" * 24,
    "NO": "0" * 11,
}


def iban(chance: random.Random) -> str:
    country = chance.choice(sorted(IBAN_BODIES))
    body = "".join(
        chance.choice(LETTERS) if sign == "A" else chance.choice("0123456789")
        for sign in IBAN_BODIES[country]
    )
    signs = "".join(str(LETTERS.index(s) + 10) if s in LETTERS else s for s in f"{body}{country}00")
    return f"{country}{98 - int(signs) % 97:02d}{body}"


def in_fours(text: str, between: str = " ") -> str:
    return between.join(text[place : place + 4] for place in range(0, len(text), 4))


D5 = [[0] * 10 for _ in range(10)]
for left, right in product(range(10), range(10)):
    # A turn by k as x -> x + k, a mirror as x -> k - x, over the corners 0..4 of a pentagon.
    moved = []
    for corner in (0, 1):
        after = (right + corner) % 5 if right < 5 else (right - corner) % 5
        moved.append((left + after) % 5 if left < 5 else (left - after) % 5)
    D5[left][right] = moved[0] + (0 if (moved[1] - moved[0]) % 5 == 1 else 5)


def verhoeff_state(number: str) -> int:
    shift = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    state = 0
    for place, digit in enumerate(number[::-1]):
        value = int(digit)
        for _ in range(place % 8):
            value = shift[value]
        state = D5[state][value]
    return state


def aadhaar(chance: random.Random) -> str:
    body = digits(chance, 11, "23456789")
    return next(body + last for last in "0123456789" if verhoeff_state(body + last) == 0)


def cpf(chance: random.Random) -> str:
    body = digits(chance, 9)
    for _ in range(2):
        top = len(body) + 1
        rest = sum(int(d) * (top - place) for place, d in enumerate(body)) * 10 % 11
        body += str(rest % 10)
    return f"{body[:3]}.{body[3:6]}.{body[6:9]}-{body[9:]}"


def nhs(chance: random.Random) -> str:
    while True:
        body = digits(chance, 9)
        check = 11 - sum(int(d) * (10 - place) for place, d in enumerate(body)) % 11
        if check != 10:
            return f"{body[:3]} {body[3:6]} {body[6:]}{check % 11}"


def steuer_id(chance: random.Random) -> str:
    while True:
        order = chance.sample("0123456789", 9)
        order.insert(chance.randrange(9), chance.choice(order))
        if order[0] == "0" or len(set(order)) != 9:
            continue
        body = "".join(order)
        state = 10
        for digit in body:
            state = (((int(digit) + state - 1) % 10) + 1) * 2 % 11
        return body + str((11 - state) % 10)


def dni(chance: random.Random) -> str:
    number = digits(chance, 8)
    return number + "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]


def nir(chance: random.Random) -> str:
    body = f"{chance.choice('12')}{chance.randrange(100):02d}{chance.randrange(1, 13):02d}"
    body += (
        f"{chance.randrange(1, 96):02d}{chance.randrange(1, 1000):03d}{chance.randrange(1000):03d}"
    )
    return f"{body}{97 - int(body) % 97:02d}"


def bsn(chance: random.Random) -> str:
    while True:
        number = digits(chance, 9)
        weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
        if sum(w * int(d) for w, d in zip(weights, number, strict=True)) % 11 == 0:
            return number


def pesel(chance: random.Random) -> str:
    body = f"{chance.randrange(40, 100)}{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d}"
    body += f"{chance.randrange(10000):04d}"
    total = sum(w * int(d) for w, d in zip((1, 3, 7, 9) * 3, body, strict=False))
    return body + str((10 - total % 10) % 10)


def sin(chance: random.Random) -> str:
    body = digits(chance, 8, "1234567")
    whole = next(body + last for last in "0123456789" if luhn_sum(body + last) % 10 == 0)
    return f"{whole[:3]} {whole[3:6]} {whole[6:]}"


def ssn(chance: random.Random) -> str:
    area = chance.choice([*range(1, 666), *range(667, 900)])
    return f"{area:03d}-{chance.randrange(1, 100):02d}-{chance.randrange(1, 10000):04d}"


def tfn(chance: random.Random) -> str:
    while True:
        number = digits(chance, 9)
        weights = (1, 4, 3, 7, 5, 8, 6, 9, 10)
        if sum(w * int(d) for w, d in zip(weights, number, strict=True)) % 11 == 0:
            return f"{number[:3]} {number[3:6]} {number[6:]}"


def chinese(chance: random.Random) -> str:
    body = f"110105{chance.randrange(1940, 2015)}{chance.randrange(1, 13):02d}"
    body += f"{chance.randrange(1, 29):02d}{chance.randrange(1000):03d}"
    total = sum(pow(2, 17 - place, 11) * int(d) for place, d in enumerate(body))
    return next(
        body + last for last in "0123456789X" if (total + "0123456789X".index(last)) % 11 == 1
    )


def any_of(signs: str, count: int, chance: random.Random) -> str:
    return "".join(chance.choice(signs) for _ in range(count))
