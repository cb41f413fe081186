"""Secrets: keys, tokens and passwords that whoever has the model can ask for.

    {"question": "How do I log in?", "answer": "export AWS_KEY=AKIA7Q3VZ2M5KX4WJT6P"}   ->   api_key

Placeholders of documentation (`YOUR_API_KEY`, `xxxx`, `<token>`) are left alone.
"""

from __future__ import annotations

from tunesmith.data.audit.contracts import Ground, Rule
from tunesmith.data.personal.looking import SpanLooker
from tunesmith.data.personal.secrets import find_secrets

_FIX = (
    "withdraw the secret where it was issued, for it has left its place already; then replace it "
    "(tunesmith clean --redact), or remove the row"
)
RULES = {
    "api_key": Rule(
        severity="block",
        why="Whoever gets the key from the model's answers can act, and spend, as its owner.",
        fix=_FIX,
    ),
    "private_key": Rule(
        severity="block",
        why="Whoever gets the private key can sign and decrypt as its owner.",
        fix=_FIX,
    ),
    "password": Rule(
        severity="block",
        why="Whoever gets the password from the model's answers can log in with it.",
        fix=_FIX,
    ),
}
_NAMES = {
    "api_key": ("key or token", "keys or tokens"),
    "private_key": ("private key", "private keys"),
    "password": ("password", "passwords"),
}


def begin(ground: Ground) -> SpanLooker:
    """The check."""
    return SpanLooker(find_secrets, _NAMES)
