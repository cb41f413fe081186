"""An expression that is tried only near certain words.

    Cued(cues=("sorry",), pattern=re.compile("i'm sorry, i can't help"), reach=80)

Finding a short string is some hundred times faster than trying an expression at every
character; rows that hold none of the cues, nearly all of them, cost microseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cued:
    """Words to look for, and what to try around them."""

    cues: tuple[str, ...]
    pattern: re.Pattern[str]
    reach: int = 160
    """Characters on either side of a cue within which the whole expression lies."""

    def possible(self, text: str) -> bool:
        """Whether a text holds a cue: the cheap half of `search`."""
        return any(map(text.__contains__, self.cues))

    def search(self, text: str) -> Span | None:
        """Where the expression matches around a cue, or None."""
        if not self.possible(text):
            return None
        for cue in self.cues:
            at = text.find(cue)
            while at >= 0:
                end = at + len(cue) + self.reach
                found = self.pattern.search(text, max(0, at - self.reach), end)
                if found:
                    return found.span()
                at = text.find(cue, at + self.reach // 2)
        return None
