"""What no person wrote is told from what looks strange and is not."""

from __future__ import annotations

import base64
import random

import pytest

from tunesmith.data.fitness.oddity import oddity_of

BLOB = base64.b64encode(random.Random(0).randbytes(300)).decode()
URL = "https://example.org/" + "a-very-long-path-of-words/" * 8


def told(text: str) -> str | None:
    words = text.split()
    return oddity_of(text, words, len(set(words)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Here it is: {BLOB}", "blob"),
        (random.Random(1).randbytes(60).hex(), "blob"),
        ("no no no no no", "repetition"),
        ("I am sorry. " * 40, "repetition"),
        ("哈" * 400, "repetition"),
        ("---- .... 1234 ____", "marks"),
        ("#### 18", "marks"),
        ("xkcd rtfm bvgh wqrt zzpl mnbv cxzl kjhg fdsp", "gibberish"),
        ("MKVLAAGIVGLPQRSTWYFDE" * 3, None),
        ("Грядущие годы таятся во мгле", None),
        (URL, None),
        ("sha256:" + "0123456789abcdef" * 4, None),
        ("ACGTTGCA" * 5 + "GATTACA" * 9, None),
        ("Yes.", None),
        ("no no", None),
        ("今天天气很好，我们去公园散步吧。", None),
        ("x = [1, 2, 3]\nfor y in x:\n    print(y)", None),
    ],
)
def test_oddities(text: str, expected: str | None) -> None:
    assert told(text) == expected


def test_running_text_is_not_odd() -> None:
    draw = random.Random(2)
    usual = "the of and to in is you that it he was for on are with his they at"
    names = [f"name{number}" for number in range(200)]
    text = " ".join(
        draw.choice(usual.split() if draw.random() < 0.6 else names) for _ in range(4000)
    )
    assert told(text) is None
