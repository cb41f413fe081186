"""Licences of the sources: unknown, with limits, or such that they cannot be combined.

    tickets.jsonl   CC-BY-NC-4.0     ->  non_commercial
    wiki.jsonl      CC-BY-SA-4.0     ->  share_alike, and licence_conflict with the first

Sources that are trained on are judged; from the held-out file nothing is learnt. What the
licences ask is our reading of them (`data/licence_terms.py`), and no legal advice.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from tunesmith.contracts import Json, JsonObject
from tunesmith.data.audit.contracts import AuditRow, Found, Ground, Rule
from tunesmith.data.audit.rows import Rows
from tunesmith.data.licence_terms import conflict, duties
from tunesmith.data.provenance import StampedSource
from tunesmith.errors import Place

_NAME_IT = (
    "name it: data.sources.N.licence=CC-BY-4.0, or provenance.json beside the data; "
    "`own` is for data of your own"
)
RULES = {
    "unknown_licence": Rule(
        severity="warn",
        why="Without a licence nobody may be sure that the model may be used or passed on.",
        fix=_NAME_IT,
    ),
    "non_commercial": Rule(
        severity="warn",
        why="A model that learnt from it may not be used for everything.",
        fix="use it within those limits, ask for other terms, or leave the source out",
    ),
    "share_alike": Rule(
        severity="warn",
        why="If a model counts as made from its data, it must be passed on under that licence.",
        fix="pass the model on under this licence, keep it to yourself, or leave the source out",
    ),
    "no_derivatives": Rule(
        severity="warn",
        why="The licence does not allow changed versions to be passed on, "
        "and a model may count as one.",
        fix="keep the model to yourself, ask for permission, or leave the source out",
    ),
    "licence_conflict": Rule(
        severity="warn",
        why="A model that learnt from both could not be passed on under terms that keep both.",
        fix="leave one of the two out, or train a model on each",
    ),
    "licence_contradiction": Rule(
        severity="warn",
        why="Two documents name two licences for the same data, and one of them is wrong.",
        fix="find out which is right, and correct the other or state it in the recipe",
    ),
    "not_as_described": Rule(
        severity="warn",
        why="The file is not the one that its description speaks of, "
        "so neither its licence nor its origin is sure.",
        fix="get the file again, or describe the one that is there",
    ),
}


def begin(ground: Ground) -> Licences:
    """The check."""
    return Licences(ground)


class Licences:
    """Looks at the sources, and at no row."""

    def __init__(self, ground: Ground) -> None:
        """Take the sources that are trained on."""
        self._parts = tuple(
            part for index, part in enumerate(ground.parts) if index != ground.held_out_part
        )

    def see(self, row: AuditRow) -> Iterable[Found]:
        """Nothing: rows have no licence."""
        return ()

    def finish(self, rows: Rows) -> Iterator[Found]:
        """What the licences of the sources ask, and whether they agree."""
        for index, part in enumerate(self._parts):
            yield from _judged(part, index)
            yield from _doubts(part)
        yield from self._conflicts()

    def statistics(self) -> JsonObject:
        """Licence and duties of each source, and whom to name."""
        sources: list[Json] = [
            {
                "path": part.source.path,
                "licence": part.origin.licence.shown,
                "duties": list(duties(part.origin.licence.terms)),
            }
            for part in self._parts
        ]
        return {"sources": sources} if sources else {}

    def _conflicts(self) -> Iterator[Found]:
        told: set[frozenset[str]] = set()
        for one, other in itertools.combinations(self._parts, 2):
            first, second = one.origin.licence, other.origin.licence
            names = frozenset((first.shown, second.shown))
            if first.terms is None or second.terms is None or names in told:
                continue
            told.add(names)
            if reason := conflict(first.terms, second.terms):
                yield Found(
                    rule="licence_conflict",
                    message=f"{first.shown} and {second.shown} cannot be kept together: {reason}",
                    place=_place(one),
                    elsewhere=_place(other),
                )


def _judged(part: StampedSource, index: int) -> Iterator[Found]:
    licence, place = part.origin.licence, _place(part)
    terms = licence.terms
    if terms is None:
        yield _unknown(part, index)
        return
    if not terms.commercial or terms.restriction:
        limits = [] if terms.commercial else ["non-commercial"]
        limits += [terms.restriction] if terms.restriction else []
        yield Found(
            rule="non_commercial",
            message=f"the licence {licence.shown} sets limits to use: {'; '.join(limits)}",
            place=place,
        )
    if terms.share_alike:
        yield Found(
            rule="share_alike",
            message=f"the licence {licence.shown} asks for the same licence on what is made of it",
            place=place,
        )
    if not terms.derivatives:
        yield Found(
            rule="no_derivatives",
            message=f"the licence {licence.shown} allows no changed versions",
            place=place,
        )


def _unknown(part: StampedSource, index: int) -> Found:
    licence = part.origin.licence
    fix = _NAME_IT.replace("N", str(index), 1)
    if licence.expression:
        message = f"the licence {licence.expression} is not in our table: read what it asks"
        fix = "read the licence; a permission for this use is licence: own"
    elif licence.text:
        message = "the licence that is named is none that we know"
    else:
        message = "no licence is named for this source"
        if hint := _lying_beside(part):
            fix = f"read {hint} beside the data, and {fix}"
    if part.origin.remarks:
        message += f"; {'; '.join(part.origin.remarks)}"
    return Found(
        rule="unknown_licence",
        message=message,
        place=_place(part),
        excerpt="" if licence.expression else licence.text,
        fix=fix,
    )


def _doubts(part: StampedSource) -> Iterator[Found]:
    for by, other in part.origin.contradicted:
        yield Found(
            rule="licence_contradiction",
            message=f"{by} names another licence than {part.origin.told_by.get('licence', '')}",
            place=_place(part),
            excerpt=f"{other} / {part.origin.licence.shown}",
        )
    for file in part.files:
        described = part.origin.digests.get(Path(file.path).name)
        if described is not None and described != file.sha256:
            yield Found(
                rule="not_as_described",
                message="the description beside the file gives another sha256",
                place=Place(file=file.path),
            )


def _lying_beside(part: StampedSource) -> str:
    """The name of a file beside the data that probably holds its licence."""
    for folder in {Path(file.path).parent: None for file in part.files}:
        if not os.access(folder, os.R_OK):
            continue
        for path in sorted(folder.iterdir()):
            stem = path.name.upper().split(".")[0]
            if path.is_file() and stem.endswith(("LICENSE", "LICENCE", "COPYING", "SOURCE")):
                return path.name
    return ""


def _place(part: StampedSource) -> Place:
    return Place(file=part.source.path)
