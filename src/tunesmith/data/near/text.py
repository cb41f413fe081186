"""What is compared of a text: its words, whatever their case, punctuation and spacing.

    "My card hasn't  arrived!"  ->  words     my, card, hasnt, arrived
                                ->  shingles  my, card, hasnt, arrived,
                                              "my card", "card hasnt", "hasnt arrived"

Scripts that are written without spaces give one word a character. Signs that change what is
meant (`3 + 1`, `3 - 1`, `50 %`, `C#`) are words too.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from itertools import pairwise

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
"""Thai, Lao, Burmese, Khmer, kana and Han."""
_SIGNS = r"[+*/=<>^%$€£#~|]|(?<![^\W\d_])-(?=\s?\d)"
_WORD = re.compile(rf"[^\W_{_UNSPACED}]+|[{_UNSPACED}]|{_SIGNS}")
_ASCII_WORD = re.compile(r"[a-z0-9]+|[+*/=<>^%$#~|]|(?<![a-z])-(?=\s?\d)")
_APOSTROPHES = ("'", "\u2019", "\u02bc", "\u00ad")
"""Left out, so that `hasn't` and `hasnt` are one word; and the soft hyphen."""


def words(text: str) -> list[str]:
    """The words of a text in order: NFKC, without case and punctuation."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower().replace("'", ""))
    folded = unicodedata.normalize("NFKC", text).casefold()
    for apostrophe in _APOSTROPHES:
        folded = folded.replace(apostrophe, "")
    return _WORD.findall(folded)


def normalised(text: str) -> str:
    """The words with one space between; of a text without words, the text without spaces."""
    return " ".join(words(text)) or "".join(unicodedata.normalize("NFKC", text).split())


def shingles(found: list[str]) -> set[str]:
    """The words of a text, and every two that stand together."""
    return {*found, *(f"{first} {second}" for first, second in pairwise(found))}


def key(text: str) -> int:
    """64 bits of a text, the same in every process; never 0."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()) or 1
