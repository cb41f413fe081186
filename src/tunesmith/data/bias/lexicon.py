"""Words that name groups of people, what people do and are, and what praises or blames.

    demographic.txt    female: she; her, hers; woman   ->   Term(words=("she",), group="female")

The files beside this one hold the words; the format of the first stands at its head.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
OTHER = "other"
"""The name of a line of phrases that name no group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A word or phrase of a group."""

    words: tuple[str, ...]
    """As the file has them: with a capital where it counts only so."""
    axis: str
    group: str
    """Empty for a phrase that names none."""
    slot: int
    """Terms of one axis and slot are each other's counterpart in their groups."""
    of_people: bool
    """Whether it counts only of people."""
    is_plain: bool
    """One word that counts wherever it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Everything that is known about words."""

    terms: Mapping[str, Mapping[str, tuple[Term, ...]]]
    """By language (empty for English), then by the first word in small letters, longest first."""
    axes: Mapping[str, tuple[str, ...]]
    """The groups of each axis."""
    people: frozenset[str]
    occupations: Mapping[str, str]
    """Singular by singular and plural."""
    qualities: frozenset[str]
    positive: frozenset[str]
    negative: frozenset[str]


@cache
def lexicon() -> Lexicon:
    """The words of all files, read once."""
    terms: dict[str, dict[str, list[Term]]] = {"": {}}
    axes: dict[str, list[str]] = {}
    for language, term in _terms():
        known = terms.setdefault(language, {})
        known.setdefault(term.words[0].lower(), []).append(term)
        groups = axes.setdefault(term.axis, [])
        if term.group and term.group not in groups:
            groups.append(term.group)
    occupations = {form: word for word in _words("occupations") for form in _forms(word)}
    signs = {sign: frozenset(_words("sentiment", sign)) for sign in ("positive", "negative")}
    return Lexicon(
        terms={
            language: {
                first: tuple(sorted(some, key=lambda term: -len(term.words)))
                for first, some in known.items()
            }
            for language, known in terms.items()
        },
        axes={axis: tuple(groups) for axis, groups in axes.items()},
        people=frozenset(_words("people")) | frozenset(occupations),
        occupations=occupations,
        qualities=frozenset(_words("qualities")),
        positive=signs["positive"],
        negative=signs["negative"],
    )


def _forms(word: str) -> tuple[str, str]:
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return word, plural.replace("mans", "men")


def _lines(name: str) -> Iterator[str]:
    text = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            yield line


def _words(name: str, sign: str = "") -> list[str]:
    """Words of a file; of one with signs, those after one sign."""
    lines = [line.partition(":") for line in _lines(name)] if sign else []
    texts = [words for head, _, words in lines if head == sign] if sign else list(_lines(name))
    return " ".join(texts).split()


def _terms() -> Iterator[tuple[str, Term]]:
    """The terms of demographic.txt, each with its language."""
    axis, language = "", ""
    for line in _lines("demographic"):
        if line.startswith("axis "):
            _, axis, *rest = line.split()
            language = rest[0] if rest else ""
            continue
        group, _, slots = line.partition(":")
        for slot, alternatives in enumerate(slots.split(";")):
            for text in alternatives.split(","):
                words = tuple(text.strip().removesuffix("~").split())
                of_people = text.strip().endswith("~")
                if words and words != ("-",):
                    yield (
                        language,
                        Term(
                            words=words,
                            axis=axis,
                            group="" if group == OTHER else group,
                            # Slots of different languages are no counterparts.
                            slot=slot + (1000 * sum(map(ord, language))),
                            of_people=of_people,
                            is_plain=len(words) == 1 and words[0].islower() and not of_people,
                        ),
                    )
