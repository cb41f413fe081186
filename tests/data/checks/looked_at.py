"""What a check finds in a few rows, given as they would stand in a file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunesmith.contracts import Example, JsonObject, RawRow
from tunesmith.data.audit.contracts import Found, Ground, Looker
from tunesmith.data.audit.inspection import check_called
from tunesmith.data.audit.rows import Rows, row_store
from tunesmith.data.content import digest_of
from tunesmith.data.near.pairs import NearPairs
from tunesmith.data.recognise import recognise
from tunesmith.errors import Place
from tunesmith.recipe import Source


def asked(question: str, answer: str) -> JsonObject:
    """A row of a question and its answer."""
    return {"question": question, "answer": answer}


def found_in(name: str, rows: Sequence[JsonObject], ground: Ground | None = None) -> list[Found]:
    """The findings of a check in rows of one file, in order; rows must be usable."""
    check = check_called(name)
    limits = {rule: r.limit for rule, r in check.RULES.items() if r.limit is not None}
    found = looked_at(rows, check.begin(ground or Ground(limits=limits)))
    assert all(one.rule in check.RULES for one in found)
    assert all(len(one.excerpt) <= 120 for one in found)
    return found


def looked_at(rows: Sequence[JsonObject], looker: Looker) -> list[Found]:
    """What somebody finds who is shown the rows of one file."""
    raw = [
        RawRow(values=values, place=Place(file="rows.jsonl", line=line))
        for line, values in enumerate(rows, 1)
    ]
    format_of_file = recognise(raw, Source(path="rows.jsonl"))
    found: list[Found] = []
    with row_store() as store:
        for one in raw:
            content = format_of_file.parse(one)
            digest = digest_of(content)
            seen = store.add(0, Example(content=content, place=one.place, digest=digest))
            found += looker.see(seen)
        found += looker.finish(
            Rows(
                store=store,
                is_held_out_E=np.zeros(len(raw), dtype=np.bool_),
                digests_E=np.arange(len(raw), dtype=np.uint64),
                groups_E=np.zeros(len(raw), dtype=np.uint64),
                near=NearPairs(),
            )
        )
    return found


def rules_in(name: str, rows: Sequence[JsonObject]) -> list[str]:
    """The rules under which they are."""
    return [one.rule for one in found_in(name, rows)]
