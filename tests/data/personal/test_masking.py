"""What a mask shows is not the value, and any text can be masked."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.data.personal import values
from tunesmith.data.personal import Redactor, find_personal, find_secrets, mask

TEXTS = [
    "Write to jane@mail.org",
    "card 4539 1488 0343 6467",
    "IBAN DE89 3704 0044 0532 0130 00",
    "SSN 212-45-6789",
    "Call (415) 555-2671",
    "from 81.2.69.142",
    "My name is Ada Byron",
    "MRN 00482913",
    "DOB 03/12/1985",
    "at 2920 Telegraph Avenue",
    "ghp_a8F3kL0pQz7Wn2Rt5Yb9Xc4Vd6Mh1Js8Gu3E",
    "password: hunter2x",
    "postgres://app:hunter2x@db.host/main",
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_middle_is_gone_and_the_rest_stays(text: str) -> None:
    (span,) = find_secrets(text) or find_personal(text)
    value = text[span.start : span.end]
    masked = mask(text)
    assert value not in masked
    assert value[len(value) // 3 : 2 * len(value) // 3 + 1] not in masked
    assert masked.startswith(text[: span.start])
    assert masked.endswith(text[span.end :])


def test_an_address_keeps_its_shape() -> None:
    assert mask("Write to jane@mail.org!") == "Write to j***@***.org!"


def test_text_without_a_find_is_the_same_object() -> None:
    text = "What are the symptoms of flu?"
    assert mask(text) is text


@given(some.text(max_size=200), some.integers(0, 10**9), some.text(max_size=200))
def test_a_value_is_hidden_whatever_stands_around_it(before: str, seed: int, after: str) -> None:
    value = values.in_fours(values.iban(random.Random(seed)))
    assert value not in mask(f"{before} {value} {after}")


@given(some.text())
def test_it_never_raises(text: str) -> None:
    mask(text)


@pytest.mark.parametrize(
    "sign", ["a", "1", " ", "-", "A1 ", "@", ":", "1.", "key=", "://a:", "A ", "\n", "Dr A", "1:"]
)
def test_long_text_of_one_sign_takes_no_longer_than_its_length(sign: str) -> None:
    mask(sign * (100_000 // len(sign)))


def test_surrogates_and_odd_capitals_keep_places_right() -> None:
    text = "\ud800 İİİ my name is Ada Byron, jane@mail.org"
    assert mask(text) == "\ud800 İİİ my name is A*** B***, j***@***.org"


_PIECES = (
    "@", "a@b.c", ".", ":", "::", "/", "//", "+", "-", "(", ")", "(0)", "0", "1", "12", "123",
    "1234", "415-555-2671", "DE89", "GB82", "DE890000000000", "word:", "key=", "password",
    "secret", "is", "my", "name", "Dr.", "Mr.", "Jane", "Doe", "Patient:", "MRN", "born", "on",
    "DOB", "SSN", "passport", "card", "eyJ", "sk-", "ghp_", "AKIA", "xoxb-", "-----BEGIN",
    "PRIVATE", "KEY-----", "Street", "Calle", "rue", "Via", "straße", "〒", "ｊ", "İ", "ß",
    "\ud800", "\x00", "\n", "٣٤٥", "５５５", "電話", "生年月日", "1985年3月2日", "+49", "0049",
    "12/03/1985", "at)", "[at]", ":AA", "SG.", "81.2.3.4", "aa:bb",
)  # fmt: skip


@given(some.lists(some.sampled_from(_PIECES), max_size=40), some.sampled_from(["", " ", "\n"]))
def test_pieces_of_what_is_looked_for_never_fail(pieces: list[str], between: str) -> None:
    text = between.join(pieces)
    mask(text)
    once = Redactor().redact(text)
    assert Redactor().redact(once) == once


def test_an_iban_that_is_cut_off_is_none() -> None:
    assert mask("DE890000000000\nis my") == "DE890000000000\nis my"
