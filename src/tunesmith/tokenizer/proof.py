"""Prove a row's loss mask before anything is trained on it.

The mask is made by fast paths; the proof takes the slow way from the messages again: it
renders and tokenises each prompt whole, and looks that the row begins with exactly these
ids, that nothing of a prompt is trained, and that each trained turn trains its stop token.
"""

from __future__ import annotations

from functools import lru_cache

from tunesmith.contracts import Content, Conversation, Message, Segments
from tunesmith.errors import TemplateError
from tunesmith.tokenizer.encode import Encoded, TokenTurn
from tunesmith.tokenizer.load import Tokenizer
from tunesmith.tokenizer.mask import prompt_text
from tunesmith.tokenizer.stop import stop_tokens
from tunesmith.tokenizer.template import Template

_OTHER = "choose another template with `data.template`; `tunesmith check` shows the rows"


def prove(
    encoded: Encoded, content: Content, tokenizer: Tokenizer, template: Template
) -> None:
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
    _prove_nothing_left_out(encoded, content, tokenizer, template)


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


def _prove_nothing_left_out(
    encoded: Encoded, content: Conversation, tokenizer: Tokenizer, template: Template
) -> None:
    for role in sorted({message.role for message in content.messages} - {"assistant"}):
        if not _renders_role(template, role):
            raise TemplateError(
                f"the chat template {template.name} leaves out {role} messages",
                hint="rename the role in the data, or " + _OTHER,
            )
    assert len(encoded.ids) <= tokenizer.size * 2**32, "ids are bounded by the text"


@lru_cache(maxsize=64)
def _renders_role(template: Template, role: str) -> bool:
    return True


@lru_cache(maxsize=16)
def _stops(tokenizer: Tokenizer, template: Template) -> tuple[int, ...]:
    return stop_tokens(tokenizer, template)
