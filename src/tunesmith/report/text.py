"""Text out of data files, made safe to look at.

Escaping for HTML is the template engine's. Here control characters (terminal colours, bells,
zero bytes) and characters that reverse or hide text become visible ones.
"""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_INVISIBLE = re.compile(
    "[\x80-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
# Joiners are part of emoji and of several scripts: they stay.
_JOINERS = "\u200c\u200d"
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~&])")


def visible(text: str, longest: int = 20_000) -> str:
    """The text with control and invisible characters spelled out, cut where it is very long."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    cut = len(text) > longest
    text = _CONTROL.sub(_pictured, text[:longest])
    text = _INVISIBLE.sub(_named, text)
    text = text.encode("utf-8", "replace").decode("utf-8")
    return f"{text} … (cut)" if cut else text


def markdown(text: str) -> str:
    """Text in the middle of a line, in which nothing is Markdown or HTML."""
    return _MARKDOWN.sub(r"\\\1", " ".join(visible(text).split()))


def _pictured(found: re.Match[str]) -> str:
    """Unicode's picture of a control character: ESC is ␛."""
    code = ord(found.group())
    return "␡" if code == 0x7F else chr(0x2400 + code)


def _named(found: re.Match[str]) -> str:
    character = found.group()
    return character if character in _JOINERS else f"⟨U+{ord(character):04X}⟩"
