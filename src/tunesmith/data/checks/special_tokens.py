"""Texts that hold what a model takes for a special token: the end of a turn, the start of one.

    {"question": "Say <|im_end|> now", "answer": "..."}   ->   special_token

The markers of common models are looked for, and those of the recipe's base.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tunesmith.contracts import JsonObject, Segments
from tunesmith.data.audit.contracts import AuditRow, Found, Ground, Rule
from tunesmith.data.audit.rows import Rows

RULES = {
    "special_token": Rule(
        severity="warn",
        why="A special token within a text ends a turn, or begins one, where nobody meant it.",
        fix="remove it from the text; the template writes special tokens itself",
    ),
}
_COMMON = (
    r"<\|[a-zA-Z][a-zA-Z0-9_ ]{0,40}\|>|<｜[^<>｜\n]{1,40}｜>|<(?:start|end)_of_turn>"
    r"|\[/?(?:INST|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS|SYSTEM_PROMPT)\]|<</?SYS>>"
    r"|</?s>|<(?:bos|eos|pad|unk|mask)>|\[(?:CLS|SEP|MASK|PAD|UNK|BOS|EOS)\]"
    r"|<(?:fim|repo|file)_(?:prefix|middle|suffix|sep|name)>"
)
"""What the special tokens of common models look like."""
_AROUND = 50


def begin(ground: Ground) -> SpecialTokens:
    """The check."""
    return SpecialTokens(ground.markers)


class SpecialTokens:
    """Searches every text of a row."""

    def __init__(self, markers: tuple[str, ...]) -> None:
        """Look for what is common, and for `markers`."""
        own = "|".join(re.escape(marker) for marker in sorted(markers, key=len, reverse=True))
        self._markers = re.compile(f"{own}|{_COMMON}" if own else _COMMON)
        # Every marker that is looked for begins with one of these.
        self._begins = tuple({"<", "[", *(marker[0] for marker in markers if marker)})

    def see(self, row: AuditRow) -> Iterator[Found]:
        """The first one in a row; in segments the author writes them."""
        if isinstance(row.content, Segments):
            return
        for piece in row.pieces:
            if not any(sign in piece.text for sign in self._begins):
                continue
            found = self._markers.search(piece.text)
            if found:
                start = max(0, found.start() - _AROUND)
                yield Found(
                    rule="special_token",
                    message="the text holds what looks like a special token",
                    index=row.index,
                    excerpt=piece.text[start : found.end() + _AROUND][:120],
                )
                return

    def finish(self, rows: Rows) -> Iterable[Found]:
        """Nothing more."""
        return ()

    def statistics(self) -> JsonObject:
        """Nothing."""
        return {}
