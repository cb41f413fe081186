"""What a check (`data/checks/x.py`) defines, and what it is given.

    RULES = {"empty_answer": Rule(severity="block", why="...", fix="...")}

    def begin(ground: Ground) -> Looker: ...

Every row is shown once, in order (`see`); after the last one, when the split is known, a
check may go back to single rows (`finish`). What it says is a `Found`: severity, place, row
hash and the masking of personal data are added by the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from tunesmith.contracts import Content, JsonObject, Severity
from tunesmith.data.provenance import StampedSource
from tunesmith.errors import Place

if TYPE_CHECKING:
    from tunesmith.data.audit.rows import Rows

Role = Literal["system", "user", "assistant", "tool", "text", "rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is looked for, and what follows from finding it."""

    severity: Severity
    """Unless the recipe says otherwise in `audit.severities`."""
    why: str
    """Why it matters: one sentence."""
    fix: str
    """What to do about it."""
    limit: float | None = None
    """The number that the rule compares with, unless the recipe gives one in `audit.limits`."""
    limit_is: str = ""
    """What that number means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A text of a row."""

    role: Role
    """`text` is plain text or a segment; `rejected` the worse answer of a pair."""
    text: str
    trained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A trained answer and the user's words right before it."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """A row as checks see it."""

    index: int
    """Over all parts, from 0; rows that cannot be used are not counted."""
    part: int
    """Index of its source in `Ground.parts`."""
    place: Place
    digest: str
    content: Content
    pieces: tuple[Piece, ...]
    exchanges: tuple[Exchange, ...]
    prompt: str
    """All that is not trained but the system prompt, a turn a line."""
    answer: str
    """All that is trained; of a pair the chosen one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a check noticed: in a row, between two rows, or about the whole set."""

    rule: str
    message: str
    """What is wrong; without a word of the data."""
    index: int | None = None
    """The row; None for the whole set, or where `place` tells it."""
    place: Place | None = None
    """Where, for what is no row."""
    excerpt: str = ""
    """A piece of the data that shows it, up to 120 characters."""
    other: int | None = None
    """The other row of a pair."""
    elsewhere: Place | None = None
    """Or the place of the other side, where it is no row of the data."""
    fix: str = ""
    """Instead of the rule's own."""
    severity: Severity | None = None
    """Instead of the rule's own; the recipe's goes before both."""
    rows: int = 1
    """Rows that it stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A text that must not be trained on: a row of a benchmark or of an evaluation."""

    name: str
    """Of the benchmark, for people."""
    place: Place
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is known before the first row."""

    limits: Mapping[str, float]
    """By rule; complete for the rules of the check that it is given to."""
    parts: tuple[StampedSource, ...] = ()
    held_out_part: int | None = None
    """The part that is the held-out file; None where a share is held out, or nothing."""
    markers: tuple[str, ...] = ()
    """Special tokens of the base."""
    compared: tuple[Compared, ...] = ()
    base_losses: Mapping[str, float] = field(default_factory=dict)
    """Bits per byte of trained text under the base, by row digest, where it was measured."""
    seed: int = 0


class Looker(Protocol):
    """One audit's worth of a check."""

    def see(self, row: AuditRow) -> Iterable[Found]:
        """A row, in order; what is kept of it is small and bounded."""
        ...

    def finish(self, rows: Rows) -> Iterable[Found]:
        """After the last row and the split."""
        ...

    def statistics(self) -> JsonObject:
        """What was counted: `statistics.checks.<name>` in audit.json; empty for nothing."""
        ...


class Check(Protocol):
    """`data/checks/x.py`."""

    RULES: Mapping[str, Rule]

    def begin(self, ground: Ground) -> Looker:
        """A fresh object for one audit."""
        ...
