"""Prove a row's loss mask before anything is trained on it.

The mask is made by fast paths; the proof takes the slow way from the messages again: it
renders and tokenises each prompt whole, and looks that the row begins with exactly these
ids, that nothing of a prompt is trained, and that each trained turn trains its stop token.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from tunesmith.contracts import Content, Conversation, JsonObject, Message, Segments
from tunesmith.errors import DataError, TemplateError
from tunesmith.tokenizer.encode import Encoded, TokenTurn
from tunesmith.tokenizer.load import Tokenizer
from tunesmith.tokenizer.mask import prompt_text
from tunesmith.tokenizer.stop import stop_tokens
from tunesmith.tokenizer.template import Template

Role = Literal["system", "developer", "user", "assistant", "tool"]
_WORD = "Alpha"
_SIGN = "Omega"
_CALL = "call12345"
_OTHER = "choose another template with `data.template`; `tunesmith check` shows the rows"


def prove(encoded: Encoded, content: Content, tokenizer: Tokenizer, template: Template) -> None:
    """Prove a row, before it is truncated.

    Raises:
        TemplateError: a trained turn does not train a stop token; a token of a prompt is
            trained; or a turn's own prompt is not a prefix of it.
    """
    _prove_shape(encoded)
    if isinstance(content, Segments):
        _prove_segments(encoded, content, tokenizer)
    if not isinstance(content, Conversation):
        return
    stops = frozenset(_stops(tokenizer, template))
    inside = [False] * len(encoded.ids)
    for turn in encoded.turns:
        _prove_turn(encoded, turn, content, tokenizer, template, stops)
        inside[turn.start : turn.end] = [True] * (turn.end - turn.start)
    for index, weight in enumerate(encoded.weights):
        if weight and not inside[index]:
            raise TemplateError(
                f"token {index} ({tokenizer.token(encoded.ids[index])!r}) belongs to no trained"
                " turn, but is trained",
                hint=_OTHER,
            )
    _prove_nothing_left_out(content, template)


def _prove_shape(encoded: Encoded) -> None:
    assert len(encoded.ids) == len(encoded.weights), "a weight for each token"
    assert not encoded.weights or encoded.weights[0] == 0, "the first token is not predicted"


def _prove_turn(
    encoded: Encoded,
    turn: TokenTurn,
    content: Conversation,
    tokenizer: Tokenizer,
    template: Template,
    stops: frozenset[int],
) -> None:
    number = turn.message + 1
    prompt = tokenizer.encode(prompt_text(content, template, turn.message))
    if encoded.ids[: len(prompt)] != prompt:
        raise TemplateError(
            f"the prompt of message {number} is not a prefix of its row: the model would be"
            " trained on other tokens than it is given",
            hint=_OTHER,
        )
    if turn.start < len(prompt):
        raise TemplateError(
            f"the last {len(prompt) - turn.start} tokens of the prompt of message {number} are"
            " trained",
            hint=_OTHER,
        )
    trained = {
        token
        for token, weight in zip(
            encoded.ids[turn.start : turn.end], encoded.weights[turn.start : turn.end], strict=True
        )
        if weight
    }
    if turn.weight and not trained & stops:
        names = ", ".join(repr(tokenizer.token(index)) for index in sorted(stops))
        raise TemplateError(
            f"no stop token is trained in message {number}: it must hold one of {names}",
            hint="the template must end each assistant turn with a stop token; " + _OTHER,
        )


def _prove_segments(encoded: Encoded, content: Segments, tokenizer: Tokenizer) -> None:
    if not content.parts or not content.parts[-1].trained or not tokenizer.stop_ids:
        return
    stops = tokenizer.special_ids | set(tokenizer.stop_ids)
    if not any(
        weight and index in stops
        for index, weight in zip(encoded.ids, encoded.weights, strict=True)
    ):
        end = tokenizer.token(tokenizer.stop_ids[0])
        raise TemplateError(
            "the last segment is trained, but no stop token is: the model would never stop",
            hint=f"write the base's end token {end!r} at the end of the last segment",
        )


def _prove_nothing_left_out(content: Conversation, template: Template) -> None:
    roles: set[Role] = {message.role for message in content.messages}
    for role in sorted(roles):
        if not _renders(template, role):
            raise TemplateError(
                f"the chat template {template.name} leaves out the text of {role} messages",
                hint="rename the role in the data, or " + _OTHER,
            )


@lru_cache(maxsize=64)
def _renders(template: Template, role: Role) -> bool:
    """Whether the text of a message of this role is seen; a template may also refuse it."""
    question = Message(role="user", content=_WORD)
    call: JsonObject = {
        "type": "function",
        "id": _CALL,
        "function": {"name": "lookup", "arguments": {"key": "b"}},
    }
    if role == "tool":
        asked = Message(role="assistant", content="", tool_calls=(call,))
        probe = Message(role=role, content=_SIGN, name="lookup", tool_call_id=_CALL)
        messages = [question, asked, probe]
    elif role == "assistant":
        messages = [question, Message(role=role, content=_SIGN)]
    elif role == "user":
        messages = [Message(role=role, content=_SIGN), Message(role="assistant", content=_WORD)]
    else:
        messages = [Message(role=role, content=_SIGN), question]
    try:
        return _SIGN in template.render(messages, add_generation_prompt=False)
    except DataError:
        return True


@lru_cache(maxsize=16)
def _stops(tokenizer: Tokenizer, template: Template) -> tuple[int, ...]:
    return stop_tokens(tokenizer, template)
