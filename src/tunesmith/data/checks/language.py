"""Rows in another language than the data's own.

    {"question": "Is it open?", "answer": "Ja, von zehn bis siebzehn Uhr."}   ->   other_language

Every row gets a glance (`data/tongues`); what differs from the rest is read once more by a
classifier, py3langid. A language that enough rows are in is one of the data's own; where the
data's languages are many, and where a row is about translation, nothing is said.
"""

from __future__ import annotations

import random
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from tunesmith.contracts import JsonObject
from tunesmith.data.audit.contracts import AuditRow, Found, Ground, Rule
from tunesmith.data.audit.rows import Rows
from tunesmith.data.function_words import FUNCTION_WORDS
from tunesmith.data.tongues import BY_SCRIPT, UNKNOWN, glance, is_prose, prose_of

RULES = {
    "other_language": Rule(
        severity="warn",
        why="The model would learn to change the language where nobody asked it to.",
        fix="translate the row, remove it, or say in its prompt which language is wanted",
        limit=0.1,
        limit_is="share of rows from which on a language is one of the data's own",
    ),
}
_MANY = 0.3
"""Share of rows outside the data's own languages above which the data is multilingual."""
_SAMPLE = 200
"""Rows of no known language that are classified to find the data's own."""
_AGREED = 0.3
"""How likely a language must be, to the classifier, where the small words say the same."""
_ALONE = 0.8
"""And where they say nothing."""
_UNLIKELY = 0.1
"""How unlikely the data's own languages must be."""
_MOST_CLASSIFIED = 5000
_EXCERPT = 120
_CODES = ("", UNKNOWN, *FUNCTION_WORDS, *BY_SCRIPT)
_NUMBERS = {code: number for number, code in enumerate(_CODES)}
_SIDES = ("prompt", "answer")

_RELATIVES = (
    frozenset({"no", "nn", "da"}),
    frozenset({"hr", "bs", "sr"}),
    frozenset({"id", "ms", "jv"}),
    frozenset({"en", "pcm"}),
    frozenset({"de", "lb"}),
    frozenset({"nl", "af", "fy"}),
    frozenset({"es", "gl", "ext", "an"}),
    frozenset({"fr", "wa", "oc"}),
    frozenset({"it", "vec", "lij"}),
    frozenset({"zh", "yue", "wuu", "ja"}),
    frozenset({"ar", "ary", "arz"}),
    frozenset({"hi", "mr", "ne", "sa"}),
    frozenset({"cs", "sk"}),
)
"""Languages that a classifier mistakes for one another in short texts."""
_LEARNED = frozenset({"la", "grc", "zxx"})
"""What terms of medicine and law look like; and what is no language."""
_SCRIPTS = (
    frozenset({"ru", "uk", "bg", "sr", "mk", "be", "kk", "ky", "tg", "tt", "ba", "mn"}),
    frozenset({"ar", "ary", "arz", "fa", "ur", "ps", "sdh", "ug"}),
)
"""Languages that share a script which no other writes in."""
_LANGUAGES = (
    "english|french|german|spanish|italian|portuguese|dutch|swedish|danish|norwegian|finnish"
    "|icelandic|polish|czech|slovak|hungarian|romanian|turkish|vietnamese|indonesian|tagalog"
    "|filipino|swahili|catalan|basque|welsh|irish|gaelic|lithuanian|latvian|estonian|albanian"
    "|latin|greek|russian|ukrainian|bulgarian|serbian|croatian|arabic|persian|farsi|urdu|hindi"
    "|bengali|punjabi|tamil|telugu|marathi|gujarati|thai|lao|burmese|khmer|hebrew|yiddish|chinese"
    "|mandarin|cantonese|japanese|korean|mongolian|esperanto|maori|hawaiian|zulu|yoruba"
    "|deutsch|français|español|italiano|português|русск|中文|日本語|한국어|العربية"
)
_TRANSLATION = re.compile(
    r"translat|traduc|traduire|tradui[st]|traduzi|tradução|übersetz|vertaal|översätt|oversett"
    r"|перевед|перевод|翻译|翻譯|翻訳|번역|ترجم|अनुवाद|çevir|przetłumacz|přelož|fordít|dịch sang"
    r"|terjemah|\blanguages?\b|\bspeak(?:s|ing)?\b"
    rf"|\b(?:in|into|to|from) (?:{_LANGUAGES})|\b(?:{_LANGUAGES}) (?:language|word|phrase|sentence"
    r"|text|translation|speaker|version|term|name|poem|greeting|lyrics|proverb|quote|grammar)",
    re.IGNORECASE,
)


def begin(ground: Ground) -> Language:
    """The check."""
    return Language(ground)


class Language:
    """A glance at every row; two bytes of each are kept."""

    def __init__(self, ground: Ground) -> None:
        """Begin with nothing seen."""
        self._share = ground.limits["other_language"]
        self._seed = ground.seed
        self._glances: dict[str, array[int]] = {side: array("B") for side in _SIDES}
        self._statistics: JsonObject = {}

    def see(self, row: AuditRow) -> Iterable[Found]:
        """Note the languages that prompt and answer seem to be in."""
        self._glances["prompt"].append(_NUMBERS[glance(row.prompt)])
        self._glances["answer"].append(_NUMBERS[glance(row.answer)])
        return ()

    def finish(self, rows: Rows) -> Iterator[Found]:
        """Read again what seems to be in another language than the data's own."""
        count = {
            _CODES[number]: sum(side.count(number) for side in self._glances.values())
            for number in range(1, len(_CODES))
        }
        judged = sum(count.values())
        if not judged:
            return
        languages = self._languages(rows, count)
        own = {name for name, share in languages.items() if share >= self._share}
        self._statistics["languages"] = {
            name: round(share, 4)
            for name, share in sorted(languages.items(), key=lambda pair: (-pair[1], pair[0]))
            if share >= self._share
        }
        strange = sorted(
            {index for side in self._glances.values() for index in self._strange(side, own)}
        )
        known = 1.0 - count[UNKNOWN] / judged
        if not own or sum(languages[name] for name in own) < (1.0 - _MANY) * min(1.0, known):
            self._statistics["multilingual"] = True
            return
        if len(strange) > _MOST_CLASSIFIED:
            strange = sorted(random.Random(self._seed).sample(strange, _MOST_CLASSIFIED))
        self._statistics["classified"] = len(strange)
        for index in strange:
            found = self._judged(rows.row(index), own)
            if found:
                yield found

    def statistics(self) -> JsonObject:
        """The data's own languages with their share, and how many rows were classified."""
        return self._statistics

    def _languages(self, rows: Rows, count: dict[str, int]) -> dict[str, float]:
        """The share of the languages; those of no known one by a sample."""
        judged = sum(count.values())
        shares = {name: number / judged for name, number in count.items() if number}
        unknown = shares.pop(UNKNOWN, 0.0)
        if unknown < self._share:
            return shares
        side = self._glances["answer"]
        candidates = [index for index, number in enumerate(side) if _CODES[number] == UNKNOWN]
        drawn = random.Random(self._seed).sample(candidates, min(_SAMPLE, len(candidates)))
        seen = Counter(_classified(rows.row(index).answer)[0] for index in sorted(drawn))
        for name, number in seen.items():
            shares[name] = shares.get(name, 0.0) + unknown * number / len(drawn)
        return shares

    def _strange(self, side: array[int], own: set[str]) -> Iterator[int]:
        ordinary = {_NUMBERS[""], *(_NUMBERS[name] for name in own if name in _NUMBERS)}
        if ordinary.issuperset(side):
            return
        for index, number in enumerate(side):
            if number not in ordinary:
                yield index

    def _judged(self, row: AuditRow, own: set[str]) -> Found | None:
        if _TRANSLATION.search(row.prompt) or any(
            piece.role == "system" and _TRANSLATION.search(piece.text) for piece in row.pieces
        ):
            return None
        foreign = {
            side: language
            for side, text in (("prompt", row.prompt), ("answer", row.answer))
            if (language := _foreign(text, own))
        }
        if not foreign:
            return None
        side = "answer" if "answer" in foreign else "prompt"
        where = "row" if len(foreign) == 2 else side
        usual = " or ".join(sorted(own))
        return Found(
            rule="other_language",
            message=f"the {where} is in another language ({foreign[side]}) than the data ({usual})",
            index=row.index,
            excerpt=(row.answer if side == "answer" else row.prompt)[:_EXCERPT],
        )


def _foreign(text: str, own: set[str]) -> str:
    """The language of a text that is not in one of the data's own; nothing for others."""
    seems = glance(text)
    if seems == "" or seems in own:
        return ""
    if seems in BY_SCRIPT:
        return seems if not _akin(seems, own) else ""
    prose = prose_of(text)
    if not is_prose(prose):
        return ""
    language, likely, like_own = _classified(prose, frozenset(own))
    for script in _SCRIPTS:
        if seems in script and not script & own:
            return language if language in script else seems
    if language in own | _LEARNED or _akin(language, own) or like_own > _UNLIKELY:
        return ""
    return language if likely >= (_AGREED if language == seems else _ALONE) else ""


def _akin(language: str, own: set[str]) -> bool:
    return any(language in group and group & own for group in _RELATIVES)


def _classified(text: str, own: frozenset[str] = frozenset()) -> tuple[str, float, float]:
    """The likeliest language, how likely it and its relatives are, and how likely the data's."""
    ranked: list[tuple[str, float]] = _identifier().rank(prose_of(text))
    language = ranked[0][0]
    kin = frozenset({language}).union(*(group for group in _RELATIVES if language in group))
    return (
        language,
        sum(share for name, share in ranked if name in kin),
        sum(share for name, share in ranked if name in own),
    )


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
