"""A place in a text that holds something personal or secret, and which of two that overlap stays.

"IBAN DE89 3704 0044 0532 0130 00"  ->  Span(kind="iban", start=5, end=32)
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

SECRETS = ("private_key", "api_key", "password")
"""Rules of secrets, the surest first."""
PERSONAL = (
    "email",
    "iban",
    "card",
    "national_id",
    "medical_record",
    "phone",
    "ip_address",
    "birth_date",
    "street_address",
    "person_name",
)
"""Rules of personal data, the surest first."""
_RANK = {kind: rank for rank, kind in enumerate((*SECRETS, *PERSONAL))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """`text[start:end]` breaks the rule `kind`."""

    kind: str
    start: int
    end: int


def settled(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans in the order of the text; of those that overlap the surer, then the longer."""
    ranked = sorted(spans, key=lambda span: (_RANK[span.kind], span.start - span.end, span.start))
    kept: list[Span] = []
    starts: list[int] = []
    for span in ranked:
        place = bisect_left(starts, span.start)
        ends_before = place == 0 or kept[place - 1].end <= span.start
        if ends_before and (place == len(kept) or span.end <= kept[place].start):
            kept.insert(place, span)
            starts.insert(place, span.start)
    return tuple(kept)
