"""How the audit looks for spans: every text of a row, one finding for a rule and a row.

{"messages": [..., {"role": "user", "content": "I am at ada@mail.org"}]}
->  Found(rule="email", message="1 e-mail address, in what the user says",
excerpt="I am at a***@***.org")
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from tunesmith.contracts import Conversation, Json, JsonObject, Message, Preference
from tunesmith.data.audit.contracts import AuditRow, Found
from tunesmith.data.audit.rows import Rows
from tunesmith.data.personal.masking import excerpt
from tunesmith.data.personal.spans import Span

_LISTED_DEPTH = 8


class SpanLooker:
    """Looks at every text of a row with one function, and counts by rule."""

    def __init__(
        self, find: Callable[[str], tuple[Span, ...]], names: Mapping[str, tuple[str, str]]
    ) -> None:
        """Begin with nothing seen.

        Args:
            find: the spans of a text.
            names: what one find of a rule is called, and several.
        """
        self._find = find
        self._names = names
        self._spans: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()
        self._trained: Counter[str] = Counter()

    def see(self, row: AuditRow) -> Iterator[Found]:
        """One finding for each rule that the row breaks, with its first place."""
        counts: Counter[str] = Counter()
        trained: Counter[str] = Counter()
        first: dict[str, tuple[str, Span]] = {}
        for text, is_trained in texts_of(row):
            for span in self._find(text):
                counts[span.kind] += 1
                trained[span.kind] += is_trained
                first.setdefault(span.kind, (text, span))
        for kind, (text, span) in first.items():
            self._spans[kind] += counts[kind]
            self._rows[kind] += 1
            self._trained[kind] += trained[kind] > 0
            one, many = self._names[kind]
            where = "in what is trained" if trained[kind] else "in what is read, not trained"
            yield Found(
                rule=kind,
                message=f"{counts[kind]} {one if counts[kind] == 1 else many} {where}",
                index=row.index,
                excerpt=excerpt(text, span),
            )

    def finish(self, rows: Rows) -> Iterable[Found]:
        """Nothing: each row was told when it was seen."""
        return ()

    def statistics(self) -> JsonObject:
        """By rule: finds, rows with one, and rows with one in trained text."""
        return {
            kind: {
                "finds": self._spans[kind],
                "rows": self._rows[kind],
                "rows_trained": self._trained[kind],
            }
            for kind in sorted(self._rows)
        }


def texts_of(row: AuditRow) -> Iterator[tuple[str, bool]]:
    """Every text of a row and whether it is trained; what stands in tool calls included."""
    for piece in row.pieces:
        yield piece.text, piece.trained
    content = row.content
    turns: tuple[Message, ...] = ()
    if isinstance(content, Conversation):
        turns = content.messages
    elif isinstance(content, Preference):
        turns = (*content.prompt, *content.chosen, *content.rejected)
    for turn in turns:
        is_trained = turn.role == "assistant" and turn.weight > 0
        if turn.reasoning:
            yield turn.reasoning, is_trained
        for call in turn.tool_calls:
            text = "\n".join(_lines("", call, _LISTED_DEPTH))
            if text:
                yield text, is_trained


def _lines(name: str, value: Json, depth: int) -> Iterator[str]:
    """`key: value` for every text and number inside, so that keys announce their values."""
    if isinstance(value, dict) and depth:
        for key, inner in value.items():
            yield from _lines(key, inner, depth - 1)
    elif isinstance(value, list) and depth:
        for inner in value:
            yield from _lines(name, inner, depth - 1)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield f"{name}: {value}" if name else str(value)
