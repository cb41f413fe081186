"""What an example says, as JSON and back, its digest, and the group that it belongs to.

    {"messages": [{"role": "user", "content": "Is it open?"},
                  {"role": "assistant", "content": "Yes."}]}
    {"segments": [{"text": "2+2=", "label": false}, {"text": "4", "label": true}]}
    {"text": "The mill stood by the river."}
    {"prompt": [{...}], "chosen": [{...}], "rejected": [{...}]}

The JSON is canonical: keys sorted, absent fields left out, so that equal contents have
equal digests whatever format they came from.
"""

from __future__ import annotations

import json
import unicodedata
from hashlib import sha256

from tunesmith.contracts import (
    Content,
    Conversation,
    Json,
    JsonObject,
    Message,
    Preference,
    Segment,
    Segments,
    Text,
)
from tunesmith.data.columns import as_objects, as_text, column
from tunesmith.data.turns import role_of
from tunesmith.errors import DataError

_ENCODER = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
)


def content_as_json(content: Content) -> JsonObject:
    """Plain data that `content_from_json` reads."""
    match content:
        case Text():
            return {"text": content.text}
        case Segments():
            return {
                "segments": [{"text": part.text, "label": part.trained} for part in content.parts]
            }
        case Conversation():
            out: JsonObject = {"messages": [_message_as_json(turn) for turn in content.messages]}
            if content.tools:
                out["tools"] = list(content.tools)
            return out
        case Preference():
            pair: JsonObject = {
                "prompt": [_message_as_json(turn) for turn in content.prompt],
                "chosen": [_message_as_json(turn) for turn in content.chosen],
                "rejected": [_message_as_json(turn) for turn in content.rejected],
            }
            if content.tools:
                pair["tools"] = list(content.tools)
            return pair


def content_from_json(values: JsonObject) -> Content:
    """The content that `content_as_json` wrote.

    Raises:
        DataError: it did not write this.
    """
    if "text" in values:
        return Text(text=as_text(values["text"], "text"))
    if "segments" in values:
        return Segments(
            parts=tuple(
                Segment(text=as_text(column(part, "text"), "text"), trained=part["label"] is True)
                for part in as_objects(values["segments"], "segments")
            )
        )
    tools = tuple(as_objects(values.get("tools", []), "tools"))
    if "chosen" in values:
        return Preference(
            prompt=_messages_from_json(values, "prompt"),
            chosen=_messages_from_json(values, "chosen"),
            rejected=_messages_from_json(values, "rejected"),
            tools=tools,
        )
    return Conversation(messages=_messages_from_json(values, "messages"), tools=tools)


def digest_of(content: Content) -> str:
    """sha256 of the canonical JSON, hexadecimal."""
    return sha256(canonical(content_as_json(content)).encode()).hexdigest()


def canonical(value: Json) -> str:
    """JSON with sorted keys and no spaces: equal values have equal texts."""
    return _ENCODER.encode(value)


def group_of(content: Content) -> str:
    """The same for rows that share the system prompt and the whole first exchange.

    Case, spacing and compatible characters (full width, ligatures) make no difference.
    Plain text has no group; segments have the whole of their first trained one and what
    stands before it; pairs have their prompt's first exchange, so that answers to the same
    prompt stay together.
    """
    match content:
        case Text():
            return ""
        case Segments():
            end = next(index for index, part in enumerate(content.parts) if part.trained) + 1
            texts = ["".join(part.text for part in content.parts[:end])]
        case Conversation():
            texts = _first_exchange(content.messages)
        case Preference():
            texts = _first_exchange(content.prompt)
    folded = "\0".join(_folded(text) for text in texts)
    return sha256(folded.encode()).hexdigest()[:16]


def _first_exchange(messages: tuple[Message, ...]) -> list[str]:
    asked, texts = 0, []
    for turn in messages:
        asked += turn.role == "user"
        if asked > 1:
            break
        calls = canonical(list(turn.tool_calls)) if turn.tool_calls else ""
        texts += [turn.role, turn.content or "", calls]
    return texts


def _folded(text: str) -> str:
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(plain.casefold().split())


def _message_as_json(turn: Message) -> JsonObject:
    out = turn.as_template_input()
    if turn.weight != 1.0:
        out["weight"] = turn.weight
    return out


def _messages_from_json(values: JsonObject, name: str) -> tuple[Message, ...]:
    turns = as_objects(column(values, name), name)
    return tuple(_message_from_json(turn) for turn in turns)


def _message_from_json(values: JsonObject) -> Message:
    def optional(name: str) -> str | None:
        value = values.get(name)
        return None if value is None else as_text(value, name)

    weight = values.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise DataError("weight is not a number", hint="prepare the data again")
    return Message(
        role=role_of(values.get("role"), "role"),
        content=optional("content"),
        weight=float(weight),
        name=optional("name"),
        reasoning=optional("reasoning_content"),
        tool_calls=tuple(as_objects(values.get("tool_calls", []), "tool_calls")),
        tool_call_id=optional("tool_call_id"),
    )
