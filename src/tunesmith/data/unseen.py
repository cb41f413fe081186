r"""Characters that nobody sees: control characters, and invisible ones without a task.

    "ig\u200bnore\x00"   ->   "ignore"        "\x1b[31mred\x1b[0m"   ->   "red"

Many invisible characters have work to do and stay: the joiners of emoji, of Persian and of the
Indic scripts, the break points of Thai and Khmer, direction marks beside right-to-left text, the
tags of a flag. Everywhere else they split words into tokens that no reader types, or hide text.
"""

from __future__ import annotations

import re

_ANSI = "\x1b\\[[0-9;?]*[ -/]*[@-~]"
_CONTROL = re.compile(f"{_ANSI}|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_PAGE_BREAKS = frozenset("\x0b\x0c")

_JOINERS = "\u200c\u200d"
_MARKS = "\u200e\u200f\u061c"
_EMBEDDINGS = "\u202a-\u202e\u2066-\u2069"
_OVERRIDES = "\u202d\u202e"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_TAGS = "\U000e0000-\U000e007f"
_IDLE = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb"
)
_INVISIBLE = re.compile(f"[{_IDLE}{_JOINERS}{_MARKS}{_EMBEDDINGS}{_SELECTORS}{_TAGS}]")

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_JOINED = re.compile(
    "[\u0590-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ua840-\uabff\ufb50-\ufdff\ufe70-\ufefc]"
)
"""Scripts that shape letters by joiners: Arabic (Persian, Urdu), Indic, Mongolian, Khmer."""
_BREAKS_UNSEEN = re.compile("[\u0e00-\u0eff\u0f00-\u109f\u1780-\u17ff\u1950-\u1aad\u3040-\u9fff]")
"""Scripts without spaces, where a zero-width space marks where a line may break."""
_PICTURE = re.compile(
    "[\u00a9\u00ae\u203c\u2049\u20e3\u2122\u2139\u2190-\u27bf\u2900-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff\ufe0f0-9#*]"
)
_FLAG = "\U0001f3f4"
_LONGEST_FLAG = 6
"""Letters of a region's code, as in the flag of Scotland."""
_IDEOGRAPH = re.compile(
    "[\u1800-\u18af\u2200-\u22ff\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003134f]"
)
"""What takes a variation selector besides pictures: ideographs, Mongolian, operators."""


def control_at(text: str) -> tuple[int, int] | None:
    """Where the first control character (or terminal sequence) stands, begin and end."""
    if text.replace("\n", " ").replace("\t", " ").isprintable():
        return None
    found = _CONTROL.search(text)
    return found.span() if found else None


def invisible_at(text: str) -> tuple[int, int] | None:
    """Where the first invisible character without a task stands, begin and end."""
    if text.isascii():
        return None
    if not _INVISIBLE.search(text):
        return None
    directed = _RIGHT_TO_LEFT.search(text) is not None
    for found in _INVISIBLE.finditer(text):
        if not _has_a_task(text, found.start(), directed):
            return found.span()
    return None


def without_controls(text: str) -> str:
    """The text without control characters; a page break becomes a line break."""
    return _CONTROL.sub(lambda found: "\n" if found.group() in _PAGE_BREAKS else "", text)


def without_invisible(text: str) -> str:
    """The text without the invisible characters that have no task in it."""
    if text.isascii() or not _INVISIBLE.search(text):
        return text
    directed = _RIGHT_TO_LEFT.search(text) is not None

    def kept(found: re.Match[str]) -> str:
        return found.group() if _has_a_task(found.string, found.start(), directed) else ""

    while (shorter := _INVISIBLE.sub(kept, text)) != text:
        text = shorter
    return text


def _has_a_task(text: str, at: int, directed: bool) -> bool:
    character = text[at]
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if character in _JOINERS:
        if _JOINED.match(before):
            return True
        return character == "\u200d" and bool(_PICTURE.match(before) and _PICTURE.match(after))
    if character == "\u200b":
        return bool(_BREAKS_UNSEEN.match(before) or _BREAKS_UNSEEN.match(after))
    if (
        character in _MARKS
        or "\u202a" <= character <= "\u202e"
        or "\u2066" <= character <= "\u2069"
    ):
        return directed and character not in _OVERRIDES
    if "\ufe00" <= character <= "\ufe0f":
        return bool(_PICTURE.match(before) or _IDEOGRAPH.match(before))
    if "\U000e0100" <= character <= "\U000e01ef":
        return bool(_IDEOGRAPH.match(before))
    if "\U000e0020" <= character <= "\U000e007f":
        return _in_flag(text, at)
    return False


def _in_flag(text: str, at: int) -> bool:
    """Whether a tag belongs to a flag: a black flag, at most six letters, and the closing tag."""
    start = end = at
    while at - start <= _LONGEST_FLAG and "\U000e0020" <= text[start - 1 : start] <= "\U000e007f":
        start -= 1
    while end - at <= _LONGEST_FLAG and "\U000e0020" <= text[end : end + 1] <= "\U000e007e":
        end += 1
    closed = text[end : end + 1] == "\U000e007f"
    return text[start - 1 : start] == _FLAG and closed and end - start <= _LONGEST_FLAG
