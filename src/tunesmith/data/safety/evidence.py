"""Small signs that add up.

    "pretend to be an AI" 0.3  +  "has no laws" 0.7  =  1.0

No one phrase has to be known word for word: each sign is a class of words near another, with
a weight; a text is what it is looked through for when signs of different kinds reach 1 within
`WITHIN` characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.data.safety.cued import Cued, Span

ENOUGH = 0.99
CONTEXT = 0.6
WITHIN = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A class of phrases; signs of one kind count once, the heaviest of them."""

    kind: str
    weight: float
    words: Cued
    is_context: bool = False
    """Says where something may be meant: adds `CONTEXT` at most, and is looked for only where
    there is something else."""


def sign(kind: str, weight: float, cues: tuple[str, ...], pattern: str, reach: int = 140) -> Sign:
    """A sign whose expression is tried near its cues."""
    words = Cued(cues=cues, pattern=re.compile(pattern), reach=reach)
    return Sign(kind=kind, weight=weight, words=words)


def context(kind: str, weight: float, cues: tuple[str, ...], pattern: str) -> Sign:
    """A sign that means nothing alone."""
    words = Cued(cues=cues, pattern=re.compile(pattern), reach=130)
    return Sign(kind=kind, weight=weight, words=words, is_context=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was seen: the heaviest kind, and where it stands."""

    kind: str
    span: Span


def weigh(text: str, signs: Sequence[Sign]) -> Evidence | None:
    """The evidence in a text in small letters, or None where it does not suffice.

    Signs of context come last in `signs`.
    """
    seen: dict[str, tuple[Sign, Span]] = {}
    possible: dict[tuple[str, ...], bool] = {}
    for sign in signs:
        if sign.is_context and not seen:
            return None
        if sign.kind in seen and seen[sign.kind][0].weight >= sign.weight:
            continue
        cues = sign.words.cues
        if cues not in possible:
            possible[cues] = sign.words.possible(text)
        if not possible[cues]:
            continue
        span = sign.words.search(text)
        if span is None:
            continue
        seen[sign.kind] = (sign, span)
        near = [one for one, at in seen.values() if abs(at[0] - span[0]) <= WITHIN]
        facts = sum(one.weight for one in near if not one.is_context)
        context = sum(one.weight for one in near if one.is_context)
        if facts + min(context, CONTEXT) >= ENOUGH:
            kind = max(near, key=lambda one: one.weight).kind
            return Evidence(kind=kind, span=seen[kind][1])
    return None
