"""Check digits: the arithmetic by which a number proves that it is no accident.

    Luhn            sum of digits, every second from the right doubled (minus 9 above 9) = 0 mod 10
    mod 97          ISO 7064: the number with letters as 10..35 = 1 mod 97
    Verhoeff        a walk through the dihedral group D5 that ends at 0
    weighted        sum of weight * digit mod a base
    mod 11,10       ISO 7064 hybrid: p = 2 * ((p + digit) mod 10 or 10) mod 11

Every function takes a string of ASCII digits (letters where said) and answers yes or no.
"""

from __future__ import annotations

from collections.abc import Sequence

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
# Multiplication in D5, written as a function of its table's rows: turns 0..4, mirrors 5..9.
_VERHOEFF_SHIFT = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def is_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1: cards, Canadian SIN, Swedish personal numbers."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        total += _DOUBLED[int(digit)] if place % 2 else int(digit)
    return total % 10 == 0


def remainder_97(text: str) -> int:
    """The remainder of digits and capital letters (A = 10 ... Z = 35) by 97 (ISO 7064)."""
    return int("".join(str(int(sign, 36)) for sign in text)) % 97


def is_verhoeff(digits: str) -> bool:
    """Verhoeff's code over D5: the Indian Aadhaar number."""
    state = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        for _ in range(place % 8):
            value = _VERHOEFF_SHIFT[value]
        state = dihedral(state, value)
    return state == 0


def dihedral(left: int, right: int) -> int:
    """The product in D5: 0..4 are turns of a pentagon, 5..9 its mirrors."""
    turn = (left % 5 + right % 5) % 5 if left < 5 else (left % 5 - right % 5) % 5
    return turn + (5 if (left < 5) != (right < 5) else 0)


def weighted(digits: str, weights: Sequence[int]) -> int:
    """Sum of weight times digit, over as many places as there are weights."""
    return sum(
        weight * int(digit) for weight, digit in zip(weights, digits[: len(weights)], strict=True)
    )


def is_mod_11_10(digits: str) -> bool:
    """ISO 7064 MOD 11,10: the German tax number."""
    product = 10
    for digit in digits[:-1]:
        product = 2 * ((product + int(digit)) % 10 or 10) % 11
    return (11 - product) % 10 == int(digits[-1])
