"""Who a text speaks of.

    "She met an old man in the Black Forest."  ->  female "She", old "old", male "man"

Words with many meanings count only where they are said of people: "black woman" and "they
are black", not "black tea"; "Polish", not "polish". A phrase that names no group ("men and
women", "Indian summer") takes its words with it.

A text is looked at as tokens: words without marks, and STOP where a sentence ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tunesmith.data.bias.lexicon import Term, lexicon

STOP = "."
# Between prompt and answer: no text holds it, and a sentence ends there as well.
_ANSWER = "\0"
_MARKS = ",;:()[]{}<>\"'’“”„«»¿¡*_-/|#"
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_SOMEBODY = frozenset(["i", "you", "he", "she", "we", "they", "who", "people"])
_BE = frozenset(["am", "is", "are", "was", "were", "be", "being", "been", "re", "s", "m"])
_NEGATIONS = frozenset(["not", "no", "never", "t", "without", "hardly"])
_FEW = 3
_ENGLISH_STOPS = frozenset(["the", "and", "of", "to", "is", "in", "that", "was"])
_STOP_WORDS: Mapping[str, str] = {
    "de": "und der die das nicht ist ein eine mit den im auf ich sie zu",
    "fr": "le la les et est une un des dans pour pas que elle il ne",
    "es": "el la los las y es una un por con que para no del se",
}
_STOPS = {language: frozenset(words.split()) for language, words in _STOP_WORDS.items()}
_WORDS = lexicon()
_FOREIGN = frozenset(
    first for language, known in _WORDS.terms.items() if language for first in known
)
_TRIGGERS = _FOREIGN | frozenset(_WORDS.terms[""])
_SIGNED = _WORDS.positive | _WORDS.negative
_DESCRIBING = _WORDS.qualities | frozenset(_WORDS.occupations)


@dataclass(frozen=True, slots=True)
class Mention:
    """A term, and where it stands among the tokens of a text."""

    term: Term
    start: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence that mentions a group."""

    trained: bool
    alone: Mapping[str, str]
    """The group by axis, where the sentence mentions one of that axis only."""
    described: frozenset[str]
    """Occupations, in the singular, and qualities in it."""
    sentiment: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Who a row mentions."""

    tokens: Sequence[str]
    """Of the prompt and the answer, in small letters."""
    answer_at: int
    """Where the answer's tokens begin."""
    mentions: Sequence[Mention]

    def alone(self, *, asked_only: bool = False) -> dict[str, str]:
        """The group by axis, where one of that axis is mentioned only."""
        return _alone(self.asked if asked_only else self.mentions)

    @property
    def asked(self) -> list[Mention]:
        """Mentions in the prompt."""
        return [one for one in self.mentions if one.start < self.answer_at]

    @property
    def answered(self) -> list[Mention]:
        """Mentions in the answer."""
        return [one for one in self.mentions if one.start >= self.answer_at]

    def sentences(self) -> list[Sentence]:
        """The sentences with a mention."""
        found: list[Sentence] = []
        mentions = list(self.mentions)
        while mentions:
            start, end = _bounds(self.tokens, mentions[0].start)
            inside = [one for one in mentions if one.start < end]
            mentions = mentions[len(inside) :]
            found.append(_sentence(self.tokens[start:end], start, inside, self.answer_at))
        return found


def _tokens_of(text: str) -> list[str]:
    """Words and STOP. Replacing marks and splitting is thrice as fast as a pattern."""
    for mark in _MARKS:
        if mark in text:
            text = text.replace(mark, " ")
    for mark in "!?\n":
        if mark in text:
            text = text.replace(mark, ". ")
    return f"{text} ".replace(". ", " . ").split()


def reading_of(prompt: str, answer: str) -> Reading | None:
    """Who is mentioned; None where nobody is."""
    text = f"{prompt.replace(_ANSWER, ' ')}\n{_ANSWER} {answer.replace(_ANSWER, ' ')}"
    tokens = _tokens_of(text.lower())
    if _TRIGGERS.isdisjoint(tokens):
        return None
    written = _tokens_of(text)
    if len(written) != len(tokens):
        # A few capital letters are two characters when small.
        tokens = [token.lower() for token in written]
    mentions = _mentions(written, tokens)
    if not mentions:
        return None
    return Reading(tokens=tokens, answer_at=tokens.index(_ANSWER), mentions=mentions)


def sentences_of(text: str) -> list[str]:
    """A text in sentences, as it is written; lines end one as well."""
    return [part for part in _SENTENCE.split(text) if part]


def _language_of(tokens: Sequence[str]) -> str:
    """German, French or Spanish where the text is clearly so, else empty."""
    if _FOREIGN.isdisjoint(tokens):
        return ""
    words = set(tokens)
    counts = {language: len(stops & words) for language, stops in _STOPS.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] >= 2 and counts[best] > len(words & _ENGLISH_STOPS) else ""


def _mentions(written: Sequence[str], tokens: Sequence[str]) -> list[Mention]:
    known = _WORDS.terms[_language_of(tokens)]
    found: list[Mention] = []
    free = 0
    for place, token in enumerate(tokens):
        if token in known and place >= free:
            term = _term_at(written, tokens, place, known[token])
            if term is not None:
                free = place + len(term.words)
                if term.group:
                    found.append(Mention(term, place))
    return found


def _term_at(
    written: Sequence[str], tokens: Sequence[str], place: int, terms: Sequence[Term]
) -> Term | None:
    for term in terms:
        if term.is_plain:
            return term
        end = place + len(term.words)
        if (
            end <= len(tokens)
            and all(
                word == (written[place + step] if word[0].isupper() else tokens[place + step])
                for step, word in enumerate(term.words)
            )
            and (not term.of_people or _is_of_people(tokens, place, end))
        ):
            return term
    return None


def _is_of_people(tokens: Sequence[str], start: int, end: int) -> bool:
    """Whether a person follows within two words, or somebody is said to be it."""
    if not _WORDS.people.isdisjoint(tokens[end : end + 2]):
        return True
    return any(
        start >= back and tokens[start - back + 1] in _BE and tokens[start - back] in _SOMEBODY
        for back in (2, 3)
    )


def _alone(mentions: Iterable[Mention]) -> dict[str, str]:
    groups: dict[str, str] = {}
    several: set[str] = set()
    for mention in mentions:
        axis, group = mention.term.axis, mention.term.group
        if groups.setdefault(axis, group) != group:
            several.add(axis)
    for axis in several:
        del groups[axis]
    return groups


def _bounds(tokens: Sequence[str], place: int) -> tuple[int, int]:
    """Where the sentence around a token begins and ends."""
    start = end = place
    while start > 0 and tokens[start - 1] != STOP:
        start -= 1
    while end < len(tokens) and tokens[end] != STOP:
        end += 1
    return start, end


def _sentence(
    tokens: Sequence[str], start: int, mentions: Sequence[Mention], answer_at: int
) -> Sentence:
    describing = _DESCRIBING.intersection(tokens)
    if describing:
        for one in mentions:
            begin = one.start - start
            describing = describing.difference(tokens[begin : begin + len(one.term.words)])
    jobs = _WORDS.occupations
    return Sentence(
        start >= answer_at,
        _alone(mentions),
        frozenset(jobs.get(word, word) for word in describing),
        sentiment_of(tokens),
    )


def sentiment_of(tokens: Sequence[str]) -> float:
    """Praise less blame among the words that do either, -1 to 1; 0 where none does."""
    if _SIGNED.isdisjoint(tokens):
        return 0.0
    good = bad = 0
    for place, word in enumerate(tokens):
        if word in _SIGNED:
            is_good = word in _WORDS.positive
            if not _NEGATIONS.isdisjoint(tokens[max(0, place - _FEW) : place]):
                is_good = not is_good
            good += is_good
            bad += not is_good
    return (good - bad) / (good + bad)
