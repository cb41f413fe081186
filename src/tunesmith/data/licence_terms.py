"""What the common licences of data and software ask of a model that learns from them.

    CC-BY-SA-4.0   commercial use yes, share-alike, derivatives yes, attribution

Our own reading of each licence's text, for finding out what must be looked at; it is no legal
advice. Whether a model is a derived work of its data is not settled: the careful answer is
given, as if it were.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a licence allows and asks."""

    commercial: bool = True
    share_alike: bool = False
    """What is made from it must be passed on under the same licence."""
    derivatives: bool = True
    """Changed versions may be passed on."""
    attribution: bool = True
    """The author and the licence must be named."""
    restriction: str = ""
    """A limit that is none of these, in words."""
    outbound: frozenset[str] = frozenset()
    """With share-alike: the licences under which a work with this part may be passed on."""


OWN = "LicenseRef-own"
"""Data of one's own, or with a permission for this use."""
_FREE = Terms(attribution=False)
_CREDIT = Terms()
_RESEARCH = Terms(commercial=False, restriction="research use only")


def _shared(*outbound: str) -> Terms:
    return Terms(share_alike=True, outbound=frozenset(outbound))


def _restricted(words: str) -> Terms:
    return Terms(restriction=words)


_GPL_3 = ("GPL-3.0", "AGPL-3.0")
_GPL_2 = ("GPL-2.0", *_GPL_3)
_TERMS = {
    **dict.fromkeys(
        (
            OWN,
            "LicenseRef-public-domain",
            "CC0-1.0",
            "CC-PDDC",
            "PDDL-1.0",
            "Unlicense",
            "0BSD",
            "MIT-0",
            "WTFPL",
            "DL-DE-ZERO-2.0",
            "O-UDA-1.0",
            "CDLA-Permissive-2.0",
        ),
        _FREE,
    ),
    **dict.fromkeys(
        (
            "MIT",
            "Apache-2.0",
            "BSD-2-Clause",
            "BSD-3-Clause",
            "BSD-3-Clause-Clear",
            "BSD-4-Clause",
            "LicenseRef-BSD",
            "ISC",
            "Zlib",
            "BSL-1.0",
            "Python-2.0",
            "PSF-2.0",
            "AFL-3.0",
            "Artistic-2.0",
            "BlueOak-1.0.0",
            "ECL-2.0",
            "LPPL-1.3c",
            "NCSA",
            "PostgreSQL",
            "UPL-1.0",
            "MS-PL",
            "ODC-By-1.0",
            "C-UDA-1.0",
            "CDLA-Permissive-1.0",
            "Community-Spec-1.0",
            "etalab-2.0",
            "OGL-UK-1.0",
            "OGL-UK-2.0",
            "OGL-UK-3.0",
            "OGL-Canada-2.0",
            "DL-DE-BY-2.0",
            "NLOD-1.0",
            "NLOD-2.0",
        ),
        _CREDIT,
    ),
    "ODbL-1.0": _shared("ODbL-1.0"),
    "CDLA-Sharing-1.0": _shared("CDLA-Sharing-1.0"),
    "GPL-1.0-or-later": _shared("GPL-1.0", *_GPL_2),
    "GPL-2.0-only": _shared("GPL-2.0"),
    "GPL-2.0-or-later": _shared(*_GPL_2),
    "GPL-3.0-only": _shared(*_GPL_3),
    "GPL-3.0-or-later": _shared(*_GPL_3),
    "AGPL-3.0-only": _shared("AGPL-3.0"),
    "AGPL-3.0-or-later": _shared("AGPL-3.0"),
    "LGPL-2.0-or-later": _shared("LGPL-2.1", "LGPL-3.0", *_GPL_2),
    "LGPL-2.1-only": _shared("LGPL-2.1", *_GPL_2),
    "LGPL-2.1-or-later": _shared("LGPL-2.1", "LGPL-3.0", *_GPL_2),
    "LGPL-3.0-only": _shared("LGPL-3.0", *_GPL_3),
    "LGPL-3.0-or-later": _shared("LGPL-3.0", *_GPL_3),
    "MPL-1.1": _shared("MPL-1.1"),
    "MPL-2.0": _shared("MPL-2.0", "LGPL-2.1", "LGPL-3.0", *_GPL_2),
    "EPL-1.0": _shared("EPL-1.0"),
    "EPL-2.0": _shared("EPL-2.0"),
    "EUPL-1.1": _shared("EUPL-1.1", "EUPL-1.2", "GPL-2.0", "OSL-3.0"),
    "EUPL-1.2": _shared("EUPL-1.2", "CC-BY-SA-3.0", "MPL-2.0", "OSL-3.0", *_GPL_2),
    "CECILL-2.1": _shared("CECILL-2.1", "EUPL-1.2", *_GPL_2),
    "OSL-3.0": _shared("OSL-3.0"),
    "OFL-1.1": _shared("OFL-1.1"),
    "MS-RL": _shared("MS-RL"),
    "NCGL-UK-2.0": Terms(commercial=False),
    "LicenseRef-non-commercial": Terms(commercial=False),
    "LicenseRef-research-only": _RESEARCH,
    "LicenseRef-all-rights-reserved": Terms(
        commercial=False, derivatives=False, restriction="all rights reserved"
    ),
    "LicenseRef-model-output": Terms(
        attribution=False,
        restriction="written by a model whose terms forbid training models that compete with it",
    ),
    "LicenseRef-OpenRAIL": _restricted("a list of forbidden uses, to be passed on"),
    "LicenseRef-gemma": _restricted("a list of forbidden uses, to be passed on"),
    "LicenseRef-llama": _restricted(
        "Meta's terms for Llama and its output: the name of the model, a list of forbidden "
        "uses, large companies"
    ),
    "JSON": _restricted("a clause on what it may be used for"),
}
_CREATIVE_COMMONS = re.compile(
    r"(?:LicenseRef-)?CC-BY(?P<nc>-NC)?(?P<last>-SA|-ND)?"
    r"(?:-(?P<version>\d\.\d))?(?:-[A-Z]{2,4})?\Z"
)
_DOCUMENTATION = re.compile(r"GFDL-(?P<version>1\.\d)-(?:(?:no-)?invariants-)?(?:only|or-later)\Z")
_LATER = ("2.0", "2.5", "3.0", "4.0")


def terms_of(identifier: str) -> Terms | None:
    """The terms of one SPDX licence, or of a LicenseRef of ours; None where it is not known."""
    if found := _TERMS.get(identifier):
        return found
    if match := _CREATIVE_COMMONS.match(identifier):
        return _creative_commons(match)
    if match := _DOCUMENTATION.match(identifier):
        return _shared(f"GFDL-{match['version']}")
    return None


def references() -> tuple[str, ...]:
    """The LicenseRef identifiers that the table knows."""
    bare = ("CC-BY", "CC-BY-SA", "CC-BY-NC", "CC-BY-ND", "CC-BY-NC-SA", "CC-BY-NC-ND")
    named = [name for name in _TERMS if name.startswith("LicenseRef-")]
    return (*named, *(f"LicenseRef-{name}" for name in bare))


def all_of(parts: list[Terms]) -> Terms:
    """Terms that all apply."""
    shared = [part.outbound for part in parts if part.share_alike]
    return Terms(
        commercial=all(part.commercial for part in parts),
        share_alike=bool(shared),
        derivatives=all(part.derivatives for part in parts),
        attribution=any(part.attribution for part in parts),
        restriction="; ".join(
            dict.fromkeys(part.restriction for part in parts if part.restriction)
        ),
        outbound=frozenset.intersection(*shared) if shared else frozenset(),
    )


def easiest(choices: list[Terms]) -> Terms:
    """Of terms that one may choose from, those that ask least."""
    return min(choices, key=_burden)


def conflict(one: Terms, other: Terms) -> str:
    """Why a work with both parts could not be passed on, as half a sentence; "" where it could."""
    if one.share_alike and other.share_alike:
        both = all_of([one, other])
        return "" if both.outbound else "each must be passed on under its own licence"
    for shared, limited in ((one, other), (other, one)):
        if not shared.share_alike or (limited.commercial and not limited.restriction):
            continue
        if shared.commercial or limited.restriction:
            return "the share-alike licence allows no further limits, and the other has one"
    return ""


def duties(terms: Terms | None) -> tuple[str, ...]:
    """What a licence asks, a word each; nothing where it asks nothing."""
    if terms is None:
        return ("unknown",)
    asked = (
        ("attribution", terms.attribution),
        ("share-alike", terms.share_alike),
        ("non-commercial", not terms.commercial),
        ("no derivatives", not terms.derivatives),
        (terms.restriction, bool(terms.restriction)),
    )
    return tuple(word for word, holds in asked if holds)


def _burden(terms: Terms) -> tuple[bool, ...]:
    return (
        not terms.derivatives,
        not terms.commercial,
        bool(terms.restriction),
        terms.share_alike,
        terms.attribution,
    )


def _creative_commons(match: re.Match[str]) -> Terms:
    terms = replace(_CREDIT, commercial=not match["nc"], derivatives=match["last"] != "-ND")
    if match["last"] != "-SA":
        return terms
    family = f"CC-BY{match['nc'] or ''}-SA"
    version = match["version"]
    later = [number for number in _LATER if version is None or number >= version]
    outbound = {f"{family}-{number}" for number in later}
    if family == "CC-BY-SA":
        outbound.add("GPL-3.0")
    if version == "1.0":
        outbound = {f"{family}-1.0"}
    return replace(terms, share_alike=True, outbound=frozenset(outbound))
