"""Small data sets about shops, and the recipe's section for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunesmith.contracts import JsonObject
from tunesmith.recipe import Data, Source

WORDS = ["open", "closed", "warm", "cold", "near", "far", "cheap", "dear"]


def qa(count: int, start: int = 0) -> list[JsonObject]:
    return [
        {"question": f"Is shop {n} {WORDS[n % 8]}?", "answer": f"Shop {n} is {WORDS[n % 5]}."}
        for n in range(start, start + count)
    ]


def data_of(*paths: Path, **options: Any) -> Data:
    return Data(sources=tuple(Source(path=str(path)) for path in paths), **options)
