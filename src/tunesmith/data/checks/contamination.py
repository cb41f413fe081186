"""Training rows that hold texts of a benchmark or an evaluation.

    benchmark  "Natalia sold clips to 48 of her friends in April, and then she sold half as many"
    row        "natalia sold clips to 48 of her friends in april - and then, sold half as many..."
        ->     88 % of a text of the benchmark stands in the row

Each passage of a benchmark's text (`near.passages`) is looked for; a very short one must be
all that a row asks. Passages that several texts of the benchmark share are its frame, and
passages that many different rows of the data hold are common phrases: neither says anything.
So does GPT-3 (Brown et al. 2020), whose 13-grams in more than ten documents are ignored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tunesmith.contracts import JsonObject
from tunesmith.data.audit.contracts import AuditRow, Compared, Found, Ground, Rule
from tunesmith.data.audit.rows import Rows
from tunesmith.data.near.passages import FEW, Passage, PassageIndex, passages, spoken
from tunesmith.data.near.text import key

RULES = {
    "contamination": Rule(
        severity="block",
        why="A score on a benchmark that was trained on says nothing.",
        fix="remove the row, or do not evaluate on that benchmark",
        limit=0.5,
        limit_is="share of the words of a benchmark's text that stand in a row in runs of 5 "
        "words; a text of less than 40 words needs more, one of 13 or less all of them",
    ),
}
_SHORTEST = 5
"""Words of a passage that is looked for at all."""
_FRAME = 3
"""Texts of a benchmark from which a passage that they share is its frame."""
_COMMON = 10
"""Different rows of the data beyond which a passage that they hold is a common phrase."""
_KEPT = 200_000
"""Matches that are kept until the split is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    row: int
    passage: int
    share: float
    shown: str
    content: int
    """Of the row: equal for equal words."""


def begin(ground: Ground) -> Contamination:
    """The check."""
    return Contamination(ground.compared, ground.limits["contamination"])


class Contamination:
    """Holds the benchmarks' passages while the rows pass by."""

    def __init__(self, compared: tuple[Compared, ...], share: float) -> None:
        """Take the benchmarks' texts apart."""
        self._compared = compared
        self._owners = _told_apart(compared)
        self._passages = list(self._owners)
        self._short: dict[tuple[str, ...], int] = {}
        for place, passage in enumerate(self._passages):
            if len(passage.words) < FEW:
                self._short.setdefault(passage.words, place)
        self._index = PassageIndex(self._passages, share)
        self._matches: list[_Match] = []
        self._common = 0

    def see(self, row: AuditRow) -> Iterable[Found]:
        """Look through a row; what is found is told when the split is known."""
        if self._passages and len(self._matches) < _KEPT:
            match = self._match(row)
            if match is not None:
                self._matches.append(match)
        return ()

    def finish(self, rows: Rows) -> Iterator[Found]:
        """Tell the matches in training rows, but for common phrases."""
        trained = [match for match in self._matches if not rows.is_held_out_E[match.row]]
        held_by = Counter(
            passage for passage, _ in {(match.passage, match.content) for match in trained}
        )
        for match in trained:
            if held_by[match.passage] > _COMMON:
                self._common += 1
                continue
            compared = self._compared[self._owners[self._passages[match.passage]]]
            yield Found(
                rule="contamination",
                message=f"{match.share:.0%} of a text of {compared.name} stands in the row",
                index=match.row,
                excerpt=match.shown,
                elsewhere=compared.place,
            )

    def statistics(self) -> JsonObject:
        """How much was compared."""
        if not self._compared:
            return {}
        names = Counter(one.name for one in self._compared)
        return {
            "texts": dict(sorted(names.items())),
            "passages": len(self._passages),
            "rows_with_common_phrases": self._common,
        }

    def _match(self, row: AuditRow) -> _Match | None:
        texts = [spoken(piece.text) for piece in row.pieces]
        text = [word for found in texts for word in found]
        seen = self._index.best(text)
        if seen is not None:
            passage, share, shown = seen.passage, seen.share, seen.shown
            content = key(" ".join(text))
            return _Match(row=row.index, passage=passage, share=share, shown=shown, content=content)
        for piece, found in zip(row.pieces, texts, strict=True):
            is_asked = not piece.trained or piece.role == "text"
            place = self._short.get(tuple(found)) if is_asked and len(found) < FEW else None
            if place is not None:
                shown = " ".join(found)
                return _Match(
                    row=row.index, passage=place, share=1.0, shown=shown, content=key(shown)
                )
        return None


def _told_apart(compared: tuple[Compared, ...]) -> dict[Passage, int]:
    """The passages that are worth looking for, and the text of each."""
    texts_with: Counter[tuple[str, Passage]] = Counter()
    owners: dict[Passage, int] = {}
    for place, one in enumerate(compared):
        for passage in passages(one.text):
            if len(passage.words) >= _SHORTEST:
                texts_with[one.name, passage] += 1
                owners.setdefault(passage, place)
    return {
        passage: place
        for passage, place in owners.items()
        if texts_with[compared[place].name, passage] < _FRAME
    }
