"""Which columns of a row its format uses: those that it asks for while it parses.

{"question": "Open?", "answer": "Yes.", "id": 7}   ->   question, answer
"""

from __future__ import annotations

from tunesmith.contracts import Json, JsonObject
from tunesmith.data.recognise import Recognised, format_called
from tunesmith.errors import DataError


def columns_used(recognised: Recognised, values: JsonObject) -> frozenset[str] | None:
    """The row's own columns that its format asks for; None of a row that it cannot parse."""
    try:
        watched = _Watched(recognised.renamed(values))
        format_called(recognised.name).parse(watched)
    except DataError:
        return None
    return frozenset(name for name in values if recognised.own_name(name) in watched.asked)


class _Watched(JsonObject):
    """A row that remembers which of its columns were asked for."""

    __slots__ = ("asked",)

    def __init__(self, values: JsonObject) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> Json:
        self.asked.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Json = None) -> Json:  # type: ignore[override]  # one form
        self.asked.add(name)
        return super().get(name, default)
