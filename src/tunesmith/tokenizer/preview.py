"""A row as a person reads it, with the trained text told apart from the rest."""

from __future__ import annotations

from itertools import groupby
from os.path import commonprefix

from tunesmith.tokenizer.encode import Encoded
from tunesmith.tokenizer.load import Tokenizer


def segments(encoded: Encoded, tokenizer: Tokenizer) -> list[tuple[str, bool]]:
    """The row's text in pieces, each with whether it is trained.

    The pieces joined are exactly the decoded row, special tokens included. A character whose
    bytes are split between two pieces goes to the second.
    """
    whole = tokenizer.decode(encoded.ids, skip_special=False)
    pieces: list[tuple[str, bool]] = []
    tokens = 0
    shown = 0
    for trained, run in groupby(encoded.weights, key=bool):
        tokens += sum(1 for _ in run)
        if tokens == len(encoded.ids):
            end = len(whole)
        else:
            # Decoding part of a row may differ at its end only: half a character, say.
            part = tokenizer.decode(encoded.ids[:tokens], skip_special=False)
            end = max(shown, len(commonprefix([part, whole])))
        if end > shown:
            pieces.append((whole[shown:end], trained))
        shown = end
    return pieces
