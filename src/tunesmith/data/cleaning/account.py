r"""What cleaning did, by row and in sum, without the data that it removed.

    {"file": "tickets.jsonl", "line": 3, "did": "changed", "before": "5c1f...", "after": "90ab...",
     "changes": [{"where": "answer", "why": ["mojibake", "email"]}]}
    {"file": "tickets.jsonl", "line": 9, "did": "dropped", "before": "77cd...", "after": "",
     "why": "duplicate", "other": "tickets.jsonl:2"}

`before` and `after` are digests of what the row says: `row_hash` of `audit.json`.
"""

from __future__ import annotations

import os.path
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tunesmith.contracts import JsonObject
from tunesmith.data.cleaning.rows import Change
from tunesmith.data.cleaning.texts import TRIMMED
from tunesmith.data.columns import printable
from tunesmith.data.personal import mask
from tunesmith.errors import Place

SHOWN = 6
"""Changes that are shown."""
_LEAD, _LENGTH = 24, 68
"""Characters before the first difference, and of the whole excerpt."""
_REACH = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A change, to be looked at: what is personal is masked."""

    place: str
    where: str
    why: tuple[str, ...]
    before: str
    after: str

    def as_json(self) -> JsonObject:
        """For `--json`."""
        return {
            "place": self.place,
            "where": self.where,
            "why": list(self.why),
            "before": self.before,
            "after": self.after,
        }


class Account:
    """Counts, and keeps a few changes of different kinds."""

    def __init__(self) -> None:
        """Begin with nothing done."""
        self.rows_in = 0
        self.rows_out = 0
        self.changed = 0
        """Rows that stay, not as they were."""
        self.changed_why: Counter[str] = Counter()
        self.dropped_why: Counter[str] = Counter()
        self._shown: dict[tuple[str, ...], list[Shown]] = {}

    def change(self, row: Record) -> None:
        """Count a row that stays with changes."""
        self.changed += 1
        self.changed_why.update({rule for _, why in row.changes for rule in why})

    def drop(self, row: Record, rule: str) -> None:
        """Count a row that goes; its changes are not worth showing."""
        self.dropped_why[rule] += 1
        for kept in self._shown.values():
            kept[:] = [shown for shown in kept if shown.place != str(row.place)]

    def keep(self, place: Place, changes: Iterable[Change]) -> None:
        """Remember a change of each kind."""
        for change in changes:
            kept = self._shown.setdefault(change.why, [])
            if len(kept) < SHOWN and len(self._shown) <= 10 * SHOWN:
                before, after = excerpts(change.before, change.after)
                kept.append(
                    Shown(
                        place=str(place),
                        where=change.where,
                        why=change.why,
                        before=before,
                        after=after,
                    )
                )

    def shown(self) -> tuple[Shown, ...]:
        """Some changes: one of each kind, then further ones; trimmed space last."""
        kinds = sorted(self._shown, key=lambda why: (why == (TRIMMED,), why))
        rounds = [
            self._shown[why][turn]
            for turn in range(SHOWN)
            for why in kinds
            if turn < len(self._shown[why])
        ]
        return tuple(rounds[:SHOWN])


def excerpts(before: str, after: str) -> tuple[str, str]:
    """A text before and after, around the first difference, masked."""
    start = max(0, len(os.path.commonprefix([before, after])) - _REACH)
    pieces = [mask(text[start : start + 2 * _REACH]) for text in (before, after)]
    shared = len(os.path.commonprefix(pieces))
    begin = max(0, shared - _LEAD)
    lead = "..." if start + begin else ""
    one, other = (f"{lead}{printable(piece[begin:], _LENGTH)}" for piece in pieces)
    return one, other


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A row between the two passes over the data."""

    place: Place
    before: str
    """Digest of what the row said; empty where that could not be read."""
    after: str = ""
    """Digest of what it says now; empty for a row that cannot be used."""
    values: JsonObject = field(default_factory=dict)
    changes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Where, and why."""
    fault: tuple[str, str] | None = None
    """Rule and message of a row that cannot be used."""

    def as_json(self) -> JsonObject:
        """For the file in which rows wait."""
        return {
            "place": [str(self.place.file), self.place.line],
            "before": self.before,
            "after": self.after,
            "values": self.values,
            "changes": [[where, list(why)] for where, why in self.changes],
            "fault": list(self.fault) if self.fault else None,
        }

    @classmethod
    def of(cls, told: Any) -> Record:  # noqa: ANN401  # written by `as_json`
        """What `as_json` wrote."""
        return cls(
            place=Place(file=told["place"][0], line=told["place"][1]),
            before=told["before"],
            after=told["after"],
            values=told["values"],
            changes=tuple((where, tuple(why)) for where, why in told["changes"]),
            fault=tuple(told["fault"]) if told["fault"] else None,
        )

    def as_changed(self) -> JsonObject:
        """The line of a row that stays with changes."""
        return {
            "file": str(self.place.file),
            "line": self.place.line,
            "did": "changed",
            "before": self.before,
            "after": self.after,
            "changes": [{"where": where, "why": list(why)} for where, why in self.changes],
        }

    def as_dropped(self, why: str, *, other: str = "", message: str = "") -> JsonObject:
        """The line of a row that goes."""
        told = {"other": other, "message": mask(message)}
        return {
            "file": str(self.place.file),
            "line": self.place.line,
            "did": "dropped",
            "before": self.before,
            "after": "",
            "why": why,
            **{name: value for name, value in told.items() if value},
        }
