"""Secrets are found by their issuer's mark or by their name; what stands for one is not."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.data.personal.values import any_of
from tunesmith.data.personal import find_secrets
from tunesmith.data.personal.key_forms import KEY_FORMS
from tunesmith.data.personal.secrets import entropy

ALNUM = string.ascii_letters + string.digits
URL = ALNUM + "-_"
HEX = "0123456789abcdef"
MADE = {
    "AWS": lambda c: "AKIA" + any_of(string.ascii_uppercase + "234567", 16, c),
    "GitHub": lambda c: "ghp_" + any_of(ALNUM, 36, c),
    "GitHub fine": lambda c: "github_pat_" + any_of(ALNUM, 22, c) + "_" + any_of(ALNUM, 59, c),
    "GitLab": lambda c: "glpat-" + any_of(ALNUM, 20, c),
    "Slack": lambda c: f"xoxb-{any_of('123456789', 12, c)}-{any_of(ALNUM, 24, c)}",
    "Stripe": lambda c: "sk_live_" + any_of(ALNUM, 24, c),
    "OpenAI": lambda c: "sk-" + any_of(ALNUM, 48, c),
    "OpenAI project": lambda c: "sk-proj-" + any_of(ALNUM, 60, c) + "_" + any_of(ALNUM, 60, c),
    "Anthropic": lambda c: "sk-ant-api03-" + any_of(ALNUM, 93, c) + "AA",
    "Google": lambda c: "AIza" + any_of(ALNUM, 35, c),
    "Hugging Face": lambda c: "hf_" + any_of(string.ascii_letters, 34, c),
    "npm": lambda c: "npm_" + any_of(ALNUM, 36, c),
    "PyPI": lambda c: "pypi-AgEIcHlwaS5vcmc" + any_of(ALNUM, 120, c),
    "SendGrid": lambda c: f"SG.{any_of(ALNUM, 22, c)}.{any_of(ALNUM, 43, c)}",
    "Twilio": lambda c: "SK" + any_of(HEX, 32, c),
    "JWT": lambda c: f"eyJ{any_of(ALNUM, 30, c)}.eyJ{any_of(ALNUM, 60, c)}.{any_of(URL, 42, c)}a",
    "Azure": lambda c: f"AccountName=a;AccountKey={any_of(ALNUM + '+/', 86, c)}==;End=x",
    "named": lambda c: f'"api_key": "{any_of(HEX, 32, c)}"',
    "bearer": lambda c: f"Authorization: Bearer {any_of(ALNUM, 40, c)}",
    "variable": lambda c: f"export SECRET_TOKEN={any_of(ALNUM, 30, c)}",
}


@pytest.mark.parametrize("name", sorted(MADE))
@given(chance=some.integers(0, 10**9).map(random.Random))
def test_made_keys_are_found(name: str, chance: random.Random) -> None:
    text = f"use {MADE[name](chance)} here"
    assert [span.kind for span in find_secrets(text)] == ["api_key"], text


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("password: hunter2x", "hunter2x"),
        ("my password is Xk9#mQ2pp.", "Xk9#mQ2pp"),
        ("db_password = 'letmein'", "letmein"),
        ('{"passwd": "S3cret!pass"}', "S3cret!pass"),
        ("Server=x;Password=Tr0ub4dor&3;Pooling=no", "Tr0ub4dor&3"),
        ("postgres://app:hunter2x@db.host/main", "hunter2x"),
        ("https://jane:p4ss-w0rd@host.org/x", "p4ss-w0rd"),
        ("redis://:Zx81qq9@cache:6379/0", "Zx81qq9"),
        ("Das Passwort lautet Sommer2024!", "Sommer2024"),
    ],
)
def test_passwords_are_found(text: str, password: str) -> None:
    assert [(s.kind, text[s.start : s.end]) for s in find_secrets(text)] == [("password", password)]


BODY = "\n".join("MIIEpAIBAAKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gun" for _ in "123")


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "PGP "])
def test_private_keys_are_found_whole_and_cut_off(kind: str) -> None:
    block = " BLOCK" if kind == "PGP " else ""
    begin, end = (
        f"-----BEGIN {kind}PRIVATE KEY{block}-----",
        f"-----END {kind}PRIVATE KEY{block}-----",
    )
    whole = f"{begin}\n{BODY}\n{end}"
    (span,) = find_secrets(f"key:\n{whole}\nthanks")
    assert (span.kind, span.end - span.start) == ("private_key", len(whole))
    assert [span.kind for span in find_secrets(f"{begin}\\n{BODY}")] == ["private_key"]


@pytest.mark.parametrize(
    "text",
    [
        "api_key = YOUR_API_KEY",
        'api_key = "your-api-key-goes-here-1234"',
        "token: <token>",
        "secret = xxxxxxxxxxxxxxxxxxxxxxxx",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "sk-XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
        "sk-your-openai-api-key-goes-here",
        "key = os.environ['OPENAI_API_KEY_PRODUCTION']",
        "token = settings.production_access_identifier1",
        "password: required",
        "password = input('Password: ')",
        "password = get_password(user)",
        "password=${DB_PASSWORD}",
        "I forgot my password, is it case-sensitive?",
        "the password is wrong and the password is expired.",
        "postgres://user:password@localhost/db",
        "https://example.org:8080/a@b",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "the key is understanding; tokens are counted",
        "risk-assessment-of-something-very-long-indeed",
        "class TokenizerConfigurationManager2Builder: key=TokenizerConfiguration",
    ],
)
def test_what_stands_for_a_secret_is_none(text: str) -> None:
    assert [text[span.start : span.end] for span in find_secrets(text)] == []


def test_every_form_has_a_mark_that_it_contains() -> None:
    assert all(key.marks and key.form.groups == 1 for key in KEY_FORMS)


@given(some.text(min_size=1, max_size=64))
def test_entropy_is_between_nothing_and_all_different(text: str) -> None:
    assert entropy(text) + 1e-9 >= 0
    assert entropy(text) <= len(text).bit_length()


@given(some.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert find_secrets(text) == find_secrets(text)
