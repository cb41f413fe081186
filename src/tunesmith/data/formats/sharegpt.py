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

import json
from collections.abc import Iterator
from dataclasses import replace

from tunesmith.contracts import Consumes, Content, Json, JsonObject, Message
from tunesmith.data.columns import as_objects, as_text, column
from tunesmith.data.composing import as_conversation, is_plain, turn_as_json
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
_SPEAKERS = {"user": "human", "assistant": "gpt", "tool": "observation"}


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


def compose(content: Content) -> JsonObject:
    """The row of a conversation; calls and tools are JSON in text, as LLaMA-Factory has them."""
    held = as_conversation(content)
    first, *rest = held.messages
    row: JsonObject = {}
    if first.role == "system" and is_plain(first):
        row["system"] = first.content
    else:
        rest = [first, *rest]
    row["conversations"] = [entry for turn in rest for entry in _entries(turn)]
    if held.tools:
        row["tools"] = json.dumps([_function_of(tool) for tool in held.tools], ensure_ascii=False)
    return row


def _entries(turn: Message) -> Iterator[JsonObject]:
    """A turn, and its calls as an entry of their own."""
    if turn.content is None and not turn.tool_calls:
        raise DataError(
            "sharegpt cannot hold a turn without content", hint="convert to messages instead"
        )
    if turn.content is not None:
        entry = turn_as_json(replace(turn, tool_calls=()))
        speaker, value = _SPEAKERS.get(turn.role, turn.role), entry.pop("content")
        del entry["role"]
        yield {"from": speaker, "value": value, **entry}
    elif turn.weight != 1.0 or turn.reasoning or turn.name:
        raise DataError(
            "sharegpt cannot hold the weight, name or reasoning of a call of tools",
            hint="convert to messages instead",
        )
    if turn.tool_calls:
        calls = [_call(call) for call in turn.tool_calls]
        text = json.dumps(calls[0] if len(calls) == 1 else calls, ensure_ascii=False)
        yield {"from": "function_call", "value": text}


def _call(call: JsonObject) -> JsonObject:
    """Name, arguments and id, without what stands around them."""
    function = call["function"]
    assert isinstance(function, dict), "calls are put in order when they are read"
    return {**function, "id": call["id"]} if "id" in call else function


def _function_of(tool: JsonObject) -> JsonObject:
    """The bare function, where that says the same."""
    function = tool.get("function")
    if not isinstance(function, dict) or "name" not in function or "function" in function:
        return tool
    return function if tool == {"type": "function", "function": function} else tool


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
