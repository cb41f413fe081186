"""Plain text, trained from its first token to the end token.

{"text": "The mill stood by the river. Every morning the miller opened its gate."}
"""

from __future__ import annotations

from tunesmith.contracts import Consumes, Content, JsonObject, Text
from tunesmith.data.columns import filled_text
from tunesmith.data.composing import not_held

COLUMNS = ("text",)
PRIORITY = 10
GIVES: Consumes = "answers"


def recognises(values: JsonObject) -> bool:
    """A column `text`."""
    return "text" in values


def parse(values: JsonObject) -> Content:
    """The text as it is."""
    return Text(text=filled_text(values, "text"))


def compose(content: Content) -> JsonObject:
    """The row of a text."""
    if not isinstance(content, Text):
        raise not_held(content)
    return {"text": content.text}
