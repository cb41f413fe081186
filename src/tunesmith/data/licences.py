"""A licence as people write it, as an SPDX expression with its terms.

    "CC BY-SA 4.0"                                       ->  CC-BY-SA-4.0
    "https://opensource.org/licenses/MIT"                ->  MIT
    "mit OR apache-2.0"                                  ->  MIT OR Apache-2.0
    "see the readme"                                     ->  not known, the text is kept

https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from license_expression import (
    ExpressionError,
    ExpressionParseError,
    LicenseSymbol,
    LicenseWithExceptionSymbol,
    Licensing,
    get_spdx_licensing,
)

from tunesmith.data.licence_names import NAMES, PAGES, SILENT
from tunesmith.data.licence_terms import Terms, all_of, easiest, references, terms_of

_LONGEST = 300
_DEEPEST = 20
_PARENTHESES = re.compile(r"\(([^()]*)\)")
_NOISE = re.compile(r"\b(?:the|licen[sc]ed?|public|international|unported|generic|version|under)\b")
_COMMONS = frozenset(
    ("cc", "creative", "commons", "deed", "by", "attribution", "nc", "non", "commercial")
    + ("noncommercial", "sa", "share", "alike", "sharealike", "nd", "no", "derivatives")
    + ("derivs", "noderivatives", "noderivs", "1", "2", "3", "4", "1.0", "2.0", "2.5", "3.0", "4.0")
)
"""Words of the names of Creative Commons licences."""
_VERSION = re.compile(r"\b([1-4]\.\d)\b")
_REFERENCE = re.compile(r"LicenseRef-[A-Za-z0-9.-]+\Z")
_SEVERAL = re.compile(r"\s*(?:,|;|&|\band\b)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """A licence that was given."""

    text: str
    """As it was given; empty where none was."""
    expression: str = ""
    """SPDX; empty where the text is none that we know."""
    terms: Terms | None = None
    """None where the licence is not in our table; of a choice, the terms that ask least."""

    @property
    def shown(self) -> str:
        """The expression, or the text, or `unknown`."""
        return self.expression or self.text or "unknown"


def licence_of(text: str) -> Licence:
    """Read a licence: SPDX, a name in common use, or the address of its page.

    Args:
        text: what was given, of any length; `other` and `unknown` say nothing.
    """
    given = " ".join(text.split())
    if given.casefold() in SILENT:
        return Licence(text="")
    kept = Licence(text=given[:_LONGEST])
    if len(given) > _LONGEST:
        return kept
    parsed = _expression(given)
    if parsed is None:
        return kept
    return Licence(text=given, expression=str(parsed), terms=_terms(parsed))


def _expression(given: str) -> Any:  # noqa: ANN401 - the library's trees have no types
    """The expression that a text means; None where it is none."""
    for reading in (given, _in_parentheses(given), _named(given), _all_named(given)):
        if reading and (parsed := _parsed(reading)) is not None:
            return parsed
    return None


def _parsed(expression: str) -> Any:  # noqa: ANN401 - as above
    if not _well_formed(expression):
        return None
    licensing = _licensing()
    try:
        parsed = licensing.parse(expression)
        unknown = licensing.unknown_license_keys(parsed) if parsed is not None else []
        if not all(_REFERENCE.match(key) for key in unknown):
            return None
        if not unknown:
            licensing.parse(expression, validate=True, strict=True)  # exceptions in their place
    except (ExpressionError, ExpressionParseError):
        return None
    return parsed


def _well_formed(expression: str) -> bool:
    """Whether names, operators and brackets alternate: the library takes that for granted."""
    depth, named = 0, False
    for token in re.findall(r"[()]|[^\s()]+", expression):
        operator = token.upper() in {"AND", "OR", "WITH"}
        if token == "(" or not (operator or token == ")"):
            if named:
                return False
            depth += token == "("
            named = token != "("
        else:
            if not named:
                return False
            depth -= token == ")"
            named = token == ")"
        if not 0 <= depth <= _DEEPEST:
            return False
    return named and depth == 0


@cache
def _licensing() -> Licensing:
    spdx = get_spdx_licensing()
    known = spdx.known_symbols
    ours = [LicenseSymbol(name) for name in references() if name not in known]
    return Licensing([*known.values(), *ours], quiet=True)


def _terms(parsed: Any) -> Terms | None:  # noqa: ANN401 - as above
    if isinstance(parsed, LicenseWithExceptionSymbol):
        return _terms(parsed.license_symbol)
    if isinstance(parsed, LicenseSymbol):
        return terms_of(str(parsed.key))
    found = [_terms(part) for part in parsed.args]
    known = [terms for terms in found if terms is not None]
    if isinstance(parsed, _licensing().OR):
        return easiest(known) if known else None
    return all_of(known) if len(known) == len(found) else None


def _named(text: str) -> str:
    """The identifier of a name in common use, or of the page of a licence."""
    folded = text.casefold().strip(" .\"'")
    for pattern, identifier in PAGES:
        if found := pattern.search(folded):
            named = found.expand(identifier)
            return NAMES.get(_plain(named)) or (named.upper() if "\\" in identifier else named)
    plain = _plain(folded)
    return NAMES.get(plain, "") or _commons(plain)


def _plain(folded: str) -> str:
    """`the mit licence` as `mit`, `apache license, version 2.0` as `apache 2.0`."""
    without = _NOISE.sub(" ", _PARENTHESES.sub(" ", folded))
    words = re.sub(r"[\s,_/-]+", " ", re.sub(r"\bv(?=\d)", "", without)).strip(" .")
    return re.sub(r"(?<=[a-z])v(?=\d)", " ", words)


def _commons(plain: str) -> str:
    """A Creative Commons licence in words or letters."""
    words = set(plain.split())
    if not words <= _COMMONS or not words & {"by", "attribution"}:
        return ""
    joined = plain.replace(" ", "")
    parts = ["CC-BY"]
    if "nc" in words or "noncommercial" in joined:
        parts.append("NC")
    if "sa" in words or "sharealike" in joined:
        parts.append("SA")
    elif "nd" in words or "noderiv" in joined:
        parts.append("ND")
    version = _VERSION.search(plain) or re.search(r"\b([1-4])$", plain)
    if version is None:
        return f"LicenseRef-{'-'.join(parts)}"
    number = version[1] if "." in version[1] else f"{version[1]}.0"
    return "-".join([*parts, number])


def _in_parentheses(text: str) -> str:
    """What stands in parentheses and what stands before them: one of the two, or both."""
    outside = _PARENTHESES.sub(" ", text).strip()
    if outside == text:
        return ""
    if re.search(r"\b(?:and|or|with)\b", outside, re.IGNORECASE) and not _named(outside):
        return ""
    found: list[str] = []
    for part in (*_PARENTHESES.findall(text), outside):
        name = part if _parsed(part) is not None else _named(part)
        vague = any(f"LicenseRef-{other}".startswith(f"{name}-") for other in found)
        if name and not vague and name.casefold() not in map(str.casefold, found):
            found.append(name)
    return " AND ".join(f"({name})" for name in found)


def _all_named(text: str) -> str:
    """Several names with commas between them: all of them apply."""
    parts = [part for part in _SEVERAL.split(text) if part]
    if len(parts) < 2:
        return ""
    names = [part if _parsed(part) is not None else _named(part) for part in parts]
    return " AND ".join(f"({name})" for name in names) if all(names) else ""
