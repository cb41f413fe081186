"""Personal data and secrets in a text: where they are, hidden in excerpts, replaced in rows.

    "Write to jane@mail.org"  ->  find_personal   (Span(kind="email", start=9, end=22),)
                                  mask            "Write to j***@***.org"
                                  Redactor        "Write to [EMAIL_1]"

Rules of form and check digits, no model: the same text gives the same spans on every machine.
"""

from __future__ import annotations

from tunesmith.data.personal.find import find_personal
from tunesmith.data.personal.masking import excerpt, mask
from tunesmith.data.personal.redaction import Redactor
from tunesmith.data.personal.secrets import find_secrets
from tunesmith.data.personal.spans import PERSONAL, SECRETS, Span

__all__ = [
    "PERSONAL",
    "SECRETS",
    "Redactor",
    "Span",
    "find_personal",
    "find_secrets",
    "mask",
    "excerpt",
]
