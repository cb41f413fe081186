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
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from tunesmith.contracts import JsonObject
from tunesmith.data.audit.contracts import AuditRow, Found, Ground, Rule
from tunesmith.data.audit.rows import Rows
from tunesmith.data.function_words import LANGUAGES
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
_OFTEN = 64
"""After so many rows the commonest language is determined again."""
_EXCERPT = 120
_UNTOLD = ("", UNKNOWN)
_CODES = (*_UNTOLD, *LANGUAGES, *BY_SCRIPT)
_NUMBERS = {code: number for number, code in enumerate(_CODES)}
_SIDES = ("prompt", "answer")
_ASKING = ("user", "text")
"""Roles whose untrained words are the prompt."""

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
    r"|terjemah|(?<!natural )(?<!programming )(?<!query )(?<!plain )(?<!body )\blanguages?\b"
    rf"|\b(?:in|into|to|from|speaks?|speaking) (?:{_LANGUAGES})"
    rf"|\b(?:{_LANGUAGES}) (?:language|word|phrase|sentence"
    r"|text|translation|speaker|version|term|name|poem|greeting|lyrics|proverb|quote|grammar)",
    re.IGNORECASE,
)


def begin(ground: Ground) -> Language:
    """The check."""
    return Language(ground)


class Language:
    """A glance at every text of every row; of each row two bytes are kept."""

    def __init__(self, ground: Ground) -> None:
        """Begin with nothing seen."""
        self._share = ground.limits["other_language"]
        self._seed = ground.seed
        self._count: Counter[str] = Counter()
        self._glances: dict[str, array[int]] = {side: array("B") for side in _SIDES}
        self._statistics: JsonObject = {}
        self._usual = ""

    def see(self, row: AuditRow) -> Iterable[Found]:
        """Note the languages that prompt and answer seem to be in."""
        for side in _SIDES:
            usual, rarest = _seen([glance(text, self._usual) for text in _texts(row, side)])
            self._count[usual] += 1
            self._glances[side].append(_NUMBERS[rarest])
        if row.index % _OFTEN == 0:
            self._usual = max(
                self._count, key=lambda name: (name not in _UNTOLD, self._count[name])
            )
        return ()

    def finish(self, rows: Rows) -> Iterator[Found]:
        """Read again what seems to be in another language than the data's own."""
        del self._count[""]
        judged = self._count.total()
        if not judged:
            return
        shares = self._shares(rows, judged)
        own = {name for name, share in shares.items() if share >= self._share}
        self._statistics["languages"] = {
            name: round(shares[name], 4) for name in sorted(own, key=lambda n: (-shares[n], n))
        }
        if not own or sum(shares[name] for name in own) < (1.0 - _MANY) * sum(shares.values()):
            self._statistics["multilingual"] = True
            return
        ordinary = {_NUMBERS[""], *(_NUMBERS[name] for name in own if name in _NUMBERS)}
        strange = [
            index
            for index, sides in enumerate(zip(*self._glances.values(), strict=True))
            if not ordinary.issuperset(sides)
        ]
        if len(strange) > _MOST_CLASSIFIED:
            strange = sorted(random.Random(self._seed).sample(strange, _MOST_CLASSIFIED))
        self._statistics["classified"] = len(strange)
        for index in strange:
            found = _judged(rows.row(index), own)
            if found:
                yield found

    def statistics(self) -> JsonObject:
        """The data's own languages with their share, and how many rows were classified."""
        return self._statistics

    def _shares(self, rows: Rows, judged: int) -> dict[str, float]:
        """The share of each language; what no small word tells is classified in a sample."""
        shares = {name: number / judged for name, number in self._count.items()}
        unknown = shares.pop(UNKNOWN, 0.0)
        if unknown < self._share:
            return shares
        number = _NUMBERS[UNKNOWN]
        drawn = [
            (index, side)
            for side, numbers in self._glances.items()
            for index, one in enumerate(numbers)
            if one == number
        ]
        drawn = random.Random(self._seed).sample(drawn, min(_SAMPLE, len(drawn)))
        seen = Counter(
            _classified(" ".join(_texts(rows.row(index), side)))[0] for index, side in sorted(drawn)
        )
        for name, count in seen.items():
            shares[name] = shares.get(name, 0.0) + unknown * count / len(drawn)
        return shares


def _texts(row: AuditRow, side: str) -> list[str]:
    """The user's words, or the trained ones, turn by turn."""
    if side == "answer":
        return [piece.text for piece in row.pieces if piece.trained]
    return [piece.text for piece in row.pieces if piece.role in _ASKING and not piece.trained]


def _seen(glances: Sequence[str]) -> tuple[str, str]:
    """The language of most texts, and that of fewest; nothing where none can be told."""
    if len(glances) == 1:
        return glances[0], glances[0]
    count = Counter(glances)
    del count[""]
    if not count:
        return "", ""
    ordered = sorted(count, key=lambda name: (count[name], name))
    return ordered[-1], ordered[0]


def _judged(row: AuditRow, own: set[str]) -> Found | None:
    asked = (piece.text for piece in row.pieces if piece.role in ("system", *_ASKING))
    if any(_TRANSLATION.search(text) for text in asked):
        return None
    foreign: dict[str, tuple[str, str]] = {}
    for side in _SIDES:
        for text in _texts(row, side):
            if language := _foreign(text, own):
                foreign[side] = language, text
                break
    if not foreign:
        return None
    language, text = foreign.get("answer") or foreign["prompt"]
    where = "row" if len(foreign) == len(_SIDES) else next(iter(foreign))
    return Found(
        rule="other_language",
        message=f"the {where} is in another language ({language}) than the data "
        f"({' or '.join(sorted(own))})",
        index=row.index,
        excerpt=text[:_EXCERPT],
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
