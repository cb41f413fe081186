r"""Rows as OpenAI's fine-tuning takes them: calls with ids and arguments in text, weights 0 or 1.

    {"messages": [{"role": "user", "content": "How warm is Ghent?"},
                  {"role": "assistant", "content": null, "tool_calls": [
                      {"id": "call_1", "type": "function",
                       "function": {"name": "weather", "arguments": "{\"town\": \"Ghent\"}"}}]},
                  {"role": "tool", "tool_call_id": "call_1", "content": "18"},
                  {"role": "assistant", "content": "It is 18 degrees.", "weight": 1}]}

Pairs of answers become `input`, `preferred_output` and `non_preferred_output`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from tunesmith.contracts import Content, Conversation, Json, JsonObject, Message, Preference
from tunesmith.data.composing import not_held
from tunesmith.data.recognise import format_called
from tunesmith.errors import DataError

_TURNS = ("messages", "preferred_output", "non_preferred_output")


def openai_row(content: Content) -> JsonObject:
    """The row of a conversation or a pair, whose calls have ids (`with_ids`).

    Raises:
        DataError: OpenAI has no place for something in it.
    """
    match content:
        case Conversation():
            _require_sayable(content.messages)
            return _spelled(format_called("messages").compose(content))
        case Preference():
            _require_sayable((*content.prompt, *content.chosen, *content.rejected))
            row = format_called("preferred_output").compose(content)
            asked = row["input"]
            assert isinstance(asked, dict), "the format writes it so"
            return _spelled({**row, "input": _spelled(asked)})
        case _:
            raise not_held(content)


def with_ids(content: Content) -> Content:
    """The content, every call of a tool with an id, and every result with that of its call.

    Raises:
        DataError: there are fewer calls than results.
    """
    match content:
        case Conversation():
            return replace(content, messages=_with_ids(content.messages))
        case Preference():
            asked = len(content.prompt)
            chosen = _with_ids((*content.prompt, *content.chosen))
            rejected = _with_ids((*content.prompt, *content.rejected))
            return replace(
                content, prompt=chosen[:asked], chosen=chosen[asked:], rejected=rejected[asked:]
            )
        case _:
            return content


def _with_ids(turns: Sequence[Message]) -> tuple[Message, ...]:
    taken = {str(call["id"]) for turn in turns for call in turn.tool_calls if "id" in call}
    fresh = (name for number in range(1, 2**31) if (name := f"call_{number}") not in taken)
    out: list[Message] = []
    open_calls: list[str] = []
    for turn in turns:
        if turn.tool_calls:
            calls = [
                call if "id" in call else {**call, "id": next(fresh)} for call in turn.tool_calls
            ]
            open_calls = [str(call["id"]) for call in calls]
            turn = replace(turn, tool_calls=tuple(calls))
        elif turn.role == "tool":
            turn = replace(turn, tool_call_id=_answered(turn, open_calls))
        out.append(turn)
    return tuple(out)


def _answered(turn: Message, open_calls: list[str]) -> str:
    """The id of the call that a result belongs to, which is taken off the list."""
    if turn.tool_call_id is not None:
        if turn.tool_call_id in open_calls:
            open_calls.remove(turn.tool_call_id)
        return turn.tool_call_id
    if not open_calls:
        raise DataError(
            "a tool's result has no call that it could belong to",
            hint="give every result the tool_call_id of its call",
        )
    return open_calls.pop(0)


def _require_sayable(turns: Iterable[Message]) -> None:
    for turn in turns:
        if turn.reasoning is not None:
            raise DataError(
                "OpenAI's rows cannot hold reasoning beside an answer",
                hint="convert to messages instead",
            )
        if turn.weight not in (0.0, 1.0):
            raise DataError(
                f"a turn has weight {turn.weight:g}; OpenAI's rows know only 0 and 1",
                hint="convert to messages instead, or change the weight",
            )


def _spelled(row: JsonObject) -> JsonObject:
    """The same with the arguments of calls as JSON in text."""
    return {
        name: [_spelled_turn(turn) for turn in value]
        if name in _TURNS and isinstance(value, list)
        else value
        for name, value in row.items()
    }


def _spelled_turn(turn: Json) -> Json:
    if not isinstance(turn, dict) or not isinstance(turn.get("tool_calls"), list):
        return turn
    calls = turn["tool_calls"]
    assert isinstance(calls, list), "looked at above"
    return {**turn, "tool_calls": [_spelled_call(call) for call in calls]}


def _spelled_call(call: Json) -> Json:
    assert isinstance(call, dict), "calls are put in order when they are read"
    function = call["function"]
    assert isinstance(function, dict), "calls are put in order when they are read"
    text = json.dumps(function["arguments"], ensure_ascii=False)
    return {"id": call["id"], "type": "function", "function": {**function, "arguments": text}}
