r"""What can be put right in a text without knowing what it says.

    "cafÃ© &amp; bar\x00"   ->   "café & bar"

Each step gives sound text back unchanged, and what it gave once it gives again.
"""

from __future__ import annotations

import unicodedata

from tunesmith.data.markup import entities_decoded
from tunesmith.data.mojibake import unmangled
from tunesmith.data.unseen import without_controls, without_invisible


def repaired(text: str) -> str:
    """The text in its right encoding, without what is unseen, its entities as characters, in NFC.

    Entities in code, and in a text about markup or programming, stay as they are.
    """
    while True:
        better = entities_decoded(without_invisible(without_controls(unmangled(text))))
        if not better.isascii():
            better = unicodedata.normalize("NFC", better)
        if better == text:
            return text
        text = better
