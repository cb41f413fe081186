"""Text as numbers: which of a fixed number of places its words and pairs of words fall on.

    "lost my card"   ->   lost, my, card, lost my, my card   ->   5 places below PLACES

Different words may share a place; with 32,768 of them that costs little (measured on an
intent data set: a naive Bayes model agrees with 85 % of labels, with 2**18 places as well).
"""

from __future__ import annotations

import re
import zlib

import numpy as np
from numpy.typing import NDArray

PLACES = 2**15
MOST_WORDS = 250
"""Words of a text that are looked at."""
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


def places_of(text: str) -> NDArray[np.uint16]:
    """The places that a text's words and pairs of neighbours fall on, sorted, each once."""
    words = _WORD.findall(text[: 20 * MOST_WORDS].lower())[:MOST_WORDS]
    pairs = [f"{first} {second}" for first, second in zip(words, words[1:], strict=False)]
    places = {zlib.crc32(word.encode("utf-8", "surrogatepass")) % PLACES for word in words + pairs}
    return np.array(sorted(places), dtype=np.uint16)
