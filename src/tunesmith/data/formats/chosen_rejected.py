r"""A prompt with a chosen and a rejected completion, in each of the forms that TRL reads.

    {"prompt": [{"role": "user", "content": "Is it open on Sunday?"}],
     "chosen": [{"role": "assistant", "content": "Yes, from 10 to 17."}],
     "rejected": [{"role": "assistant", "content": "Please consult the schedule."}],
     "tools": []}

For method dpo. Without a column `prompt` (or where the lists repeat it) chosen and rejected
hold whole conversations, and the prompt is what they begin with alike. Plain texts become
turns of the user and the assistant, with `system` before them; two texts without a prompt
are transcripts, `\n\nHuman: Is it open?\n\nAssistant: Yes.`
"""

from __future__ import annotations

import re

from tunesmith.contracts import Consumes, Content, Json, JsonObject, Message
from tunesmith.data.columns import as_objects, column, filled_text
from tunesmith.data.composing import as_preference, tool_columns, turns_as_json
from tunesmith.data.pairs import divided, preference, said
from tunesmith.data.turns import message, opening, parsed, tools_of
from tunesmith.errors import DataError

COLUMNS = ("prompt", "chosen", "rejected", "system", "tools")
PRIORITY = 95
GIVES: Consumes = "preferences"
_SPEAKER = re.compile(r"(?:^|\n\n)(Human|Assistant):")


def recognises(values: JsonObject) -> bool:
    """`chosen` and `rejected`, and no other list of turns beside them."""
    others = ("conversations", "conversation", "messages")
    return "chosen" in values and "rejected" in values and not any(o in values for o in others)


def parse(values: JsonObject) -> Content:
    """The pair, tools included."""
    before = opening(values)
    tools = tools_of(values)
    chosen, rejected = (_completion(values, name) for name in ("chosen", "rejected"))
    if values.get("prompt") is not None:
        prompt = _prompt(values)
        if not all(turns and turns[0].role != "assistant" for turns in (chosen, rejected)):
            return preference([*before, *prompt], chosen, rejected, tools)
    start, chosen, rejected = (list(turns) for turns in divided(chosen, rejected))
    if values.get("prompt") is not None and said(start[-len(prompt) :]) != said(prompt):
        raise DataError(
            "chosen and rejected are whole conversations that do not begin with the prompt",
            hint="leave the column prompt out, or keep the answers alone in the other two",
            rule="different_prompts",
        )
    return preference([*before, *start], chosen, rejected, tools)


def compose(content: Content) -> JsonObject:
    """The row of a pair, as lists of turns."""
    pair = as_preference(content)
    return {
        "prompt": turns_as_json(pair.prompt),
        "chosen": turns_as_json(pair.chosen),
        "rejected": turns_as_json(pair.rejected),
        **tool_columns(pair.tools),
    }


def _prompt(values: JsonObject) -> list[Message]:
    prompt = _decoded(column(values, "prompt"), "prompt")
    if isinstance(prompt, list):
        turns = as_objects(prompt, "prompt")
        return [message(turn, f"prompt[{index}]") for index, turn in enumerate(turns)]
    return [Message(role="user", content=filled_text(values, "prompt"))]


def _completion(values: JsonObject, name: str) -> list[Message]:
    value = _decoded(column(values, name), name)
    if isinstance(value, dict):
        value = [value]
    if isinstance(value, list):
        turns = as_objects(value, name)
        return [message(turn, f"{name}[{index}]") for index, turn in enumerate(turns)]
    text = filled_text(values, name)
    if values.get("prompt") is not None:
        return [Message(role="assistant", content=text)]
    return _transcript(text, name)


def _decoded(value: Json, where: str) -> Json:
    """A list of turns that CSV holds as text."""
    if isinstance(value, str) and value.lstrip().startswith('[{"'):
        return parsed(value, where)
    return value


def _transcript(text: str, name: str) -> list[Message]:
    r"""The turns of `\n\nHuman: ...\n\nAssistant: ...`."""
    marks = list(_SPEAKER.finditer(text))
    if not marks or text[: marks[0].start()].strip():
        raise DataError(
            f"{name} is a text, and the row has no prompt",
            hint="add a column prompt, or map one: columns: {prompt: YOUR_COLUMN}",
            rule="missing_prompt",
        )
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    return [
        Message(
            role="user" if mark.group(1) == "Human" else "assistant",
            content=text[mark.end() : end].strip(),
        )
        for mark, end in zip(marks, ends, strict=True)
    ]
