"""Secrets in rows block, and never stand in a finding."""

from __future__ import annotations

from tests.data.checks.looked_at import asked, found_in, rules_in
from tunesmith.data.checks import secrets
from tunesmith.data.personal import SECRETS

_KEY = "AKIA7Q3VZ2M5KX4WJT6P"


def test_every_rule_blocks() -> None:
    assert set(secrets.RULES) == set(SECRETS)
    assert {rule.severity for rule in secrets.RULES.values()} == {"block"}


def test_a_key_and_a_password_in_one_row_are_two_findings() -> None:
    text = f"export AWS_KEY={_KEY}\nexport A={_KEY}\npassword: hunter2x"
    found = found_in("secrets", [asked("How?", text)])
    assert [(one.rule, one.message.split()[0]) for one in found] == [
        ("api_key", "2"),
        ("password", "1"),
    ]
    assert all(_KEY not in one.excerpt and "hunter2x" not in one.excerpt for one in found)


def test_documentation_is_left_alone() -> None:
    rows = [
        asked("How do I call it?", 'client = Client(api_key="YOUR_API_KEY")'),
        asked("Where is my key?", "password: required, token: <token>"),
        asked("I forgot my password", "Choose a new password in the settings."),
    ]
    assert rules_in("secrets", rows) == []
