"""Personal data in a text: one cheap look for what each kind needs, the careful one after it.

"Ada: ada@mail.org, born 12.03.1985"  ->  email, birth_date
"""

from __future__ import annotations

import re

from tunesmith.data.personal.banking import cards, ibans
from tunesmith.data.personal.contacts import emails, ip_addresses
from tunesmith.data.personal.cues import page_of
from tunesmith.data.personal.names import person_names
from tunesmith.data.personal.national_ids import codici_fiscali, lettered_ids, national_ids
from tunesmith.data.personal.numbers import MANY_DIGITS, numbers
from tunesmith.data.personal.phones import phones
from tunesmith.data.personal.records import birth_dates, medical_records, papers
from tunesmith.data.personal.spans import Span, settled
from tunesmith.data.personal.streets import street_addresses

_DIGIT = re.compile("[0-9]")


def find_personal(text: str) -> tuple[Span, ...]:
    """Where a text names or numbers a person, in order, none overlapping; see `spans.PERSONAL`."""
    page = page_of(text)
    spans = [*emails(page), *person_names(page)]
    if _DIGIT.search(text):
        spans += ip_addresses(text)
        spans += birth_dates(page)
        spans += medical_records(page)
        spans += papers(page)
        spans += street_addresses(page)
        spans += codici_fiscali(text)
        if MANY_DIGITS.search(text):
            found = tuple(numbers(text))
            spans += ibans(text)
            spans += cards(found)
            spans += national_ids(text, found)
            spans += lettered_ids(text)
            spans += phones(text, found)
    return settled(spans) if spans else ()
