"""OpenAI chat.

    {"messages": [{"role": "system", "content": "Be brief."},
                  {"role": "user", "content": "Is it open on Sunday?"},
                  {"role": "assistant", "content": "Yes, from 10.", "weight": 1}],
     "tools": []}

Content may be a list of text parts. Tool calls keep their arguments as an object, because
templates write them so; OpenAI's `functions` and `function_call` are read as tools.
`reasoning_content` (or `thinking`) is kept beside the content, for templates that show it.
"""

from __future__ import annotations

from tunesmith.contracts import Consumes, Content, JsonObject, Message
from tunesmith.data.columns import as_objects, column
from tunesmith.data.composing import as_conversation, tool_columns, turns_as_json
from tunesmith.data.turns import conversation, message, parsed, tools_of

COLUMNS = ("messages", "tools")
PRIORITY = 90
GIVES: Consumes = "answers"


def recognises(values: JsonObject) -> bool:
    """A list of turns under `messages` (as text in CSV)."""
    value = values.get("messages")
    return isinstance(value, list) or (isinstance(value, str) and value.startswith("["))


def parse(values: JsonObject) -> Content:
    """The conversation, its tools included."""
    value = column(values, "messages")
    if isinstance(value, str):
        value = parsed(value, "messages")
    turns: list[Message] = [
        message(turn, f"messages[{index}]")
        for index, turn in enumerate(as_objects(value, "messages"))
    ]
    return conversation(turns, tools_of(values))


def compose(content: Content) -> JsonObject:
    """The row of a conversation; arguments of calls stay objects."""
    held = as_conversation(content)
    return {"messages": turns_as_json(held.messages), **tool_columns(held.tools)}
