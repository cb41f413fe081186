"""Misread text is told from sound text, in many scripts, and made right."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.misread import EASILY_MISTAKEN, SOUND, WAYS, as_windows
from tunesmith.data.mojibake import mangled_span, unmangled

_WORDS = {
    "french": "été déjà garçon où hôtel naïf cœur façade",
    "german": "über Straße größer schön Mädchen Füße",
    "polish": "żółty łódź źdźbło gęś święto",
    "turkish": "güneş ağaç ışık çiçek şöyle",
    "vietnamese": "tiếng việt đẹp nghệ thuật người",
    "russian": "привет дорога книга солнце ветер",
    "greek": "κόσμος θάλασσα ουρανός λόγος",
    "chinese": "世界 天气 学习 朋友 音乐",
    "arabic": "مرحبا كتاب مدرسة شمس",
    "hindi": "नमस्ते दुनिया पुस्तक सूरज",
    "emoji": "😀 🎉 🚀 🌍",
}


@pytest.mark.parametrize("text", SOUND)
@pytest.mark.parametrize("way", WAYS)
def test_misread_text_is_told_and_made_right(text: str, way: Callable[[str], str]) -> None:
    once = way(text)
    assert mangled_span(once) is not None
    assert unmangled(once) == text
    assert unmangled(way(once)) == text


@pytest.mark.parametrize("text", SOUND + EASILY_MISTAKEN)
def test_sound_text_stays(text: str) -> None:
    assert mangled_span(text) is None
    assert unmangled(text) == text


@settings(max_examples=60, deadline=None)
@given(
    words=st.sampled_from(sorted(_WORDS)).flatmap(
        lambda name: st.lists(st.sampled_from(_WORDS[name].split()), min_size=1, max_size=8)
    ),
    way=st.sampled_from(WAYS),
    times=st.integers(1, 2),
)
def test_every_language_comes_back(words: list[str], way: Callable[[str], str], times: int) -> None:
    text = broken = " ".join(words)
    for _ in range(times):
        broken = way(broken)
    assert unmangled(broken) == text


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40).map(as_windows) | st.text(max_size=40))
def test_what_was_repaired_stays(text: str) -> None:
    once = unmangled(text)
    assert unmangled(once) == once
    assert mangled_span(once) is None


def test_windows_read_as_latin_gets_its_quotation_marks() -> None:
    assert unmangled("don\x92t say \x93hi\x94 \x96 ok") == "don’t say “hi” – ok"
    assert unmangled("one\x85two") == "one\x85two"


def test_a_quotation_mark_that_lost_its_last_byte() -> None:
    assert unmangled("â€œHelloâ€ she said") == "“Hello” she said"


def test_the_place_of_what_is_broken() -> None:
    assert mangled_span("The cafÃ© is open") == (7, 9)


def test_text_that_is_sound_beside_text_that_is_not() -> None:
    assert unmangled("«\xa0été\xa0» dÃ©jÃ\xa0 vu") == "«\xa0été\xa0» déjà vu"
