"""Under which licence a tuned model may be passed on: what base and data together allow.

    base Apache-2.0, data MIT and CC-BY-SA-4.0     ->  cc-by-sa-4.0
    base Apache-2.0, data without a licence        ->  unknown

A careful suggestion, as if a model were made from its data, and no legal advice. Where
anything is unknown or cannot be kept together, nothing is suggested.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tunesmith.data.licence_terms import Terms, conflict
from tunesmith.data.licences import Licence
from tunesmith.report.facts import Facts, Source

# fmt: off
_HUB = frozenset((
    "afl-3.0", "agpl-3.0", "apache-2.0", "artistic-2.0", "bsd", "bsd-2-clause",
    "bsd-3-clause", "bsd-3-clause-clear", "bsl-1.0", "c-uda", "cc-by-2.0", "cc-by-2.5",
    "cc-by-3.0", "cc-by-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0",
    "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0",
    "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc0-1.0",
    "cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0", "ecl-2.0", "epl-1.0",
    "epl-2.0", "etalab-2.0", "eupl-1.1", "eupl-1.2", "gemma", "gfdl", "gpl-2.0", "gpl-3.0",
    "isc", "lgpl-2.1", "lgpl-3.0", "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3",
    "llama4", "mit", "mpl-2.0", "ms-pl", "ncsa", "odbl", "odc-by", "openrail", "osl-3.0",
    "pddl", "postgresql", "unlicense", "wtfpl", "zlib",
))
# fmt: on
"""What the Hugging Face hub calls licences."""
_ENDINGS = ("-only", "-or-later", "-1.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherited:
    """The licence of the model, for its card."""

    hub: str
    """As the hub calls it: an id, `other` or `unknown`."""
    name: str
    """With `other`: the expression."""
    statement: str
    duties: tuple[str, ...]
    """What the licences of base and data ask, a sentence each."""


def inherited(facts: Facts) -> Inherited:
    """What the licences of a run's base and of the data that it learnt from ask together."""
    trained = tuple(source for source in facts.sources if source.role == "training")
    named = [("the base", facts.base_licence), *((one.name, one.licence) for one in trained)]
    duties = tuple(_duties(facts.base_licence, trained))
    unknown = [name for name, licence in named if licence.terms is None]
    if unknown or not trained:
        of = f" The licence is not known of: {', '.join(unknown)}." if trained else ""
        return Inherited(
            hub="unknown",
            name="",
            statement="Not stated. A tuned model inherits the conditions of its base and of its "
            f"data: check both, then replace `license: unknown` above.{of}",
            duties=duties,
        )
    for (one, first), (other, second) in itertools.combinations(named, 2):
        assert first.terms is not None and second.terms is not None, "none is unknown"
        if reason := conflict(first.terms, second.terms):
            return Inherited(
                hub="unknown",
                name="",
                statement=f"Not stated. {first.shown} ({one}) and {second.shown} ({other}) cannot "
                f"be kept together: {reason}.",
                duties=duties,
            )
    return _suggested(facts.base_licence, trained, duties)


def _suggested(base: Licence, trained: Sequence[Source], duties: tuple[str, ...]) -> Inherited:
    binding = {
        licence.expression: licence
        for licence in (base, *(one.licence for one in trained))
        if licence.terms is not None and _binds(licence.terms)
    }
    chosen = list(binding.values()) or [base]
    hub = _hub_id(chosen[0]) if len(chosen) == 1 else ""
    name = " AND ".join(
        f"({one.expression})" if " " in one.expression else one.expression for one in chosen
    )
    return Inherited(
        hub=hub or "other",
        name="" if hub else name,
        statement=f"{name}: suggested by the licences of the base ({base.shown}) and of the data. "
        "Check them before the model is passed on.",
        duties=duties,
    )


def _binds(terms: Terms) -> bool:
    """Whether what is made of it cannot be under any licence."""
    return (
        terms.share_alike
        or not terms.commercial
        or not terms.derivatives
        or bool(terms.restriction)
    )


def _hub_id(licence: Licence) -> str:
    """The hub's name of a licence; empty where it has none."""
    given = licence.text.casefold()
    plain = licence.expression.casefold()
    names = [plain, *(plain.removesuffix(ending) for ending in _ENDINGS)]
    names += [name.removeprefix("licenseref-") for name in names] + [given]
    return next((name for name in names if name in _HUB), "")


def _duties(base: Licence, trained: Sequence[Source]) -> list[str]:
    kinds: tuple[tuple[str, Callable[[Terms], bool]], ...] = (
        ("Name the authors and the licence", lambda terms: terms.attribution),
        ("Pass on under the same licence (share-alike)", lambda terms: terms.share_alike),
        ("No commercial use", lambda terms: not terms.commercial),
        ("No changed versions are passed on", lambda terms: not terms.derivatives),
    )
    parts = [("the base", "", base), *((one.name, one.author, one.licence) for one in trained)]
    sentences = []
    for words, holds in kinds:
        whom = [
            f"{name} ({', '.join(part for part in (author, licence.shown) if part)})"
            for name, author, licence in parts
            if licence.terms is not None and holds(licence.terms)
        ]
        if whom:
            sentences.append(f"{words}: {', '.join(whom)}.")
    limits = {
        f"{name} ({licence.shown}): {licence.terms.restriction}."
        for name, _, licence in parts
        if licence.terms is not None and licence.terms.restriction
    }
    return [*sentences, *sorted(limits)]
