"""A text put right: what is done, why, and that it is done once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.data.cleaning.texts import mended, trimmed
from tunesmith.data.personal import Redactor

CODE = "def f():\n    return 1"
CASES = [
    ("Yes, donâ€™t.", "Yes, don’t.", ("mojibake",)),
    ("In Ghent.\u200b", "In Ghent.", ("invisible_character",)),
    ("near\x07.", "near.", ("control_character",)),
    ("bread &amp; butter", "bread & butter", ("markup",)),
    ("cafe\u0301", "café", ("not_nfc",)),
    ("  Yes.\n", "Yes.", ("space_around",)),
    (" donâ€™t\u200b ", "don’t", ("mojibake", "invisible_character", "space_around")),
    ("Is it “open”, or not? 3 < 4", "Is it “open”, or not? 3 < 4", ()),
]


@pytest.mark.parametrize(("text", "better", "why"), CASES)
def test_what_is_put_right(text: str, better: str, why: tuple[str, ...]) -> None:
    done = mended(text, None, trim=True)
    assert (done.text, done.why) == (better, why)
    assert mended(better, None, trim=True).why == ()


def test_space_stays_where_it_belongs_to_the_text() -> None:
    assert mended(" Yes.</s> ", None, trim=False).text == " Yes.</s> "
    assert trimmed("\n\n    if x:\n        return\n") == "    if x:\n        return"
    assert trimmed("\n  Yes,\nit is. ") == "Yes,\nit is."
    assert trimmed(CODE) == CODE


def test_personal_data_is_replaced_alike() -> None:
    redactor = Redactor()
    text = "Write to ada@mail.org, or Ada@mail.org, or bob@mail.org."
    done = mended(text, redactor, trim=True)
    assert done.text == "Write to [EMAIL_1], or [EMAIL_1], or [EMAIL_2]."
    assert done.why == ("email",)
    assert mended("bob@mail.org", redactor, trim=True).text == "[EMAIL_2]"
    assert mended(done.text, redactor, trim=True).why == ()


def test_a_key_announces_what_a_text_is() -> None:
    number = "M-4471-220"
    alone = mended(number, Redactor(), trim=False)
    announced = mended(number, Redactor(), announced="medical record number", trim=False)
    assert alone.text == number
    assert announced.text == "[MEDICAL_RECORD_1]"


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        st.sampled_from("ab Ãâ€™©\u200b\u0301\u00ad\x07\n &;amp<>@.1+4 é0\u202e\ufeff"), max_size=40
    )
)
def test_once_is_enough(text: str) -> None:
    redactor = Redactor()
    once = mended(text, redactor, trim=True)
    again = mended(once.text, redactor, trim=True)
    assert (again.text, again.why) == (once.text, ())
    assert (once.text == text) == (once.why == ())
