"""A prompt and its completion, as texts or as lists of turns.

    {"prompt": "Is it open on Sunday?", "completion": "Yes, from 10.", "system": "Be brief."}

The prompt is the user's turn and the completion the assistant's, so the chat template
applies. For text that must reach the model untouched use `input_output` segments.
"""

from __future__ import annotations

from tunesmith.contracts import Consumes, Content, JsonObject, Message
from tunesmith.data.columns import as_objects, column, filled_text
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
