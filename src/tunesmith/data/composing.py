"""Content back into raw rows: what the formats share when they write.

    Message(role="assistant", content="Yes.", weight=0.0)
        ->   {"role": "assistant", "content": "Yes.", "weight": 0}

A format writes only what its own `parse` reads back; everything else is refused by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.contracts import (
    Content,
    Conversation,
    Json,
    JsonObject,
    Message,
    Preference,
    Segments,
    Text,
)
from tunesmith.errors import DataError

_KINDS = {
    Text: ("plain text", "text"),
    Segments: ("segments of text, without turns", "input_output"),
    Conversation: ("a conversation", "messages, openai, sharegpt or prompt_completion"),
    Preference: ("a pair of answers", "openai or chosen_rejected"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanges:
    """Questions and answers in turn, all trained, with nothing else about them."""

    system: str
    """Empty for none."""
    pairs: tuple[tuple[str, str], ...]


def turn_as_json(turn: Message) -> JsonObject:
    """A turn as OpenAI writes it, but for the arguments of calls, which stay objects."""
    out = turn.as_template_input()
    if turn.weight != 1.0:
        out["weight"] = int(turn.weight) if turn.weight.is_integer() else turn.weight
    return out


def turns_as_json(turns: Sequence[Message]) -> list[Json]:
    """Turns as OpenAI writes them."""
    return [turn_as_json(turn) for turn in turns]


def tool_columns(tools: Sequence[JsonObject]) -> JsonObject:
    """The column of declared tools, where there are any."""
    return {"tools": list(tools)} if tools else {}


def is_plain(turn: Message) -> bool:
    """Whether a turn is its text, which is not blank, and nothing else."""
    return bool(turn.content and turn.content.strip()) and turn == Message(
        role=turn.role, content=turn.content
    )


def as_conversation(content: Content) -> Conversation:
    """The content, if it is a conversation.

    Raises:
        DataError: it is something else.
    """
    if isinstance(content, Conversation):
        return content
    raise not_held(content)


def as_preference(content: Content) -> Preference:
    """The content, if it is a pair of answers.

    Raises:
        DataError: it is something else.
    """
    if isinstance(content, Preference):
        return content
    raise not_held(content)


def as_exchanges(content: Content) -> Exchanges:
    """The content, if it is nothing but questions and answers that are all trained.

    Raises:
        DataError: it is more than that; what stands in the way is named.
    """
    held = as_conversation(content)
    if held.tools or any(turn.tool_calls or turn.role == "tool" for turn in held.messages):
        raise _too_much("tools and their calls")
    turns = list(held.messages)
    system = ""
    if turns[0].role in ("system", "developer"):
        first = turns.pop(0)
        if first.role == "developer" or not is_plain(first):
            raise _too_much("developer turns, and blank or named system turns")
        system = first.content or ""
    for turn in turns:
        if turn.reasoning:
            raise _too_much("reasoning beside an answer")
        if turn.weight != 1.0:
            raise _too_much("weights: all of its answers are trained alike")
        if turn.name is not None:
            raise _too_much("names of speakers")
        if not is_plain(turn):
            raise _too_much("blank turns")
    roles = [turn.role for turn in turns]
    if roles != ["user", "assistant"] * (len(turns) // 2):
        raise _too_much("turns that are not a question and its answer by turns")
    texts = [turn.content or "" for turn in turns]
    return Exchanges(system=system, pairs=tuple(zip(texts[::2], texts[1::2], strict=True)))


def too_many_turns(exchanges: int) -> DataError:
    """The error for a conversation that goes on after its first answer."""
    return DataError(
        f"the row has {exchanges} questions and answers; the target holds one",
        hint="convert to alpaca (with history), messages or sharegpt instead",
    )


def not_held(content: Content) -> DataError:
    """The error for content of another kind than the target's."""
    kind, targets = _KINDS[type(content)]
    return DataError(
        f"the row is {kind}, which the target cannot hold", hint=f"convert to {targets} instead"
    )


def _too_much(what: str) -> DataError:
    return DataError(
        f"the target cannot hold {what}",
        hint="convert to messages, openai or sharegpt instead",
    )
