"""Personal data: what names, numbers or places a person who did not ask to be learnt.

    {"question": "Who am I?", "answer": "Ada Byron, ada@mail.org"}   ->   email

Numbers that carry a check digit (cards, IBANs, most national numbers) are sure finds; names and
addresses go by the words around them.
"""

from __future__ import annotations

from tunesmith.data.audit.contracts import Ground, Rule
from tunesmith.data.personal.find import find_personal
from tunesmith.data.personal.looking import SpanLooker

_WHY = "A model repeats what it is trained on: whoever asks can be told this person's data."
_FIX = "replace it (tunesmith clean --redact writes {}), or remove the row"


def _rule(why: str, placeholder: str) -> Rule:
    return Rule(severity="warn", why=why, fix=_FIX.format(placeholder))


RULES = {
    "email": _rule(_WHY, "[EMAIL_1]"),
    "phone": _rule(_WHY, "[PHONE_1]"),
    "card": _rule("A card number in a model's answers can be used by anybody.", "[CARD_1]"),
    "iban": _rule("An account number leads to one person, and to their money.", "[IBAN_1]"),
    "national_id": _rule(
        "A national number is what an identity is stolen with.", "[NATIONAL_ID_1]"
    ),
    "ip_address": _rule("A public IP address leads to a household.", "[IP_ADDRESS_1]"),
    "street_address": _rule("It tells where somebody lives or works.", "[STREET_ADDRESS_1]"),
    "person_name": _rule(
        "The words around the name make it somebody's own, and the model would repeat it.",
        "[PERSON_NAME_1]",
    ),
    "birth_date": _rule("With a name it is enough to be somebody.", "[BIRTH_DATE_1]"),
    "medical_record": _rule("It leads to what is most private of a person.", "[MEDICAL_RECORD_1]"),
}
_NAMES = {
    "email": ("e-mail address", "e-mail addresses"),
    "phone": ("telephone number", "telephone numbers"),
    "card": ("payment card number", "payment card numbers"),
    "iban": ("bank account number (IBAN)", "bank account numbers (IBAN)"),
    "national_id": ("national or identity number", "national or identity numbers"),
    "ip_address": ("public IP address", "public IP addresses"),
    "street_address": ("street address", "street addresses"),
    "person_name": ("name of a person", "names of persons"),
    "birth_date": ("date of birth", "dates of birth"),
    "medical_record": ("medical record number", "medical record numbers"),
}


def begin(ground: Ground) -> SpanLooker:
    """The check."""
    return SpanLooker(find_personal, _NAMES)
