r"""Text whose UTF-8 bytes were read as Latin-1 or Windows-1252, once or more, made right again.

    "donâ€™t, cafÃ©"   ->   "don’t, café"        "don\x92t"   ->   "don’t"

A stretch counts as broken only where it *is* UTF-8 (it decodes), and where what it decodes to is
likelier than what stands there: "«été »" with its no-break space decodes as well, to a Chinese
character, and is left alone. What is likely depends on the script: one Latin letter or sign
suffices, of Greek, Chinese and the like two must stand together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BYTE_OF: dict[str, int] = {chr(byte): byte for byte in range(0x80, 0x100)}
for _byte in range(0x80, 0x100):
    # Windows-1252 leaves five bytes undefined; readers keep those as Latin-1 does.
    _BYTE_OF[bytes([_byte]).decode("cp1252", errors="replace").replace("\ufffd", chr(_byte))] = (
        _byte
    )


def _class(first: int, last: int) -> str:
    """A character class of all that stands for a byte from `first` to `last`."""
    return "[" + "".join(re.escape(c) for c, b in _BYTE_OF.items() if first <= b <= last) + "]"


_NEXT = _class(0x80, 0xBF)
_SEQUENCE = (
    f"{_class(0xC2, 0xDF)}{_NEXT}|{_class(0xE0, 0xEF)}{_NEXT}{{2}}|{_class(0xF0, 0xF4)}{_NEXT}{{3}}"
)
_LOST = "â€"
"""A closing quotation mark whose last byte got lost, as Windows-1252 does not define it."""
_RUN = re.compile(f"(?:{_SEQUENCE})+|{_LOST}")
_C1 = re.compile("[\x80-\x9f]")
_WINDOWS = {code: bytes([code]).decode("cp1252", errors="ignore") for code in range(0x80, 0xA0)}
"""What Windows-1252 means by the control characters of Latin-1; five mean nothing."""

_CLOSING = frozenset("”’»…–—“‘›‹„‚™®©°¹²³\xa0´¨·¡¿§¶†‡•¸")
"""Signs that may well follow a capital letter in sound text: “MENÜ”, Ä…, CAFÉ™."""

# First code point, last code point, script, and whether one character is evidence enough.
_LIKELY: tuple[tuple[int, int, str, bool], ...] = (
    (0x0080, 0x009F, "sign", False),
    (0x00A0, 0x00BF, "sign", True),
    (0x00C0, 0x017F, "latin", True),
    (0x0192, 0x0192, "latin", True),
    (0x01A0, 0x01B0, "latin", True),
    (0x01CD, 0x01DC, "latin", True),
    (0x0218, 0x021B, "latin", True),
    (0x0259, 0x0259, "latin", True),
    (0x02C6, 0x02DC, "sign", True),
    (0x0300, 0x036F, "latin", True),
    (0x0370, 0x03FF, "greek", True),
    (0x0400, 0x052F, "cyrillic", False),
    (0x0531, 0x058F, "armenian", False),
    (0x0591, 0x05F4, "hebrew", False),
    (0x0600, 0x06FF, "arabic", False),
    (0x0900, 0x0DFF, "indic", False),
    (0x0E00, 0x0EFF, "thai", False),
    (0x1000, 0x109F, "burmese", False),
    (0x10A0, 0x10FF, "georgian", False),
    (0x1200, 0x137F, "ethiopic", False),
    (0x1780, 0x17FF, "khmer", False),
    (0x1E00, 0x1EFF, "latin", True),
    (0x1F00, 0x1FFF, "greek", False),
    (0x2000, 0x27BF, "sign", True),
    (0x27C0, 0x27FF, "sign", True),
    (0x2900, 0x2BFF, "sign", True),
    (0x3000, 0x9FFF, "chinese", False),
    (0xAC00, 0xD7A3, "korean", False),
    (0xF900, 0xFAFF, "chinese", False),
    (0xFB00, 0xFB06, "latin", True),
    (0xFE00, 0xFE0F, "sign", True),
    (0xFE30, 0xFE4F, "chinese", False),
    (0xFEFF, 0xFEFF, "sign", True),
    (0xFF00, 0xFFEF, "chinese", False),
    (0xFFFD, 0xFFFD, "sign", True),
    (0x1D400, 0x1D7FF, "sign", True),
    (0x1F000, 0x1FAFF, "sign", True),
    (0x20000, 0x3134F, "chinese", False),
    (0xE0000, 0xE007F, "sign", True),
)


_EUROPEAN = frozenset({"sign", "latin", "greek"})
"""Scripts that occur in one text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """A run that decodes: where it stands, what it would be, and what speaks for that."""

    start: int
    end: int
    decoded: str
    scripts: frozenset[str]
    evident: bool


def unmangled(text: str) -> str:
    """The text as it was before it was read in the wrong encoding; sound text is unchanged."""
    if text.isascii():
        return text
    while True:
        found = _broken(text)
        if not found:
            return _windows(text)
        pieces: list[str] = []
        done = 0
        for stretch in found:
            pieces += (text[done : stretch.start], stretch.decoded)
            done = stretch.end
        text = "".join(pieces) + text[done:]


def mangled_span(text: str) -> tuple[int, int] | None:
    """Where the first broken stretch stands, begin and end; nothing in sound text."""
    if text.isascii():
        return None
    found = _broken(text)
    if found:
        return found[0].start, found[0].end
    control = _C1.search(text)
    if control and _windows(text) != text:
        return control.span()
    return None


def _broken(text: str) -> list[_Stretch]:
    """The stretches to be decoded, in order."""
    stretches = [s for match in _RUN.finditer(text) if (s := _stretch(text, match)) is not None]
    known = frozenset(script for s in stretches if s.evident for script in s.scripts)
    if known & _EUROPEAN:
        known |= _EUROPEAN
    return [s for s in stretches if s.evident or s.scripts <= known]


def _stretch(text: str, match: re.Match[str]) -> _Stretch | None:
    source = match.group()
    if source == _LOST:
        decoded = "”"
    else:
        try:
            decoded = bytes(_BYTE_OF[character] for character in source).decode("utf-8")
        except UnicodeDecodeError:
            return None
    scripts: set[str] = set()
    evident = False
    at = match.start()
    for character in decoded:
        kind = _likely(ord(character))
        if kind is None:
            return None
        scripts.add(kind[0])
        end = min(at + len(character.encode()), match.end())
        evident = evident or (kind[1] and not _could_be_meant(text, at, end))
        at = end
    foreign = scripts - _EUROPEAN
    return _Stretch(
        start=match.start(),
        end=match.end(),
        decoded=decoded,
        scripts=frozenset(scripts),
        evident=(len(decoded) > 1 and len(foreign) == 1 and "latin" not in scripts)
        if foreign
        else evident,
    )


def _could_be_meant(text: str, start: int, end: int) -> bool:
    """Whether what decodes to one character may as well be a letter and the signs after it."""
    source, before, after = text[start:end], text[start - 1 : start], text[end : end + 1]
    if _C1.search(source) or source[-1] not in _CLOSING or source == "Ã\xa0":
        return False
    if len(source) == 2:
        if source[0] in "ÂÎÏ" or source == "È™":
            return before.isupper() or (before != "" and before in "«“„'\"")
        return source == "Å\xa0" or not (after.isalpha() or before.islower())
    if len(source) == 3:
        return source[1] in _CLOSING and source[:2] != "â€" and not after.isalpha()
    return False


def _likely(code: int) -> tuple[str, bool] | None:
    for first, last, script, alone in _LIKELY:
        if first <= code <= last:
            return script, alone
        if code < first:
            return None
    return None


def _windows(text: str) -> str:
    """Windows-1252 that was read as Latin-1: its quotation marks and dashes are controls there."""
    controls = set(_C1.findall(text)) - {"\x85"}
    # One undefined byte shows that this was no Windows-1252; U+0085 alone is a line break.
    if not controls or any(not _WINDOWS[ord(control)] for control in controls):
        return text
    return text.translate(_WINDOWS)
