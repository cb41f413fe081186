"""One check over rows on two sides of a split, with their near pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from tests.data.checks.through import example_of
from tunesmith import plugins
from tunesmith.contracts import Content, JsonObject
from tunesmith.data.audit.contracts import Compared, Found, Ground
from tunesmith.data.audit.rows import Rows, row_store
from tunesmith.data.checks.duplicates import RULES
from tunesmith.data.near.pairs import near_pairs
from tunesmith.data.near.sketch import Sketches
from tunesmith.data.split import key_of
from tunesmith.errors import Place

Written = Content | tuple[str, str] | str
THRESHOLD = RULES["near_duplicate"].limit or 1.0


def compared_texts(texts: Iterable[str], name: str = "exam") -> tuple[Compared, ...]:
    """Texts of a benchmark, a line a text."""
    return tuple(
        Compared(name=name, place=Place(file=f"{name}.jsonl", line=number + 1), text=text)
        for number, text in enumerate(texts)
    )


def between(
    check: str,
    train: Iterable[Written],
    held_out: Iterable[Written] = (),
    *,
    limits: Mapping[str, float] | None = None,
    compared: tuple[Compared, ...] = (),
) -> tuple[list[Found], JsonObject]:
    """What a check says of training rows and a held-out file after them."""
    plugin = plugins.load("checks", check)
    known = {name: rule.limit for name, rule in plugin.RULES.items() if rule.limit is not None}
    parts = [list(train), list(held_out)]
    ground = Ground(
        limits={**known, **(limits or {})},
        held_out_part=1 if parts[1] else None,
        compared=compared,
    )
    looker, sketches = plugin.begin(ground), Sketches()
    found: list[Found] = []
    digests: list[int] = []
    with row_store() as store:
        for part, rows in enumerate(parts):
            for number, row in enumerate(rows):
                example = example_of(number, row)
                seen = store.add(part, example)
                digests.append(key_of(example.digest))
                sketches.add(f"{seen.prompt}\n{seen.answer}")
                found += looker.see(seen)

        def text_of(index: int) -> str:
            row = store.row(index)
            return f"{row.prompt}\n{row.answer}"

        every = Rows(
            store=store,
            is_held_out_E=np.arange(len(store)) >= len(parts[0]),
            digests_E=np.array(digests, dtype=np.uint64),
            groups_E=np.zeros(len(store), dtype=np.uint64),
            near=near_pairs(sketches, text_of, THRESHOLD),
            first_E=(0, len(parts[0])),
        )
        found += looker.finish(every)
    return found, looker.statistics()
