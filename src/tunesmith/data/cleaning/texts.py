r"""A text put right: its encoding, what is unseen in it, the space around it, what is personal.

    " Donâ€™t ask\u200b ada@mail.org \n"   ->   "Don’t ask [EMAIL_1]"

What comes out is left as it is when it comes in again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tunesmith.data.markup import entities_decoded
from tunesmith.data.mojibake import unmangled
from tunesmith.data.personal import Redactor
from tunesmith.data.text_repair import repaired
from tunesmith.data.unseen import without_controls, without_invisible

TRIMMED = "space_around"
_STEPS = (
    ("mojibake", unmangled),
    ("control_character", without_controls),
    ("invisible_character", without_invisible),
    ("markup", entities_decoded),
)
_NOT_COMPOSED = "not_nfc"
_BLANK_START = re.compile(r"\A(?:[^\S\n]*\n)+")
_INDENTED = re.compile(r"\n[ \t]+\S")
_PLACEHOLDER = re.compile(r"\[([A-Z_]+)_[0-9]+\]")
_MOST_ROUNDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """A text, and what was done to it."""

    text: str
    why: tuple[str, ...] = ()
    """Rules of the audit, and TRIMMED; none where nothing was done."""


def mended(text: str, redactor: Redactor | None, *, announced: str = "", trim: bool) -> Mended:
    """The text put right.

    Args:
        text: as it stands in the row.
        redactor: replaces what is personal or secret; None leaves it.
        announced: the key that the text stands under, where that tells what it is.
        trim: also remove the space around it.
    """
    why: dict[str, None] = {}
    for _ in range(_MOST_ROUNDS):
        better = repaired(text)
        if better != text:
            why.update(dict.fromkeys(_reasons(text)))
        if trim and (short := trimmed(better)) != better:
            why[TRIMMED] = None
            better = short
        if redactor is not None:
            better, found = redacted(better, redactor, announced)
            why.update(dict.fromkeys(found))
        if better == text:
            break
        text = better
    return Mended(text=text, why=tuple(why))


def trimmed(text: str) -> str:
    """The text without the space around it; the first line of indented code stays indented."""
    bare = text.rstrip()
    if not bare[:1].isspace():
        return bare
    started = _BLANK_START.sub("", bare)
    return started if _INDENTED.search(started) and started[:1] in " \t" else started.lstrip()


def redacted(text: str, redactor: Redactor, announced: str = "") -> tuple[str, tuple[str, ...]]:
    """The text with placeholders, and the rules of what they stand for."""
    start = f"{announced}: " if announced else ""
    whole = redactor.redact(start + text)
    out = whole.removeprefix(start) if whole.startswith(start) else redactor.redact(text)
    if out == text:
        return text, ()
    counts = Counter(_PLACEHOLDER.findall(out))
    counts.subtract(_PLACEHOLDER.findall(text))
    return out, tuple(sorted(kind.lower() for kind, count in counts.items() if count > 0))


def _reasons(text: str) -> Iterator[str]:
    found = [rule for rule, step in _STEPS if step(text) != text]
    yield from found or [_NOT_COMPOSED]
