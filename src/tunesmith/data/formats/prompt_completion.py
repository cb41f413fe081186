"""A prompt and its completion, as texts or as lists of turns.

    {"prompt": "Is it open on Sunday?", "completion": "Yes, from 10.", "system": "Be brief."}

The prompt is the user's turn and the completion the assistant's, so the chat template
applies. For text that must reach the model untouched use `input_output` segments.
"""

from __future__ import annotations

from dataclasses import replace

from tunesmith.contracts import Consumes, Content, JsonObject, Message
from tunesmith.data.columns import as_objects, column, filled_text
from tunesmith.data.composing import as_conversation, is_plain, tool_columns, turns_as_json
from tunesmith.data.turns import conversation, message, opening, tools_of

COLUMNS = ("prompt", "completion", "system", "tools")
PRIORITY = 50
GIVES: Consumes = "answers"


def recognises(values: JsonObject) -> bool:
    """`prompt` and `completion`."""
    return "prompt" in values and "completion" in values


def parse(values: JsonObject) -> Content:
    """The conversation that ends in the completion; only the completion is trained."""
    turns = opening(values)
    prompt = column(values, "prompt")
    completion = column(values, "completion")
    if isinstance(prompt, list):
        for index, turn in enumerate(as_objects(prompt, "prompt")):
            turns.append(message({**turn, "weight": 0}, f"prompt[{index}]"))
    else:
        turns.append(Message(role="user", content=filled_text(values, "prompt")))
    if isinstance(completion, list):
        for index, turn in enumerate(as_objects(completion, "completion")):
            turns.append(message(turn, f"completion[{index}]"))
    else:
        turns.append(Message(role="assistant", content=filled_text(values, "completion")))
    return conversation(turns, tools_of(values))


def compose(content: Content) -> JsonObject:
    """The row of a conversation: texts for one plain exchange, lists of turns for more.

    The completion begins with the first turn that is trained.
    """
    held = as_conversation(content)
    tools = tool_columns(held.tools)
    turns = held.messages
    if [turn.role for turn in turns] == ["user", "assistant"] and all(map(is_plain, turns)):
        return {"prompt": turns[0].content, "completion": turns[1].content, **tools}
    first = next(i for i, turn in enumerate(turns) if turn.role == "assistant" and turn.weight > 0)
    prompt = [replace(turn, weight=1.0) for turn in turns[:first]]
    return {
        "prompt": turns_as_json(prompt),
        "completion": turns_as_json(turns[first:]),
        **tools,
    }
