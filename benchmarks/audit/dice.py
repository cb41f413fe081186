"""Everything random in the bench, and the wall between its two halves.

A check is tuned on the half `tune` and scored on the half `score`. A list of words,
sentences or vendors is dealt out in turn, one to each half; a made-up value (a number, a key)
belongs to the half that the parity of its SHA-256 says, and is drawn again until it is the
right one. So no value, template or source row is ever in both.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Literal, TypeVar

Half = Literal["tune", "score"]
HALVES: tuple[Half, ...] = ("tune", "score")
DIGITS = "0123456789"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOWER = UPPER.lower()
Item = TypeVar("Item")


def half_of(text: str) -> Half:
    """The half that a text belongs to, for ever."""
    return HALVES[sha256(text.encode("utf-8", "surrogatepass")).digest()[0] & 1]


class Dice:
    """Seeded draws for one half and one purpose."""

    def __init__(self, half: Half, seed: int, purpose: str) -> None:
        self.half = half
        self.random = random.Random(f"{seed} {half} {purpose}")

    def own(self, items: Sequence[Item]) -> list[Item]:
        """The items of a list that this half may use: every second one."""
        return list(items[HALVES.index(self.half) :: 2])

    def of(self, items: Sequence[Item]) -> Item:
        """One item of this half."""
        return self.random.choice(self.own(items))

    def value(self, make: Callable[[Dice], str]) -> str:
        """A made-up value of this half."""
        while half_of(value := make(self)) != self.half:
            pass
        return value

    def digits(self, count: int, *, first: str = DIGITS) -> str:
        """So many digits; the first one of `first`."""
        return self.text(first, 1) + self.text(DIGITS, count - 1)

    def text(self, alphabet: str, count: int) -> str:
        """So many characters of an alphabet."""
        return "".join(self.random.choice(alphabet) for _ in range(count))

    def number(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self.random.randint(low, high)

    def chance(self, share: float) -> bool:
        """True in that share of calls."""
        return self.random.random() < share
