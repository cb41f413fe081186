"""Text as words, for comparing answers in any language.

"The fee is 25 €, isn't it?"  ->  ("the", "fee", "is", "25", "isn", "t", "it")
"押金25元"                     ->  ("押", "金", "25", "元")
"""

from __future__ import annotations

import re
import unicodedata

# Scripts without spaces between words: each character counts as a word.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


def words(text: str) -> tuple[str, ...]:
    """Lower-case words without punctuation; one word a character where no spaces are written."""
    # Case folding can undo the normal form ("İ"), so it comes first and last.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return tuple(_WORD.findall(folded))


def normalised(text: str) -> str:
    """Text for exact comparison: normal form, case and runs of white space ignored."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
