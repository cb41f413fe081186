"""Excerpts that people may read: the middle of everything personal or secret is hidden.

    "jane@mail.org owes 4111 1111 1111 1111"  ->  "j***@***.org owes 4***1"

Used on every excerpt of the audit: it never raises, and text without a find costs microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable

from tunesmith.data.personal.find import find_personal
from tunesmith.data.personal.secrets import find_secrets
from tunesmith.data.personal.spans import SECRETS, Span, settled

_SHOWN_OF_A_KEY = 4
_LEAST_FOR_ENDS = 6
_REACH = 400
"""Characters around a find that its excerpt is made of."""


def mask(text: str) -> str:
    """The text with the middle of every find hidden. Mask, then cut: half a key is no find."""
    return masked(text, settled((*find_secrets(text), *find_personal(text))))


def masked(text: str, spans: Iterable[Span]) -> str:
    """The text with the middle of these spans hidden; they are in order and do not overlap."""
    pieces = []
    reached = 0
    for span in spans:
        pieces += [text[reached : span.start], hidden(span.kind, text[span.start : span.end])]
        reached = span.end
    return "".join([*pieces, text[reached:]]) if reached else text


def hidden(kind: str, value: str) -> str:
    """The value with its ends only: enough to find it in its row, not enough to use it."""
    if kind == "email" and "@" in value:
        return f"{value[0]}***@***.{value.rpartition('.')[2]}"
    if kind == "person_name":
        return " ".join(f"{part[0]}***" for part in value.split())
    if kind in {"password", "private_key"}:
        return "***"
    if kind in SECRETS:
        return f"{value[:_SHOWN_OF_A_KEY]}***"
    if len(value) < _LEAST_FOR_ENDS:
        return "***"
    return f"{value[0]}***{value[-1]}"


def excerpt(text: str, span: Span, longest: int = 120) -> str:
    """The masked text around a span, which stands after the first third where there is room."""
    piece_start = max(0, span.start - _REACH)
    piece = text[piece_start : span.end + _REACH]
    spans = [*find_secrets(piece), *find_personal(piece)]
    inside = Span(kind=span.kind, start=span.start - piece_start, end=span.end - piece_start)
    kept = [one for one in settled(spans) if one.end <= inside.start or inside.end <= one.start]
    before = masked(piece[: inside.start], [one for one in kept if one.end <= inside.start])
    after_spans = [
        Span(kind=one.kind, start=one.start - inside.end, end=one.end - inside.end)
        for one in kept
        if one.start >= inside.end
    ]
    after = masked(piece[inside.end :], after_spans)
    middle = hidden(span.kind, text[span.start : span.end])
    lead = before if len(before) <= longest // 3 else "..." + before[3 - longest // 3 :]
    return (lead + middle + after)[:longest]
