"""OpenAI preferences: one input, a preferred and a non-preferred output.

    {"input": {"messages": [{"role": "system", "content": "Be brief."},
                            {"role": "user", "content": "Is it open on Sunday?"}],
               "tools": []},
     "preferred_output": [{"role": "assistant", "content": "Yes, from 10 to 17."}],
     "non_preferred_output": [{"role": "assistant", "content": "Please consult the schedule."}]}

For method dpo. An output may hold calls of tools and their results before its last answer.
"""

from __future__ import annotations

from tunesmith.contracts import Consumes, Content, JsonObject, Message
from tunesmith.data.columns import as_objects, column, kind_of
from tunesmith.data.composing import as_preference, tool_columns, turns_as_json
from tunesmith.data.pairs import preference
from tunesmith.data.turns import message, parsed, tools_of
from tunesmith.errors import DataError

COLUMNS = ("input", "preferred_output", "non_preferred_output")
PRIORITY = 100
GIVES: Consumes = "preferences"


def recognises(values: JsonObject) -> bool:
    """`preferred_output` and `non_preferred_output`."""
    return "preferred_output" in values and "non_preferred_output" in values


def parse(values: JsonObject) -> Content:
    """The pair, tools included."""
    asked = column(values, "input")
    if isinstance(asked, str):
        asked = parsed(asked, "input")
    if not isinstance(asked, dict):
        raise DataError(
            f"input is {kind_of(asked)}; an object is expected",
            hint='write "input": {"messages": [{"role": "user", "content": "..."}]}',
            rule="missing_prompt",
        )
    return preference(
        _turns(asked, "messages", "input.messages"),
        _turns(values, "preferred_output", "preferred_output"),
        _turns(values, "non_preferred_output", "non_preferred_output"),
        tools_of(asked),
    )


def _turns(values: JsonObject, name: str, where: str) -> list[Message]:
    value = column(values, name)
    if isinstance(value, str):
        value = parsed(value, where)
    turns = as_objects(value, where)
    return [message(turn, f"{where}[{index}]") for index, turn in enumerate(turns)]


def compose(content: Content) -> JsonObject:
    """The row of a pair; arguments of calls stay objects."""
    pair = as_preference(content)
    return {
        "input": {"messages": turns_as_json(pair.prompt), **tool_columns(pair.tools)},
        "preferred_output": turns_as_json(pair.chosen),
        "non_preferred_output": turns_as_json(pair.rejected),
    }
