"""Dates and numbers that the words before them call a person's: births and medical records.

"born on 12 March 1985"   "DOB: 03/12/1985"   "MRN 00482913"   "Patientennummer 4711-882"
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tunesmith.data.personal.cues import Announced, Page, any_of
from tunesmith.data.personal.spans import Span

_MONTH = r"[^\W\d_]{3,10}\.?"
_DATE = (
    r"(?:[0-9]{1,4} ?[./-] ?[0-9]{1,2} ?[./-] ?[0-9]{2,4}|"
    rf"[0-9]{{1,2}}(?:st|nd|rd|th|er|\.|º)? (?:de |of )?{_MONTH},?(?: de| del| do)? [0-9]{{4}}|"
    rf"{_MONTH} [0-9]{{1,2}}(?:st|nd|rd|th)?,? [0-9]{{4}}|[0-9]{{4}}年[0-9]{{1,2}}月[0-9]{{1,2}}日)"
)
_BIRTHS = (
    "birth", "birthdate", "birth_date", "birthday", "date_of_birth", "dob", "d.o.b", "born",
    "geburtsdatum", "geburtstag", "geboren", "geb", "né", "née", "naissance", "nacimiento",
    "nacido", "nacida", "nascita", "nato", "nata", "geboortedatum", "nascimento", "nascido",
    "nascida", "urodzenia", "urodzony", "urodzona", "födelsedatum", "född",
)  # fmt: skip
_BORN = Announced(
    _BIRTHS,
    re.compile(
        rf"{any_of(_BIRTHS)}(?!\w)"
        rf"[^0-9\n]{{0,24}}?(?<![0-9])({_DATE})(?![0-9])"
    ),
)
_BORN_EAST = re.compile(rf"(?:生年月日|出生日期|出生于)[^0-9\n]{{0,4}}({_DATE})(?![0-9])")
_MONTHS = frozenset(
    {
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mär",
        "mrz", "mai", "okt", "dez", "fév", "fev", "avr", "jui", "aoû", "déc", "ene", "abr", "ago",
        "dic", "gen", "mag", "giu", "lug", "set", "ott", "mrt", "mei", "maa", "out", "lut", "kwi",
        "maj", "cze", "lip", "sie", "wrz", "paź", "lis", "gru", "sty",
    }
)  # fmt: skip
_YEAR = re.compile("(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])")
_OF_WHOM = ("medical", "health", "hospital", "patient", "clinical", "patient's")
_WHICH = (
    "record",
    "chart",
    "file",
    "id",
    "identifier",
    "identification",
    "number",
    "no",
    "nr",
    "#",
)
_RECORDS = (
    *(f"{whom} {which}" for whom in _OF_WHOM for which in _WHICH),
    "mrn", "chart number", "chart no", "chart #", "patient_id", "patientid", "patient-id",
    "patientennummer", "patienten-id", "patienten-nr", "patientennr", "fallnummer",
    "krankenaktennummer", "aufnahmenummer", "numéro de dossier", "numéro de patient",
    "n° de dossier", "numéro patient", "dossier médical", "ipp", "numero de historia",
    "número de historia",
    "historia clínica", "historia clinica", "número de paciente", "nhc", "cartella clinica",
    "numero paziente", "id paziente", "patiëntnummer", "patientnummer", "patiënt-id", "prontuário",
    "prontuario", "ur number",
)  # fmt: skip
_RECORD = Announced(
    _RECORDS,
    re.compile(
        rf"{any_of(_RECORDS)}"
        r"(?i:[ ](?:number|no\b|nr\b|id\b|médical|patient|cl[ií]nica|code))*"
        r"[\s:#.=°º\"'()-]{0,6}(?i:(?:is|ist|est|es|het|è|é|was|number|no\.?|nr\.?|n[.°º]+)[\s:#]{1,3})?"
        r"((?:[A-Z]{1,4}[-/ ]?)?[0-9](?:[-/]?[0-9A-Z]){3,14})(?!\w|[.,][0-9])"
    ),
)
_RECORD_EAST = re.compile(
    r"(?:病歴番号|患者番号|病历号|住院号)[\s::]{0,3}([A-Z]{0,3}[0-9]{4,12})(?!\w)"
)
_PAPERS = (
    "passport", "reisepass", "reisepassnummer", "passnummer", "passeport", "pasaporte",
    "passaporto", "paspoort", "paspoortnummer", "passaporte", "driver's license",
    "driver’s license", "drivers license", "driver license", "driver's licence", "driving licence",
    "driving license", "führerschein", "führerscheinnummer", "permis de conduire",
    "personalausweis", "ausweisnummer", "personalausweisnummer", "id card number",
)  # fmt: skip
_PAPER = Announced(
    _PAPERS,
    re.compile(
        rf"{any_of(_PAPERS)}(?i:[ ](?:number|no\b|nr\b|id\b|code|num\b|card))*"
        r"[\s:#.=°º\"'()-]{0,6}(?i:(?:is|ist|est|es|è|é|was|number|no\.?|nr\.?|n[.°º]+)[\s:#]{1,3})?"
        r"((?=[A-Z0-9]{0,8}[0-9]{2})[A-Z0-9]{6,16})(?!\w|[.,][0-9])"
    ),
)
_PANS = ("pan", "permanent account number")
_PAN = Announced(
    _PANS,
    re.compile(
        rf"{any_of(_PANS)}\b[^\n]{{0,40}}?(?<!\w)([A-Z]{{3}}[ABCFGHLJPT][A-Z][0-9]{{4}}[A-Z])(?!\w)"
    ),
)
_EAST = re.compile("[生出病患住]")
_LEAST_DIGITS = 4


_NUMBERED = (("medical_record", _RECORD), ("national_id", _PAPER), ("national_id", _PAN))
RECORD_WORDS = _BORN.words | _RECORD.words | _PAPER.words | _PAN.words
"""A text without any of these calls no date or number a person's, but for East Asian ones."""


def records(page: Page) -> Iterator[Span]:
    """Births of somebody who may be alive, and numbers of records and papers, by the words."""
    for match in _BORN.matches(page):
        if _is_recent(match.group(1)):
            yield _span("birth_date", match)
    for kind, announced in _NUMBERED:
        for match in announced.matches(page):
            if sum(sign.isdigit() for sign in match.group(1)) >= _LEAST_DIGITS:
                yield _span(kind, match)
    if _EAST.search(page.text):
        for kind, form in (("birth_date", _BORN_EAST), ("medical_record", _RECORD_EAST)):
            for match in form.finditer(page.text):
                yield _span(kind, match)


def _span(kind: str, match: re.Match[str]) -> Span:
    return Span(kind=kind, start=match.start(1), end=match.end(1))


def _is_recent(date: str) -> bool:
    """A month that a calendar has, and a year, where it has four digits, from 1900 on."""
    month = re.search(r"[^\W\d_]{3,}", date)
    if month is not None and "年" not in date and month.group()[:3].lower() not in _MONTHS:
        return False
    return _YEAR.search(date) is not None or re.search("[0-9]{4}", date) is None
