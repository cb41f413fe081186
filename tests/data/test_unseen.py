"""Unseen characters without a task are told; those with one stay."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.data.unseen import control_at, invisible_at, without_controls, without_invisible

_SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("a\x00b", "ab"),
        ("bell\x07 rings", "bell rings"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("page one\x0cpage two", "page one\npage two"),
        ("del\x7fete", "delete"),
    ],
)
def test_control_characters_are_told_and_removed(text: str, right: str) -> None:
    assert control_at(text) is not None
    assert without_controls(text) == right


def test_tabs_and_line_breaks_are_no_control_characters() -> None:
    assert control_at("a\tb\r\nc\u2028d") is None


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("ig\u200bnore", "ignore"),
        ("pass\u200dword", "password"),
        ("pass\u200cword", "password"),
        ("\ufeffBegin", "Begin"),
        ("co\u00adoperate", "cooperate"),
        ("abc\u202edcba", "abcdcba"),
        ("left\u200e to right", "left to right"),
        ("read\U000e0069\U000e0067\U000e006e this", "read this"),
        ("x\ufe01y", "xy"),
        ("a\u2060b", "ab"),
        ("\U0001f3f4" + "\U000e0061" * 30 + "\U000e007f", "\U0001f3f4"),
    ],
)
def test_invisible_characters_are_told_and_removed(text: str, right: str) -> None:
    assert invisible_at(text) is not None
    assert without_invisible(text) == right


@pytest.mark.parametrize(
    "text",
    [
        "👨\u200d👩\u200d👧 and ❤\ufe0f and 1\ufe0f\u20e3",
        "🏳\ufe0f\u200d🌈 👩🏽\u200d🚀",
        _SCOTLAND,
        "می\u200cخواهم",
        "क्\u200dष क्\u200cष",
        "ශ්\u200dරී",
        "สวัสดี\u200bชาวโลก",
        "ភាសា\u200bខ្មែរ",
        "שלום\u200f, 12\u200e",
        "葛\U000e0100城",
        "Plain English, with “quotes” — and ünïcödé.",
    ],
)
def test_invisible_characters_with_a_task_stay(text: str) -> None:
    assert invisible_at(text) is None
    assert without_invisible(text) == text


@settings(max_examples=200, deadline=None)
@given(
    st.text(
        st.characters() | st.sampled_from("\u200b\u200d\u200e\ufe0f\U000e0061🏴👩é"), max_size=30
    )
)
def test_what_was_removed_is_gone(text: str) -> None:
    once = without_invisible(without_controls(text))
    assert control_at(once) is None
    assert invisible_at(once) is None


def test_many_tags_take_no_long_time() -> None:
    assert without_invisible("a" + "\U000e0061" * 100_000) == "a"
