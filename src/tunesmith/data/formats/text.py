"""Plain text, trained from its first token to the end token.

{"text": "The mill stood by the river. Every morning the miller opened its gate."}
"""

from __future__ import annotations

from tunesmith.contracts import Consumes, Content, JsonObject, Text
from tunesmith.data.columns import filled_text

COLUMNS = ("text",)
PRIORITY = 10
GIVES: Consumes = "answers"


def recognises(values: JsonObject) -> bool:
    """A column `text`."""
    return "text" in values


def parse(values: JsonObject) -> Content:
    """The text as it is."""
    return Text(text=filled_text(values, "text"))
