"""Text that no person wrote: blobs, rows of marks, the same again and again.

"iVBORw0KGgoAAAANSUhEUgAAAAUA..."   -> blob         "----  ....  1234  ____"   -> marks
"very very very very very"           -> repetition
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Literal

Oddity = Literal["blob", "marks", "repetition", "gibberish"]
ODDITIES: tuple[Oddity, ...] = ("blob", "marks", "repetition", "gibberish")
LONGEST_WORD = 80
"""Characters of a word beyond which it is looked at."""
_BLOB = re.compile(rf"[A-Za-z0-9+/_-]{{{LONGEST_WORD},}}={{0,2}}")
_LETTERS = bytes(code for code in range(256) if code >= 128 or bytes([code]).isalpha())
_VOWELS = bytes(code for code in _LETTERS if code >= 128 or chr(code) in "aeiouyAEIOUY")
_CONSONANTS = bytes(code for code in _LETTERS if code not in _VOWELS)
_MANY_LETTERS = 30
_LEAST_VOWELS = 0.1
"""For each consonant; text in Latin letters has 0.5 to 1."""
_SPACES = b" \t\n\r\x0b\x0c"
_LEAST_LETTERS = 0.15
_LEAST_WORDS = 4
"""Words of a text in which all may be the same without its being odd."""
_MANY_WORDS = 30
_LEAST_DIFFERENT = 0.2
_LEAST_SIZE = 0.12
"""Of a text, compressed; running text keeps 0.3 to 0.6."""
_LONG = 300


def oddity_of(text: str, words: Sequence[str], distinct: int) -> Oddity | None:
    """What is odd about a text.

    Args:
        text: not empty.
        words: what stands between its spaces.
        distinct: how many of them are different.
    """
    if len(text) >= LONGEST_WORD and max(map(len, words)) >= LONGEST_WORD and _has_blob(text):
        return "blob"
    if _is_repetition(text, len(words), distinct):
        return "repetition"
    data = text[:4000].encode("utf-8", "surrogatepass")
    if _is_of_marks(data):
        return "marks"
    return "gibberish" if _is_gibberish(data) else None


def _has_blob(text: str) -> bool:
    """Whether a run of letters and digits is encoded data: capitals, small ones and digits."""
    for match in _BLOB.finditer(text):
        run = match.group()
        kinds = (str.isupper, str.islower, str.isdigit)
        counts = [sum(map(kind, run)) for kind in kinds]
        is_hexadecimal = counts[2] >= len(run) // 4 and not run.strip("0123456789abcdefABCDEF")
        if is_hexadecimal or min(counts) >= len(run) // 40 + 1:
            return True
    return False


def _is_repetition(text: str, words: int, distinct: int) -> bool:
    if words >= _LEAST_WORDS and distinct == 1:
        return True
    if words >= _MANY_WORDS and distinct > _LEAST_DIFFERENT * words:
        return False
    if words < _MANY_WORDS and len(text) < _LONG:
        return False
    data = text[:20_000].encode("utf-8", "surrogatepass")
    return len(zlib.compress(data, 1)) < _LEAST_SIZE * len(data)


def _is_of_marks(data: bytes) -> bool:
    """Whether hardly a character is a letter; letters of other scripts are letters."""
    visible = data.translate(None, _SPACES)
    without = visible.translate(None, _LETTERS)
    return len(visible) - len(without) < _LEAST_LETTERS * len(visible)


def _is_gibberish(data: bytes) -> bool:
    """Whether letters of the Latin script form no syllables, as where keys were hit at random."""
    consonants = len(data) - len(data.translate(None, _CONSONANTS))
    vowels = len(data) - len(data.translate(None, _VOWELS))
    return consonants >= _MANY_LETTERS and vowels < _LEAST_VOWELS * consonants
