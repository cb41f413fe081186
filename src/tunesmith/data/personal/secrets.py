"""Secrets in a text: private keys, keys and tokens, passwords.

    AKIA7Q3VZ2M5KX4WJT6P                     an issuer's mark and form
    api_key = "b81f0c66a2f94a3e9d15"         a name that says so, and a value that looks random
    postgres://app:hunter2x@db.host/main     a password in an address

What stands for a secret (`YOUR_API_KEY`, `xxxx`, `<token>`, `${KEY}`) is none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from math import log2

from tunesmith.data.personal.cues import Page, page_of, places
from tunesmith.data.personal.key_forms import KEY_FORMS
from tunesmith.data.personal.spans import Span, settled

_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?!-----(?:BEGIN|END))[A-Za-z0-9+/=:,.\\ \r\n\t-]){40,}"
    r"(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----)?"
)
_PUTTY_KEY = re.compile(r"PuTTY-User-Key-File-[0-9][\s\S]{80,4000}?Private-MAC: [0-9a-f]{40,64}")
_KEY_VALUE = re.compile(
    r"(?:(?i:key|secret|token|credentials?|bearer|authorization)(?i:[ _-]?(?:id|value))?"
    r"[\"'`]?\s{0,3}(?:=>|:=|[:=])\s{0,3}[\"'`]?(?i:(?:bearer|basic|token) )?[\"'`]?|"
    r"(?i:(?:key|secret|token) (?:is|ist|est|es|é|è)[ :]{1,2}|bearer )[\"'`]?)"
    r"([A-Za-z0-9_+/=.~-]{16,512})(?![\w(\[{])"
)
_PASSWORD_VALUE = re.compile(
    r"(?i:password|passwd|passwort|kennwort|passphrase|pwd|mot de passe|contraseña|senha|"
    r"wachtwoord|hasło|passcode|db_pass|lösenord)"
    r"([\"'`]?\s{0,2}(?::=|=>|[:=])\s{0,2}|,? ?(?i:is|was|ist|lautet|est|es|é|è|to)[: ]{1,2})"
    r"(\"[^\"\n]{4,80}\"|'[^'\n]{4,80}'|`[^`\n]{4,80}`|[^\s\"'`,;<>]{6,80})"
)
_OPENS = re.compile(
    r"(?:api|access|secret|private|auth|account|master|encryption|signing|service|client|consumer|"
    r"subscription|session|shared|storage|deploy|license|app|user|admin|ssh|aws|gcp|azure|openai)"
    r"[ _.-]?\Z",
    re.IGNORECASE,
)
_NAME_REACH = 16
_UUID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LOGIN = re.compile(r"://[^\s:/@\"'<>]{0,64}:([^\s/@\"'<>]{3,128})@[^\s/@]{2,}")
_STANDS_FOR = re.compile(
    r"(?-i:your|YOUR|Your)|example|(?-i:x{4}|X{4})|\*\*|\.\.\.|…|placeholder|change_?me|redacted|dummy|insert|"
    r"sample|_here|replace|foobar|fake|deadbeef|0{8}|1234567|abcdefg|hidden|masked|put_|enter_|"
    r"my[_-]?(?:api|secret|token|key|pass)|secret_?key|api_?key|access_?token|"
    r"test_?(?:key|token)|\A[<\[{].*[>\]}]\Z|\$[{(]|\{\{|\A\$[A-Z_]+\Z|\A%[\w(]+|\[[A-Z_]+_[0-9]+\]",
    re.IGNORECASE,
)
_STANDS_FOR_PASSWORD = re.compile(
    r"\A(?:(?:my|the|new|old|user|db|your|a|some)?[_-]?(?:password|passwd|pass|pwd|secret|string|"
    r"token|hash|value|text|input|none|null|true|false|required|optional|admin|root|user|guest|"
    r"test|username)s?[0-9]{0,3})\Z",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\A[\[({<$|]|[a-z_][(\[]|\A(?:self|this|os|process|config|settings|request|args|env)\."
)
_WORDS = re.compile(r"\A[A-Za-z]+(?:[-_./][A-Za-z]+)*[.,:;!?)]*\Z")
_KEY_CUES = ("key", "secret", "token", "credential", "bearer", "authorization")
_PASSWORD_CUES = (
    "password", "passwd", "passwort", "pwd", "kennwort", "passphrase", "passcode", "db_pass",
    "mot de passe", "contraseña", "senha", "wachtwoord", "hasło", "lösenord",
)  # fmt: skip
_MARKS = tuple((mark, key.form) for key in KEY_FORMS for mark in key.marks)
_LEAST_SIGNS = 20
"""The shortest key that an issuer marks; hardly a word of prose is as long."""
_TURNS = 2
"""Changes between small letters and capitals inside a word, from which on it is none."""
_LEAST_BITS = 3.0
"""Bits a character of a random key; hexadecimal digits give up to 4, words about 2.5 to 3.5."""


def find_secrets(text: str) -> tuple[Span, ...]:
    """Where a text holds a secret, in order, none overlapping; see `spans.SECRETS`."""
    page = page_of(text)
    spans: list[Span] = []
    if _has_long_word(text):
        spans += _private_keys(text)
        spans += _marked_keys(text)
    if any_in(_KEY_CUES, page.lowered):
        spans += _assigned_keys(page)
    if any_in(_PASSWORD_CUES, page.lowered):
        spans += _assigned_passwords(page)
    if "://" in text and "@" in text:
        spans += _passwords_in_addresses(text)
    return settled(spans) if spans else ()


def any_in(cues: Iterable[str], text: str) -> bool:
    """Whether one of the cues stands in the text: a plain loop, for it runs on every row."""
    for cue in cues:  # noqa: SIM110
        if cue in text:
            return True
    return False


def _has_long_word(text: str) -> bool:
    """Whether the text has a word as long as the shortest key that an issuer marks."""
    return len(text) >= _LEAST_SIGNS and max(map(len, text.split()), default=0) >= _LEAST_SIGNS


def entropy(text: str) -> float:
    """Bits a character, by how often each character occurs in the text itself."""
    size = len(text)
    return -sum(count / size * log2(count / size) for count in Counter(text).values())


def stands_for_a_secret(value: str) -> bool:
    """Whether the value is what documentation writes where a secret belongs."""
    return len(set(value)) < 5 or _STANDS_FOR.search(value) is not None


def _private_keys(text: str) -> Iterator[Span]:
    if "PRIVATE KEY" in text:
        for match in _PRIVATE_KEY.finditer(text):
            yield Span(kind="private_key", start=match.start(), end=match.end())
    if "PuTTY-User-Key-File" in text:
        for match in _PUTTY_KEY.finditer(text):
            yield Span(kind="private_key", start=match.start(), end=match.end())


def _marked_keys(text: str) -> Iterator[Span]:
    for form in [form for mark, form in _MARKS if mark in text]:
        for match in form.finditer(text):
            if not stands_for_a_secret(match.group(1)) and _is_mixed(match.group(1)):
                yield Span(kind="api_key", start=match.start(), end=match.end())


def _is_mixed(value: str) -> bool:
    """Whether it is no word or words: digits among letters, or capitals among small letters."""
    has_digit = any(sign.isdigit() for sign in value)
    return (has_digit or value.isupper() or _changes_case(value) >= 2) and entropy(value) >= min(
        _LEAST_BITS, log2(len(value)) - 1
    )


def _changes_case(value: str) -> int:
    return sum(a.islower() and b.isupper() for a, b in zip(value, value[1:], strict=False))


def _pairs_of_capitals(value: str) -> int:
    return sum(a.isupper() and b.isupper() for a, b in zip(value, value[1:], strict=False))


def _assigned_keys(page: Page) -> Iterator[Span]:
    for match in _after(_KEY_CUES, _KEY_VALUE, page):
        value = match.group(1).rstrip(".")
        if _is_plain_key(page.text, match) and (_UUID.fullmatch(value) or len(value) < 20):
            continue
        if _is_random(value) and not stands_for_a_secret(value):
            yield Span(kind="api_key", start=match.start(1), end=match.start(1) + len(value))


def _is_plain_key(text: str, match: re.Match[str]) -> bool:
    """Whether the name is only `key`, or ends in it like `monkey`: most keys open no door."""
    if not match.group().lower().startswith("key"):
        return False
    return not _OPENS.search(text, max(0, match.start() - _NAME_REACH), match.start())


def _is_random(value: str) -> bool:
    digits = sum(sign.isdigit() for sign in value)
    letters = sum(sign.isalpha() for sign in value)
    # Words joined by capitals change their case too, but hardly have two capitals in a row.
    pairs = _pairs_of_capitals(value)
    is_mixed = pairs >= 2 and pairs + _changes_case(value) >= len(value) / 4
    is_mixed = is_mixed or (digits >= 2 and letters >= 4)
    return is_mixed and entropy(value) >= _LEAST_BITS


def _assigned_passwords(page: Page) -> Iterator[Span]:
    for match in _after(_PASSWORD_CUES, _PASSWORD_VALUE, page):
        joint, value = match.group(1), match.group(2)
        start, end = match.span(2)
        is_quoted = value[0] in "\"'`"
        if is_quoted:
            value, start, end = value[1:-1], start + 1, end - 1
        else:
            value = value.rstrip(".,:;!?)")
            end = start + len(value)
        is_code = not is_quoted and _CODE.search(value) is not None
        if not is_code and _is_password(value, is_quoted, _is_sign(joint)):
            yield Span(kind="password", start=start, end=end)


def _is_sign(joint: str) -> bool:
    return any(sign in joint for sign in ":=")


def _is_password(value: str, is_quoted: bool, is_after_sign: bool) -> bool:
    if stands_for_a_secret(value) or _STANDS_FOR_PASSWORD.match(value):
        return False
    if is_quoted:
        return " " not in value and (is_after_sign or not _WORDS.match(value))
    turns = _changes_case(value) + (0 if value.isupper() else _pairs_of_capitals(value))
    is_word = _WORDS.match(value) and not (is_after_sign and turns >= _TURNS)
    return len(value) >= 6 and not is_word and not value.isdigit()


def _passwords_in_addresses(text: str) -> Iterator[Span]:
    for place in places(text, "://"):
        match = _LOGIN.match(text, place)
        if match is not None:
            value = match.group(1)
            if not stands_for_a_secret(value) and not _STANDS_FOR_PASSWORD.match(value):
                yield Span(kind="password", start=match.start(1), end=match.end(1))


def _after(cues: Iterable[str], form: re.Pattern[str], page: Page) -> Iterator[re.Match[str]]:
    """Where the form matches that begins with a cue, which may end a longer word."""
    for cue in [cue for cue in cues if cue in page.lowered]:
        reached = 0
        for place in places(page.lowered, cue):
            match = form.match(page.text, place) if place >= reached else None
            if match is not None:
                reached = match.end()
                yield match
