"""Which characters of a rendered conversation the assistant writes.

    prompt_i = render(messages[:i], with the generation prompt)     what the model is given
    full_i   = render(messages[:i + 1])                             what it should have written

The trained text of assistant turn i is what full_i adds to prompt_i, text after the stop token
included. No marker strings: this holds for any template whose prompts are prefixes. Where one
row cannot hold all turns because the template writes earlier turns differently, each turn
becomes a row of its own, exactly as it stands at inference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from os.path import commonprefix
from typing import Literal

from tunesmith.contracts import Conversation, Message
from tunesmith.errors import TemplateError
from tunesmith.tokenizer.template import Template

TrainOn = Literal["all", "last"]

REWRITES = (
    "the template writes earlier turns differently: each assistant turn becomes a row of its"
    " own, as it stands at inference"
)
LONGER_PROMPT = (
    "the template's generation prompt holds more than a finished turn: each assistant turn"
    " becomes a row of its own that goes on from the prompt as it stands at inference"
)
JOINED_TOKENS = (
    "the first token of some answers joins with the end of the prompt: such turns become rows"
    " of their own, prompt and answer tokenised apart as at inference"
)
_OPEN_TAG = re.compile(r"<([^<>/\s]+)>\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An assistant turn: `message` is its index; `start` and `end` count characters of the row."""

    message: int
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedRow:
    """A row's text and its trained turns."""

    text: str
    turns: tuple[Turn, ...]
    notice: str = ""


def render_rows(
    conversation: Conversation, template: Template, train_on: TrainOn
) -> tuple[RenderedRow, ...]:
    """The rows of a conversation: one where the template allows it.

    Raises:
        DataError: the template refuses the conversation.
        TemplateError: the place of a turn cannot be found.
    """
    return one_row(conversation, template, train_on) or row_per_turn(
        conversation, template, train_on
    )


def trained_turns(conversation: Conversation, train_on: TrainOn) -> list[int]:
    """The indices of the assistant turns that are trained."""
    turns = [index for index, message in enumerate(conversation.messages) if _answers(message)]
    if train_on == "last":
        turns = turns[-1:]
    return [index for index in turns if conversation.messages[index].weight > 0]


def one_row(
    conversation: Conversation, template: Template, train_on: TrainOn
) -> tuple[RenderedRow, ...]:
    """All turns in one row; empty where a prompt or a turn is not a prefix of the whole."""
    messages, tools = conversation.messages, conversation.tools
    whole = template.render(messages, tools=tools, add_generation_prompt=False)
    turns: list[Turn] = []
    for index in trained_turns(conversation, train_on):
        last = index + 1 == len(messages)
        full = (
            whole
            if last
            else template.render(messages[: index + 1], tools=tools, add_generation_prompt=False)
        )
        prompt = prompt_text(conversation, template, index)
        if not (full.startswith(prompt) and whole.startswith(full)):
            return ()
        turns.append(
            Turn(
                message=index,
                start=len(prompt),
                end=len(full),
                weight=messages[index].weight,
            )
        )
    return (RenderedRow(text=whole, turns=tuple(turns)),)


def row_per_turn(
    conversation: Conversation, template: Template, train_on: TrainOn
) -> tuple[RenderedRow, ...]:
    """Each trained turn in a row of its own, as it stands at inference."""
    messages = conversation.messages
    rows: list[RenderedRow] = []
    for index in trained_turns(conversation, train_on):
        prompt = prompt_text(conversation, template, index)
        full = template.render(
            messages[: index + 1], tools=conversation.tools, add_generation_prompt=False
        )
        notice = REWRITES
        if not full.startswith(prompt):
            notice = LONGER_PROMPT
            full = prompt + _continuation(conversation, template, index, prompt, full)
        turn = Turn(message=index, start=len(prompt), end=len(full), weight=messages[index].weight)
        rows.append(RenderedRow(text=full, turns=(turn,), notice=notice))
    return tuple(rows)


def prompt_text(conversation: Conversation, template: Template, index: int) -> str:
    """What the model is given before it writes message `index`."""
    return template.render(
        conversation.messages[:index], tools=conversation.tools, add_generation_prompt=True
    )


def _answers(message: Message) -> bool:
    return message.role == "assistant"


def _continuation(
    conversation: Conversation, template: Template, index: int, prompt: str, full: str
) -> str:
    """What the model writes after a prompt that a finished turn does not begin with.

    The header of the turn ends where two turns of different content begin to differ. What the
    prompt has beyond the header (`<think>`) is not in the finished turn; where it opens a tag,
    the answer closes it first, after the reasoning if the row has some.
    """
    message = conversation.messages[index]
    before = conversation.messages[:index]
    bare = replace(message, tool_calls=(), reasoning=None)
    probes = [
        template.render(
            (*before, replace(bare, content=content)),
            tools=conversation.tools,
            add_generation_prompt=False,
        )
        for content in ("Abc", "Xyz")
    ]
    header = len(commonprefix([*probes, full]))
    shared = len(commonprefix([full[:header], prompt]))
    history = template.render(before, tools=conversation.tools, add_generation_prompt=False)
    if shared < len(commonprefix([history, prompt])):
        raise TemplateError(
            f"the chat template {template.name} changes the prompt once the answer is there, so"
            " that the answer's place cannot be found",
            hint="choose another template with `data.template`",
        )
    answer = full[shared:]
    opened = _OPEN_TAG.search(prompt[shared:])
    if opened is None:
        return answer
    name = opened.group(1)
    closing = f"</{name}>"
    if closing in answer:
        return answer
    thought = message.reasoning or ""
    if not thought and closing in (message.content or ""):
        # The template drops what is thought in the text itself; at inference it is written.
        thought = str(message.content).split(closing)[0].split(f"<{name}>")[-1]
    thought = f"{thought.strip()}\n" if thought.strip() else ""
    return f"{thought}{closing}\n\n{answer}"
