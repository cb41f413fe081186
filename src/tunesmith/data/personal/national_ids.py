"""National numbers of persons: which numbers of a text are one, by form, check and words nearby.

    "SSN 212-45-6789", "NHS number 943 476 5919", "codice fiscale RSSMRA85T10A562S"

A number that is written as only its country writes it, or whose check is strong, is enough by
itself; bare digits need a word that says what they are within some forty characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tunesmith.data.personal import check_rules as check
from tunesmith.data.personal.check_digits import is_luhn, is_verhoeff
from tunesmith.data.personal.numbers import Number
from tunesmith.data.personal.spans import Span

_NEAR_BEFORE, _NEAR_AFTER = 48, 28


def words(pattern: str) -> re.Pattern[str]:
    """Whole words, whatever their case."""
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)


_ANY_ID = words(
    r"(?:national|personal|citizen|government|tax(?:payer)?|resident|identity|identification|"
    r"insurance)\W?(?:id|identification|identity|insurance)?\W?(?:card|number|no|nr|code|#)|"
    r"(?:my|his|her|your|the|government|photo|national) id|id\W?(?:card|number|no|nr)|"
    r"personalausweis\w*|ausweisnummer|steuernummer|carte d.identité|documento|identidad|"
    r"identità|identidade|identiteitskaart|身份证\w*|身分證\w*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Numbers that one authority gives out, as digits only."""

    lengths: tuple[int, ...]
    is_valid: Callable[[str], bool]
    near: re.Pattern[str]
    sure: re.Pattern[str] | None = None
    """Written like this it needs no word nearby."""


_REGISTERS = (
    Register(
        lengths=(9,),
        is_valid=check.is_ssn,
        near=words(r"ssn|s\.s\.n\.?|social\W?security\W?(?:number|no|num|#|card)?|social"),
        sure=re.compile("[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}"),
    ),
    Register(
        lengths=(9,),
        is_valid=check.is_itin,
        near=words(r"itin|individual taxpayer identification number"),
    ),
    Register(lengths=(10,), is_valid=check.is_nhs, near=words(r"nhs(?:\W?(?:number|no))?")),
    Register(
        lengths=(11,),
        is_valid=check.is_steuer_id,
        near=words(
            r"steuer\W?(?:id|identifikations?\W?nummer|nummer|nr)\w*|idnr|identifikationsnummer|"
            r"german tax\W?(?:id|number)|tin|tax (?:id|number|identification)"
        ),
    ),
    Register(
        lengths=(15,),
        is_valid=check.is_nir,
        near=words(r"nir|sécurité sociale|securite sociale|insee"),
        sure=re.compile("[12] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}"),
    ),
    Register(
        lengths=(9,),
        is_valid=check.is_bsn,
        near=words(r"bsn\w*|burger\W?service\W?nummer|sofi\W?nummer|citizen service number"),
    ),
    Register(
        lengths=(11,),
        is_valid=check.is_belgian,
        near=words(
            r"rijksregister\w*|registre national|insz|niss|rrn|numéro national|"
            r"(?:belgian )?national (?:register )?number"
        ),
        sure=re.compile(r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}"),
    ),
    Register(lengths=(11,), is_valid=check.is_pesel, near=words(r"pesel\w*")),
    Register(
        lengths=(9,),
        is_valid=check.is_portuguese,
        near=words(r"nif|contribuinte|número de identificação fiscal"),
    ),
    Register(
        lengths=(10, 12),
        is_valid=lambda digits: check.is_birth_date_first(digits) and is_luhn(digits[-10:]),
        near=words(r"person\W?(?:al )?(?:nummer|number|nr)\w*|samordningsnummer"),
        sure=re.compile("(?:19|20)?[0-9]{6}-[0-9]{4}"),
    ),
    Register(
        lengths=(11,),
        is_valid=check.is_cpf,
        near=words(r"cpf|cadastro de pessoas?"),
        sure=re.compile(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}"),
    ),
    Register(
        lengths=(12,),
        is_valid=lambda digits: digits[0] not in "01" and is_verhoeff(digits),
        near=words(r"aadh?aar\w*|uidai|uid|आधार"),
    ),
    Register(
        lengths=(9,),
        is_valid=lambda digits: digits[0] != "8" and is_luhn(digits),
        near=re.compile(
            r"\bS\.?I\.?N\b|\bsin (?:number|no|card|#)|\bNAS\b|(?i:social insurance|"
            r"assurance sociale)"
        ),
    ),
    Register(lengths=(9,), is_valid=check.is_tfn, near=words(r"tfn|tax file(?: number)?")),
    Register(lengths=(10, 11), is_valid=check.is_medicare, near=words(r"medicare")),
    Register(
        lengths=(13,),
        is_valid=check.is_swiss,
        near=words(r"ahv\w*|avs"),
        sure=re.compile(r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}"),
    ),
    Register(
        lengths=(11,),
        is_valid=check.is_norwegian,
        near=words(r"fødselsnummer\w*|personnummer\w*|norwegian id"),
    ),
    Register(
        lengths=(13,),
        is_valid=check.is_south_korean,
        near=words(r"rrn|resident registration(?: number)?|주민등록번호"),
        sure=re.compile("[0-9]{6}-[1-8][0-9]{6}"),
    ),
    Register(
        lengths=(12,), is_valid=check.is_my_number, near=words(r"my number|マイナンバー|個人番号")
    ),
    Register(
        lengths=(13,),
        is_valid=lambda digits: (
            check.is_birth_date_first(f"00{digits[:6]}0000") and is_luhn(digits)
        ),
        near=words(r"south african id|rsa id|sa id"),
    ),
)
_BY_LENGTH = {
    length: tuple(register for register in _REGISTERS if length in register.lengths)
    for length in {length for register in _REGISTERS for length in register.lengths}
}
_BARE_FORM = re.compile(r"[0-9]+(?:([ .\-/])[0-9]+(?:[ .\-/][0-9]+){0,7})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lettered:
    """Numbers with letters in them."""

    form: re.Pattern[str]
    is_valid: Callable[[str], bool]


_LETTERED = (
    Lettered(
        form=re.compile(
            r"[A-CEGHJ-PR-TW-Z](?<!\w\w)[A-CEGHJ-NPR-TW-Z](?: ?[0-9]{2}){3} ?[A-D](?!\w)"
        ),
        is_valid=check.is_nino,
    ),
    Lettered(form=re.compile(r"[0-9](?<!\w\w)[0-9]{7}-?[A-Z](?!\w)"), is_valid=check.is_dni),
    Lettered(form=re.compile(r"[XYZ](?<!\w\w)-?[0-9]{7}-?[A-Z](?!\w)"), is_valid=check.is_dni),
    Lettered(form=re.compile(r"[0-9](?<!\w\w)[0-9]{4}2[AB][0-9]{8}(?!\w)"), is_valid=check.is_nir),
    Lettered(
        form=re.compile(r"[12](?<!\w\w) [0-9]{2} [0-9]{2} 2[AB] [0-9]{3} [0-9]{3} [0-9]{2}(?!\w)"),
        is_valid=check.is_nir,
    ),
    Lettered(
        form=re.compile(r"[0-9](?<!\w\w)[0-9]{5}(?:19|20)[0-9]{9}[0-9X](?!\w)"),
        is_valid=check.is_chinese,
    ),
    Lettered(
        form=re.compile(r"[0-9](?<!\w\w)[0-9] ?[0-9]{6} ?[A-Z] ?[0-9]{3}(?!\w)"),
        is_valid=check.is_german_pension,
    ),
    Lettered(
        form=re.compile(r"[0-9](?<!\w\w)[0-9]{5}[-+A][0-9]{3}[0-9A-FHJ-NPR-Y](?!\w)"),
        is_valid=check.is_finnish,
    ),
    Lettered(form=re.compile(r"[STFG](?<!\w\w)[0-9]{7}[A-Z](?!\w)"), is_valid=check.is_nric),
)
_CODICE_FISCALE = re.compile(
    r"(?<!\w)[A-Z]{6} ?[0-9LMNP-V]{2}[A-EHLMPR-T][0-9LMNP-V]{2} ?[A-Z][0-9LMNP-V]{3}[A-Z](?!\w)",
    re.IGNORECASE,
)
_DIGITS_OF_CODICE = re.compile("[0-9]{2}[A-Ta-t][0-9]{2} ?[A-Za-z][0-9]{3}[A-Za-z]")


def national_ids(text: str, found: tuple[Number, ...]) -> Iterator[Span]:
    """National numbers of persons among the numbers of a text."""
    for number in found:
        for register in _BY_LENGTH.get(len(number.digits), ()):
            if register.is_valid(number.digits) and _is_written_so(text, number, register):
                yield Span(kind="national_id", start=number.start, end=number.end)
                break


def lettered_ids(text: str) -> Iterator[Span]:
    """National numbers that have letters in them."""
    for kind in _LETTERED:
        for match in kind.form.finditer(text):
            compact = re.sub("[ -]", "", match.group())
            start, end = match.span()
            if kind.is_valid(compact):
                yield Span(kind="national_id", start=start, end=end)


def codici_fiscali(text: str) -> Iterator[Span]:
    """Italian tax codes; asked apart, for they have no six digits together."""
    if _DIGITS_OF_CODICE.search(text):
        for match in _CODICE_FISCALE.finditer(text):
            if check.is_codice_fiscale(match.group().replace(" ", "").upper()):
                yield Span(kind="national_id", start=match.start(), end=match.end())


def _is_written_so(text: str, number: Number, register: Register) -> bool:
    if register.sure is not None and register.sure.fullmatch(number.text):
        return number.is_whole or " " not in number.text
    if not _BARE_FORM.fullmatch(number.text):
        return False
    if _near(register.near, text, number.start, number.end):
        return True
    return number.is_whole and _near(_ANY_ID, text, number.start, number.end)


def _near(pattern: re.Pattern[str], text: str, start: int, end: int) -> bool:
    before = text[max(0, start - _NEAR_BEFORE) : start]
    return bool(pattern.search(before) or pattern.search(text, end, end + _NEAR_AFTER))
