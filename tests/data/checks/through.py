"""One check over rows that a test writes down: what it found, and what it counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from tunesmith import plugins
from tunesmith.contracts import Content, Conversation, Example, JsonObject, Message, Text
from tunesmith.data.audit.contracts import Found, Ground
from tunesmith.data.audit.rows import Rows, row_store
from tunesmith.data.content import digest_of
from tunesmith.data.near.pairs import NearPairs
from tunesmith.errors import Place


def asked(question: str, answer: str) -> Conversation:
    """A question and its answer."""
    return Conversation(
        messages=(
            Message(role="user", content=question),
            Message(role="assistant", content=answer),
        )
    )


def through(
    check: str,
    rows: Iterable[Content | tuple[str, str] | str],
    *,
    limits: Mapping[str, float] | None = None,
    base_losses: Mapping[str, float] | None = None,
    seed: int = 0,
) -> tuple[list[Found], JsonObject]:
    """Show the rows to a check; a pair is a question and its answer, a string plain text."""
    plugin = plugins.load("checks", check)
    known = {name: rule.limit for name, rule in plugin.RULES.items() if rule.limit is not None}
    ground = Ground(limits={**known, **(limits or {})}, seed=seed, base_losses=base_losses or {})
    looker = plugin.begin(ground)
    found: list[Found] = []
    with row_store() as store:
        for number, row in enumerate(rows):
            found += looker.see(store.add(0, example_of(number, row)))
        nothing = np.zeros(len(store), dtype=np.uint64)
        every = Rows(
            store=store,
            is_held_out_E=np.zeros(len(store), dtype=np.bool_),
            digests_E=nothing,
            groups_E=nothing,
            near=NearPairs(),
        )
        found += looker.finish(every)
    return found, looker.statistics()


def example_of(number: int, row: Content | tuple[str, str] | str) -> Example:
    """Plain text, a question with its answer, or any content, as the row of a file."""
    content: Content
    match row:
        case str():
            content = Text(text=row)
        case tuple():
            content = asked(*row)
        case _:
            content = row
    place = Place(file="rows.jsonl", line=number + 1)
    return Example(content=content, place=place, digest=digest_of(content))


def by_rule(found: Iterable[Found], rule: str) -> list[Found]:
    """What was found under one rule."""
    return [one for one in found if one.rule == rule]
