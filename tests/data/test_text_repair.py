"""Repair puts right what is wrong, once, and touches nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.misread import EASILY_MISTAKEN, SOUND, WAYS
from tunesmith.data.text_repair import repaired

_SHARED = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.mark.parametrize("text", SOUND + EASILY_MISTAKEN)
def test_sound_text_is_given_back(text: str) -> None:
    assert repaired(text) == text


@pytest.mark.parametrize("text", SOUND)
def test_many_faults_at_once(text: str) -> None:
    for way in WAYS:
        assert repaired(f"\ufeff{way(text)} &amp;\x00 e\u0301") == f"{text} & é"


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["&amp;", "amp;", "&lt;", "lt;", "Ã", "©", "â€", "™", "\x99", "\x00", "\u200b", "é"]
            + [
                "e",
                "\u0301",
                "html",
                "`",
                " ",
                "🏴",
                "\U000e0061",
                "&#195;",
                "&#169;",
                "\x1b[",
                "0m",
            ]
        ),
        max_size=12,
    ).map("".join)
    | st.text(max_size=30)
)
def test_repaired_text_stays(text: str) -> None:
    assert repaired(repaired(text)) == repaired(text)


def test_real_rows_stay() -> None:
    file = _SHARED / "gsm8k" / "test.jsonl"
    if not file.exists():
        pytest.skip(f"{file} is absent")
    for line in file.read_text("utf-8").splitlines():
        row = json.loads(line)
        assert repaired(row["question"]) == row["question"]
