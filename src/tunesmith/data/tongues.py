"""In which language a text seems to be, at a glance: by its letters and its small words.

    "Wo ist der Bahnhof?"  ->  de      "今天天气很好"  ->  zh      "x = 3 * (4 + 5)"  ->  nothing

Cheap enough for every row; what differs from the rest is looked at again by a classifier.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from tunesmith.data.function_words import LANGUAGES_OF

UNKNOWN = "?"
"""Sentences, but in none of the languages that are known here."""

_LOOKED_AT = 600
"""Characters of a text that are looked at."""
_FEWEST_WORDS = 4
_ENOUGH_WORDS = 5
"""Words that a classifier can tell the language of."""
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`|https?://\S+", re.DOTALL)
_SIGNS = re.compile(r"[{}()\[\];=<>_\\/|*+#$^&%@~0-9]")
_MANY_SIGNS = 0.12
"""Share of signs and digits above which a text is code, a formula or a table."""
_PUNCTUATION = str.maketrans({**dict.fromkeys(',.;:?!"()«»“”„¿¡\n', " "), "’": "'"})
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")

_SCRIPTS = (
    ("ja", "\u3040-\u30ff"),
    ("ko", "\u1100-\u11ff\uac00-\ud7a3"),
    ("zh", "\u3400-\u9fff"),
    ("he", "\u0590-\u05ff"),
    ("el", "\u0370-\u03ff\u1f00-\u1fff"),
    ("hi", "\u0900-\u097f"),
    ("bn", "\u0980-\u09ff"),
    ("pa", "\u0a00-\u0a7f"),
    ("gu", "\u0a80-\u0aff"),
    ("ta", "\u0b80-\u0bff"),
    ("te", "\u0c00-\u0c7f"),
    ("kn", "\u0c80-\u0cff"),
    ("ml", "\u0d00-\u0d7f"),
    ("th", "\u0e00-\u0e7f"),
    ("lo", "\u0e80-\u0eff"),
    ("my", "\u1000-\u109f"),
    ("ka", "\u10a0-\u10ff"),
    ("am", "\u1200-\u137f"),
    ("km", "\u1780-\u17ff"),
    ("hy", "\u0530-\u058f"),
)
BY_SCRIPT = tuple(language for language, _ in _SCRIPTS)
"""Languages that are known by their letters alone."""
_LETTERS = tuple((language, re.compile(f"[{letters}]")) for language, letters in _SCRIPTS)
_OTHER_SCRIPT = re.compile("[\u0370-\u03ff\u0530-\u05ff\u0900-\u1fff\u3040-\ud7ff]")
_SHARED_SCRIPT = re.compile("[\u0400-\u052f\u0600-\u06ff]")
_SHARED_LETTERS = (("ru", re.compile("[\u0400-\u052f]")), ("ar", re.compile("[\u0600-\u06ff]")))
"""Scripts of several languages, under the commonest, where no word tells them apart."""
_FEWEST_LETTERS = 5
_HAN_WITH_KANA = 0.1
"""Share of kana from which on ideographs are Japanese."""


def glance(text: str, usual: str = "") -> str:
    """The language that a text seems to be in: its code, `UNKNOWN`, or "" where none can be told.

    Code, formulas, names and texts of a few words have none.

    Args:
        text: what is looked at.
        usual: the language of the texts around it, which is believed in where the words leave
            a choice.
    """
    text = text[:_LOOKED_AT]
    if not text.isascii():
        if "`" in text or "://" in text:
            text = _CODE.sub(" ", text)
        if foreign := _by_script(text, _OTHER_SCRIPT, _LETTERS):
            return foreign
    words = text.lower().translate(_PUNCTUATION).split()
    if len(words) >= _FEWEST_WORDS:
        best = _best(words, usual, plain=text.isascii())
        if best:
            return best
    if not text.isascii() and (foreign := _by_script(text, _SHARED_SCRIPT, _SHARED_LETTERS)):
        return foreign
    return _unsure(text, len(words))


def prose_of(text: str) -> str:
    """What a classifier is to see of a text: its sentences, without code and addresses."""
    return " ".join(_CODE.sub(" ", text[: 4 * _LOOKED_AT]).split())[: 2 * _LOOKED_AT]


def is_prose(text: str) -> bool:
    """Whether a text consists of sentences: mostly of words, and few of them names."""
    if len(_SIGNS.findall(text)) > _MANY_SIGNS * len(text):
        return False
    words = _WORD.findall(text)
    if not words:
        return False
    capital = sum(1 for word in words if word[0].isupper())
    return capital <= 0.6 * len(words) or capital <= 2


def _best(words: Sequence[str], usual: str, *, plain: bool) -> str:
    """The language with most of the words, each counted once; nothing where two have as many.

    In plain letters the usual language may have one word less; English shares words with many
    languages, but not their letters.
    """
    count: dict[str, int] = {}
    for word in set(words):
        for language in LANGUAGES_OF.get(word, ()):
            count[language] = count.get(language, 0) + 1
    if not count:
        return ""
    most = max(count.values())
    if count.get(usual, 0) >= (max(1, most - 1) if plain else max(2, most)):
        return usual
    leading = [language for language, number in count.items() if number == most]
    return leading[0] if most >= 2 and len(leading) == 1 else ""


def _unsure(text: str, words: int) -> str:
    """Words, but hardly any that is known: another language, or no sentences at all."""
    if words < _ENOUGH_WORDS:
        return ""
    prose = prose_of(text)
    return UNKNOWN if len(prose.split()) >= _ENOUGH_WORDS and is_prose(prose) else ""


def _by_script(
    text: str, script: re.Pattern[str], letters: Sequence[tuple[str, re.Pattern[str]]]
) -> str:
    """The language whose letters the text has most of, where most are of these scripts."""
    foreign = len(script.findall(text))
    if foreign < _FEWEST_LETTERS:
        return ""
    if 2 * foreign < sum(map(str.isalpha, text)):
        return ""
    counts = Counter({language: len(pattern.findall(text)) for language, pattern in letters})
    if counts["ja"] and counts["ja"] >= _HAN_WITH_KANA * counts["zh"]:
        return "ja"
    return max(counts, key=lambda language: counts[language])
