"""Which rows the rules of the audit find: the checks themselves, over rows as they are written.

    rules {duplicate, email}, rows 0 1 2 3     ->     row 2: duplicate of row 0, row 3: email

So what cleaning removes is what `check` would find, by construction.

Shapes: E examples.
"""

from __future__ import annotations

import contextlib
from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunesmith.contracts import Example
from tunesmith.data.audit.contracts import Check, Found, Ground
from tunesmith.data.audit.inspection import choose
from tunesmith.data.audit.reading import said
from tunesmith.data.audit.rows import Rows, RowStore, row_store
from tunesmith.data.content import group_of
from tunesmith.data.near.pairs import NearPairs, near_pairs
from tunesmith.data.near.sketch import Sketches
from tunesmith.data.provenance import StampedSource
from tunesmith.data.split import key_of
from tunesmith.errors import Place
from tunesmith.recipe import AuditRules

NEAR = "near_duplicate"
COPIES = ("duplicate", "normalised_duplicate", NEAR)
"""Rules about rows that repeat another: which of them go depends on which others stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """The rows that are to go."""

    rules_E: NDArray[np.int16]
    """Index of the rule in `rules`, -1 for a row that stays."""
    others_E: NDArray[np.int64]
    """The row that it repeats, -1 for none."""
    rules: tuple[str, ...]
    whole: dict[str, int]
    """Rules that speak of many rows at once, which names none to drop; and how many."""


class Looking:
    """Takes example after example; `marked` says which of them go."""

    def __init__(self, store: RowStore, rules: AuditRules, part: StampedSource, seed: int) -> None:
        """Begin with nothing seen.

        Args:
            store: empty; keeps what the rows say.
            rules: those that are looked for, by name, and their limits.
            part: where the rows come from, for rules about that.
            seed: of the recipe.

        Raises:
            RecipeError: a rule that does not exist.
        """
        self._store = store
        self._rules = rules.rules or ()
        self._ground = Ground(limits=choose(rules).limits, parts=(part,), seed=seed)
        alone = tuple(rule for rule in self._rules if rule != NEAR)
        self._lookers = [check.begin(self._ground) for check in _checks(alone)]
        self._digests = array("Q")
        self._groups = array("Q")
        self._rules_E = array("h")
        self._others_E = array("q")
        self._whole: dict[str, int] = {}

    def see(self, example: Example) -> None:
        """The next row."""
        row = self._store.add(0, example)
        self._digests.append(key_of(example.digest))
        self._groups.append(key_of(example.group))
        self._rules_E.append(-1)
        self._others_E.append(-1)
        for looker in self._lookers:
            for found in looker.see(row):
                self._take(found)

    def place(self, index: int) -> Place:
        """File and line of a row."""
        return self._store.place(index)

    def marked(self) -> Marked:
        """Every row that a rule finds; of rows that say the same, the first one stays."""
        rows = self._rows(self._store, self._digests, self._groups, NearPairs())
        for looker in self._lookers:
            for found in looker.finish(rows):
                self._take(found)
        again = self._free() or NEAR in self._rules
        while again:
            again = self._mark_copies()
        return Marked(
            rules_E=np.array(self._rules_E, dtype=np.int16),
            others_E=np.array(self._others_E, dtype=np.int64),
            rules=self._rules,
            whole=self._whole,
        )

    def _take(self, found: Found) -> None:
        if found.rule not in self._rules:
            return
        if found.index is None or found.rows > 1:
            self._whole[found.rule] = self._whole.get(found.rule, 0) + found.rows
        elif self._rules_E[found.index] < 0:
            self._rules_E[found.index] = self._rules.index(found.rule)
            self._others_E[found.index] = -1 if found.other is None else found.other

    def _free(self) -> bool:
        """Keep copies of rows that go for a reason of their own; whether there were any."""
        rules_E, others_E = np.array(self._rules_E), np.array(self._others_E)
        copies = [index for index, rule in enumerate(self._rules) if rule in COPIES]
        is_copy_E = np.isin(rules_E, copies) & (others_E >= 0)
        gone_E = (rules_E >= 0) & ~np.isin(rules_E, copies)
        freed = np.flatnonzero(is_copy_E & gone_E[others_E])
        for index in freed:
            self._rules_E[int(index)], self._others_E[int(index)] = -1, -1
        return bool(len(freed))

    def _mark_copies(self) -> bool:
        """Mark copies among the rows that stay; whether there were any."""
        kept = np.flatnonzero(np.array(self._rules_E) < 0)
        wanted = tuple(rule for rule in self._rules if rule in COPIES)
        is_marked = False
        with row_store() as store:
            digests, groups, sketches = array("Q"), array("Q"), Sketches()
            lookers = [one.begin(self._ground) for one in _checks(wanted)]
            for place in kept:
                example = self._example(int(place))
                row = store.add(0, example)
                digests.append(key_of(example.digest))
                groups.append(key_of(example.group))
                if NEAR in wanted:
                    sketches.add(said(row))
                for looker in lookers:
                    deque(looker.see(row), maxlen=0)
            near = NearPairs()
            if NEAR in wanted:
                limit = self._ground.limits[NEAR]
                near = near_pairs(sketches, lambda at: said(store.row(at)), limit)
            rows = self._rows(store, digests, groups, near)
            for found in (found for looker in lookers for found in looker.finish(rows)):
                if found.rule in wanted and found.index is not None and found.rows == 1:
                    index = int(kept[found.index])
                    self._rules_E[index] = self._rules.index(found.rule)
                    self._others_E[index] = -1 if found.other is None else int(kept[found.other])
                    is_marked = True
        return is_marked

    def _example(self, index: int) -> Example:
        row = self._store.row(index)
        return Example(
            content=row.content, place=row.place, digest=row.digest, group=group_of(row.content)
        )

    def _rows(
        self, store: RowStore, digests: array[int], groups: array[int], near: NearPairs
    ) -> Rows:
        return Rows(
            store=store,
            is_held_out_E=np.zeros(len(store), dtype=bool),
            digests_E=np.array(digests, dtype=np.uint64),
            groups_E=np.array(groups, dtype=np.uint64),
            near=near,
        )


def _checks(rules: tuple[str, ...]) -> Iterable[Check]:
    return choose(AuditRules(rules=rules)).checks.values()


@contextlib.contextmanager
def looking(rules: AuditRules, part: StampedSource, seed: int) -> Iterator[Looking]:
    """A `Looking` with a store of its own.

    Raises:
        RecipeError: a rule that does not exist.
    """
    with row_store() as store:
        yield Looking(store, rules, part, seed)
