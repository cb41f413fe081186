"""Answers out of one mould: what stays, and where something is put in.

    The prevalence of gout is unknown.
    The prevalence of chronic back pain is unknown.
        ->   the prevalence of ... is unknown

Answers of one template begin alike, end alike, or share their smallest run of words:
three marks of each answer are enough to gather them, whatever stands in the gaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from zlib import crc32

from tunesmith.data.near.text import words

MARKS = 3
_RUN = 4
_LOOKED_AT = 80
"""Words of an answer that are compared."""
_FIXED = 0.5
"""Share of an answer's words that must be the template's."""
_AGREEING = 0.8
"""Share of the answers that must follow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What answers have in common."""

    pattern: str
    """The common words, with `...` where they differ."""
    fixed: float
    """Share of the words that are common."""


def marks(found: list[str]) -> tuple[int, ...]:
    """Of an answer's words: its beginning, its end, and its smallest run, 32 bits each."""
    plain = ["0" if word.isdigit() else word for word in found[:_LOOKED_AT]]
    end = ["0" if word.isdigit() else word for word in found[-_RUN:]]
    runs = (" ".join(plain[place : place + 3]) for place in range(max(1, len(plain) - 2)))
    return (
        crc32(" ".join(plain[:_RUN]).encode("utf-8", "replace")),
        crc32(" ".join(end).encode("utf-8", "replace")),
        min(crc32(run.encode("utf-8", "replace")) for run in runs),
    )


def template_of(answers: Sequence[str]) -> Template | None:
    """The template of some answers; None where most of their words are their own."""
    texts = [words(answer)[:_LOOKED_AT] for answer in answers]
    first = min(texts, key=len)
    matches = [_blocks(first, text) for text in texts if text is not first]
    shares = [
        2 * len(places) / (len(first) + len(text))
        for places, text in zip(matches, (text for text in texts if text is not first), strict=True)
    ]
    agreeing = [share >= _FIXED for share in shares]
    if not shares or sum(agreeing) < _AGREEING * len(agreeing):
        return None
    held = [places for places, agrees in zip(matches, agreeing, strict=True) if agrees]
    common = [
        place
        for place in range(len(first))
        if sum(place in places for places in held) >= _AGREEING * len(held)
    ]
    return Template(pattern=_pattern(first, common), fixed=sum(shares) / len(shares))


def _blocks(one: list[str], other: list[str]) -> set[int]:
    """Places of `one` that it shares with `other`, in order."""
    matcher = SequenceMatcher(a=one, b=other, autojunk=False)
    return {
        place
        for block in matcher.get_matching_blocks()
        for place in range(block.a, block.a + block.size)
    }


def _pattern(first: list[str], common: list[int]) -> str:
    shown: list[str] = []
    before = -1
    for place in common:
        if place != before + 1:
            shown.append("...")
        shown.append(first[place])
        before = place
    if before != len(first) - 1:
        shown.append("...")
    return " ".join(shown)
