"""Personal data of eight countries, each value in a sentence; and values that only look so.

"You can also reach Heike Brandt at +49 30 4438197."
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from benchmarks.audit import digits, people
from benchmarks.audit.bed import Bed, Defect, Part, insert
from benchmarks.audit.dice import Dice

EACH = 3
"""Values a rule, country and file."""
_PHONE = (
    "You can also call {} before noon.",
    "My number is {}, in case we are cut off.",
    "Please text the results to {}.",
    "Tel. {}",
    "The patient's phone: {}.",
    "She left {} as the number to call back.",
)
_ADDRESS = (
    "The parcel goes to {}.",
    "She lives at {}.",
    "My address is {}, please update the file.",
    "Send the letter to {}.",
    "Home address: {}",
    "He moved to {} last spring.",
)
_NAME = (
    "My name is {} and I have a question.",
    "The patient, {}, came in on Monday.",
    "This was written by Dr. {}.",
    "Please ask for Mrs. {} at the desk.",
    "Kind regards, {}",
    "I spoke with Mr. {} about it.",
    "Full name: {}",
    "The account belongs to {}.",
)
_BIRTH = (
    "Date of birth: {}.",
    "I was born on {}.",
    "DOB {}",
    "Her birthday is {}.",
    "The patient (born {}) was seen twice.",
    "He was born {} and has no allergies.",
)
_RECORD = (
    "Medical record number: {}.",
    "MRN: {}",
    "The patient's MRN is {}.",
    "Hospital number {} was opened for this.",
    "See chart no. {} for the history.",
    "MRN {} has the scan.",
)
_EMAIL = (
    "Write to {} for the details.",
    "My e-mail is {}.",
    "Contact: {}",
    "It was forwarded to {}, who answered.",
    "Please copy {} in.",
    "Reply to <{}>.",
)
_CARD = (
    "Charge it to {}.",
    "My card number is {}.",
    "Card: {}",
    "I paid with {} yesterday.",
    "The receipt shows {}.",
    "Visa or not, here it is: {}",
)
_IBAN = (
    "Transfer it to {}.",
    "IBAN: {}",
    "Our account is {}, as before.",
    "The money came from {}.",
    "My account number is {}.",
    "Refund to {} please.",
)
_IP = (
    "The request came from {}.",
    "IP address: {}",
    "Server {} does not answer.",
    "Log in from {} was refused.",
    "Ping {} first.",
    "Last seen at {} yesterday.",
)
_IDS: Mapping[str, tuple[tuple[str, str, Callable[[Dice], str]], ...]] = {
    "US": (("ssn", "social security number", digits.ssn),),
    "GB": (("nino", "National Insurance number", digits.nino), ("nhs", "NHS number", digits.nhs)),
    "DE": (("tax id", "Steuer-ID", digits.tax_de),),
    "FR": (("nir", "numéro de sécurité sociale", digits.nir),),
    "ES": (("dni", "DNI", digits.dni), ("nie", "NIE", digits.nie)),
    "IT": (("codice fiscale", "codice fiscale", digits.codice_fiscale),),
    "NL": (("bsn", "BSN", digits.bsn),),
    "IN": (("aadhaar", "Aadhaar number", digits.aadhaar), ("pan", "PAN", digits.pan)),
}
_ID_SENTENCES = (
    "My {0} is {1}.",
    "{0}: {1}",
    "The form asks for the {0}; it is {1}.",
    "Her {0} ({1}) was checked.",
    "Please note the {0} {1} on the file.",
    "{1} is the {0} that we have.",
)
_NO_CHECK = ("pan", "nino")
"""Numbers without check digits: there is no near miss to build but letters never used."""
_HARMLESS = (
    "The firm was founded on 12 May 1980 and grew quickly.",
    "Version 10.2.14.1 of the driver fixes this.",
    "See section 4.11.2.3 of the manual.",
    "The book has the ISBN 978-3-16-148410-0.",
    "Pages 1123-1187 of volume 34 cover it.",
    "It took 299 792 458 tries, so to speak.",
    "The medical record number is a number that a clinic gives to a file.",
    "Medical record systems from 2015 were replaced.",
    "Order 66081234 was shipped on 03/04/2019.",
    "The decorator @property.setter is needed here.",
    "Meet @ 5.30 pm @ the usual place.",
    "The sum is 1 250 000 000 in total.",
    "Temperatures of 36.5-37.2 are normal.",
    "On Wall Street, the shares fell by 12.5.",
    "Turn left at the end of the street and then right.",
    "Parkinson and Alzheimer described two diseases.",
    "The 1969-07-20 landing was seen by 600000000 people.",
    "A ratio of 12:34:56 is not a time.",
    "Use 127.0.0.1 for tests on your own machine.",
    "The part number is 4012-8888-8888-1882-77.",
    "MRN is short for medical record number.",
    "He was born in the nineteen-sixties in a small town.",
    "The date of birth is asked for on page 2.",
    "The street address must not be left empty.",
    "The identifier 3fa85f64-5717-4562-b3fc-2c963f66afa6 is unique.",
    "Subtract 212-555 from 614-313 and you get 401.",
)
_SILENT = (
    "email", "phone", "card", "iban", "national_id", "ip_address", "street_address",
    "person_name", "birth_date", "medical_record",
)  # fmt: skip


def plant_personal(bed: Bed) -> None:
    """Every kind of personal data, and near misses."""
    for country in people.COUNTRIES:
        _plant_country(bed, country)
    dice = bed.dice
    for _ in range(4 * EACH):
        _say(bed, "email", "plain", _EMAIL, people.email)
        _say(bed, "ip_address", "public", _IP, people.ip)
        _say(bed, "card", "in one piece", _CARD, digits.card)
        _say(bed, "card", "in groups", _CARD, lambda d: spaced(digits.card(d), 4, d))
    for country in ("DE", "GB", "FR", "ES", "IT", "NL"):
        _say(bed, "iban", f"{country}, in one piece", _IBAN, partial(digits.iban, country=country))
        _say(bed, "iban", f"{country}, in groups", _IBAN,
             lambda d, c=country: spaced(digits.iban(d, c), 4, d, " "))  # fmt: skip
        _near_miss(bed, "iban", _IBAN, lambda d, c=country: _broken_iban(d, c))
    for _ in range(4 * EACH):
        _near_miss(bed, "card", _CARD, lambda d: digits.wrong(digits.card(d), d))
    for sentence in dice.own(_HARMLESS):
        row = bed.take()
        row.put("answer", insert(row.text("answer"), sentence, dice))
        for rule in _SILENT:
            bed.plant(Defect(rule=rule, variant="harmless sentence", rows=(row,), near_miss=True))


def _plant_country(bed: Bed, country: str) -> None:
    for _ in range(EACH):
        make = partial(people.phone, country=country)
        _say(bed, "phone", country, _PHONE, make)
        _say(bed, "street_address", country, _ADDRESS, partial(people.address, country=country),
             exact=False)  # fmt: skip
        _say(bed, "person_name", country, _NAME, lambda d: people.person(d, country).name,
             exact=False)  # fmt: skip
        _say(bed, "birth_date", country, _BIRTH, partial(people.birthday, country=country),
             exact=False)  # fmt: skip
        _say(bed, "medical_record", country, _RECORD, people.medical_record, exact=False)
        for short, name, make_id in _IDS[country]:
            sentences = tuple(text.replace("{0}", name).replace("{1}", "{}")
                              for text in _ID_SENTENCES)  # fmt: skip
            _say(bed, "national_id", f"{country} {short}", sentences, make_id)
            if short not in _NO_CHECK:
                _near_miss(bed, "national_id", sentences, partial(_broken_id, short, make_id))


def _broken_id(short: str, make: Callable[[Dice], str], dice: Dice) -> str:
    if short == "ssn":
        return digits.ssn_never_given(dice)
    return digits.wrong(make(dice), dice)


def _broken_iban(dice: Dice, country: str) -> str:
    right = digits.iban(dice, country)
    return right[:2] + f"{(int(right[2:4]) + dice.number(1, 80) - 2) % 97 + 2:02}" + right[4:]


def spaced(number: str, size: int, dice: Dice, signs: str = " -") -> str:
    """A number in groups."""
    sign = dice.random.choice(signs)
    return sign.join(number[at : at + size] for at in range(0, len(number), size))


def _say(
    bed: Bed, rule: str, variant: str, sentences: tuple[str, ...], make: Callable[[Dice], str],
    exact: bool = True, near_miss: bool = False,
) -> None:  # fmt: skip
    dice = bed.dice
    value = dice.value(make)
    part: Part = "question" if dice.chance(0.3) else "answer"
    row = bed.take()
    template = dice.of(sentences)
    row.put(part, insert(row.text(part), template.replace("{}", value), dice))
    bed.plant(
        Defect(
            rule=rule, variant=variant, exact=exact, rows=(row,), near_miss=near_miss,
            also=_besides(rule), value=value, note=template,
        )
    )  # fmt: skip


def _besides(rule: str) -> tuple[str, ...]:
    """What a value is as well: a letter goes to somebody at an address."""
    return {"street_address": ("person_name",), "email": ("person_name",)}.get(rule, ())


def _near_miss(
    bed: Bed, rule: str, sentences: tuple[str, ...], make: Callable[[Dice], str]
) -> None:
    _say(bed, rule, "wrong check digit", sentences, make, near_miss=True)
