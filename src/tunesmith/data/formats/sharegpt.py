r"""ShareGPT: turns as `from` and `value`.

    {"conversations": [{"from": "human", "value": "What is the weather in Ghent?"},
                       {"from": "function_call",
                        "value": "{\"name\": \"weather\", \"arguments\": {\"town\": 9000}}"},
                       {"from": "observation", "value": "{\"celsius\": 18}"},
                       {"from": "gpt", "value": "It is 18 degrees."}],
     "system": "Be brief.",
     "tools": "[{\"name\": \"weather\"}]"}

The list may be called `conversation`, and its turns may be written as `role` and `content`.
A call right after an assistant's text belongs to the same turn.
"""

from __future__ import annotations

from dataclasses import replace

from tunesmith.contracts import Consumes, Content, Json, JsonObject, Message
from tunesmith.data.columns import as_objects, as_text, column
from tunesmith.data.turns import (
    conversation,
    message,
    opening,
    parsed,
    role_of,
    tool_call,
    tools_of,
)
from tunesmith.errors import DataError

COLUMNS = ("conversations", "system", "tools")
PRIORITY = 80
GIVES: Consumes = "answers"


def recognises(values: JsonObject) -> bool:
    """A list of turns under `conversations` or `conversation` (as text in CSV)."""
    value = _turns(values)
    return isinstance(value, list) or (isinstance(value, str) and value.startswith("["))


def parse(values: JsonObject) -> Content:
    """The conversation; `system` becomes its first turn."""
    value = _turns(values)
    if value is None:
        value = column(values, "conversations")
    if isinstance(value, str):
        value = parsed(value, "conversations")
    turns = opening(values)
    for index, entry in enumerate(as_objects(value, "conversations")):
        turn = _turn(entry, f"conversations[{index}]")
        if turn.tool_calls and turn.content is None and turns and turns[-1].role == "assistant":
            calls = turns[-1].tool_calls + turn.tool_calls
            turns[-1] = replace(turns[-1], tool_calls=calls)
        else:
            turns.append(turn)
    return conversation(turns, tools_of(values))


def _turns(values: JsonObject) -> Json:
    value = values.get("conversations")
    return values.get("conversation") if value is None else value


def _turn(entry: JsonObject, where: str) -> Message:
    if "from" not in entry:
        if "role" in entry:
            return message(entry, where)
        raise DataError(
            f"{where} does not say who speaks",
            hint='write {"from": "human", "value": "..."}',
            rule="role_order",
        )
    if "value" not in entry:
        raise DataError(f"{where} has no value", hint='write {"from": "human", "value": "..."}')
    text = as_text(entry["value"], f"{where}.value")
    speaker = as_text(entry["from"], f"{where}.from")
    if speaker in ("function_call", "tool_call"):
        calls = parsed(text, f"{where}.value", "tool_call")
        listed = calls if isinstance(calls, list) else [calls]
        made = tuple(tool_call(call, f"{where}.value") for call in listed)
        return Message(role="assistant", content=None, tool_calls=made)
    turn: JsonObject = {**entry, "role": role_of(speaker, f"{where}.from"), "content": text}
    return message(turn, where)
