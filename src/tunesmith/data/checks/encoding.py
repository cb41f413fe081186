"""Texts that went through the wrong hands: wrong encoding, lost or unseen characters, markup.

{"question": "What is a cafÃ©?", "answer": "<p>A place&nbsp;to drink coffee.</p>"}
->   mojibake, markup
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from tunesmith.contracts import JsonObject
from tunesmith.data.audit.contracts import AuditRow, Found, Ground, Rule
from tunesmith.data.audit.rows import Rows
from tunesmith.data.markup import markup_at
from tunesmith.data.mojibake import mangled_span, unmangled
from tunesmith.data.replaced import replaced_at
from tunesmith.data.unseen import control_at, invisible_at

RULES = {
    "mojibake": Rule(
        severity="warn",
        why="Letters that were read in the wrong encoding are learnt as they stand.",
        fix="read the file as UTF-8 where it was made, or let `tunesmith clean` repair it",
    ),
    "replacement_character": Rule(
        severity="warn",
        why="Characters were lost on the way, and the model would learn the gaps.",
        fix="go back to the source and read it in its own encoding, or remove the row",
    ),
    "control_character": Rule(
        severity="warn",
        why="Control characters become tokens that no reader types or sees.",
        fix="remove them; `tunesmith clean` does",
    ),
    "invisible_character": Rule(
        severity="warn",
        why="Invisible characters split words into other tokens, and can hide text.",
        fix="remove them; `tunesmith clean` does",
    ),
    "markup": Rule(
        severity="warn",
        why="The model would write tags, entities or the furniture of a web page into its answers.",
        fix="take the text out of the page; `tunesmith clean` decodes entities",
    ),
}
_MARKUP = {
    "tag": "HTML tags were left in the text",
    "entity": "HTML entities stand for characters in the text",
    "wiki markup": "wiki markup was left in the text",
    "forum markup": "the markup of a forum was left in the text",
    "page furniture": "the text holds words of a web page that are no part of it",
    "escape": "escaped characters (such as a line break) stand as text",
}
_SEARCHES: tuple[tuple[str, Callable[[str], tuple[int, int] | None], str], ...] = (
    ("replacement_character", replaced_at, "characters were lost and replaced by a stand-in"),
    ("control_character", control_at, "the text holds control characters"),
    ("invisible_character", invisible_at, "the text holds characters that nobody sees"),
)
_AROUND = 40


def begin(ground: Ground) -> Encoding:
    """The check."""
    return Encoding()


class Encoding:
    """Searches every text of a row; a rule is reported once a row."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self._markup: Counter[str] = Counter()

    def see(self, row: AuditRow) -> Iterator[Found]:
        """What is wrong with the row's characters."""
        text = "\n".join(piece.text for piece in row.pieces)
        mangled = mangled_span(text)
        if mangled:
            yield _found(row, text, "mojibake", mangled, "text was read in the wrong encoding")
            # Misread letters are half control and half invisible characters.
            text = unmangled(text)
        for rule, search, message in _SEARCHES:
            span = search(text)
            if span:
                found = _found(row, text, rule, span, message)
                # Many programs take a text to end at NUL.
                nul = rule == "control_character" and "\0" in text
                yield replace(found, severity="block") if nul else found
        markup = markup_at(text)
        if markup:
            start, end, kind = markup
            self._markup[kind] += 1
            yield _found(row, text, "markup", (start, end), _MARKUP[kind])

    def finish(self, rows: Rows) -> Iterable[Found]:
        """Nothing more."""
        return ()

    def statistics(self) -> JsonObject:
        """Rows with markup, by its kind."""
        return {"markup": dict(sorted(self._markup.items()))} if self._markup else {}


def _found(row: AuditRow, text: str, rule: str, span: tuple[int, int], message: str) -> Found:
    start, end = max(0, span[0] - _AROUND), min(span[1], span[0] + _AROUND) + _AROUND
    return Found(rule=rule, message=message, index=row.index, excerpt=text[start:end])
