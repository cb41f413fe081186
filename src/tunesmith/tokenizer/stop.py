"""The tokens at which generation must stop, found by trying the template.

Two short answers are rendered and tokenised; the first added token after the answer's text is
the one with which the template ends a turn. Together with the base's own end tokens it goes
into `generation_config.json`.
"""

from __future__ import annotations

from tunesmith.contracts import Conversation, JsonObject, Message
from tunesmith.errors import DataError, TemplateError
from tunesmith.tokenizer.load import Tokenizer
from tunesmith.tokenizer.mask import row_per_turn
from tunesmith.tokenizer.template import Template

_QUESTION = "What is two and two?"
_ANSWER = "It is four"


def stop_tokens(tokenizer: Tokenizer, template: Template) -> tuple[int, ...]:
    """Ids that end a generation: the template's end of turn first, then the base's own.

    Raises:
        TemplateError: the template ends a turn with no token at all, so a tuned model
            would never stop.
    """
    ends = (end_of_turn(tokenizer, template), end_of_call(tokenizer, template))
    return tuple(
        dict.fromkeys(index for index in (*ends, *tokenizer.stop_ids) if index is not None)
    )


def end_of_turn(tokenizer: Tokenizer, template: Template) -> int:
    """The token with which the template ends an assistant turn.

    Raises:
        TemplateError: there is none, or the template cannot render two plain turns.
    """
    try:
        answer = _answer(template, Message(role="assistant", content=_ANSWER))
    except DataError as error:
        raise TemplateError(
            f"the template cannot render a question and an answer: {error.what}",
            hint="choose another template with `data.template`",
        ) from error
    _, found, after = answer.rpartition(_ANSWER)
    if not found:
        raise TemplateError(
            f"the chat template {template.name} leaves out the assistant's text",
            hint="choose another template with `data.template`",
        )
    stops = tokenizer.added_ids | set(tokenizer.stop_ids)
    end = next((index for index in tokenizer.encode_continuation(after) if index in stops), None)
    if end is None:
        raise TemplateError(
            f"the chat template {template.name} ends a turn with {after!r}, which is not a token"
            " of this base: a tuned model would never stop",
            hint="use `data.template: plain`, which ends turns with the base's own end token",
        )
    return end


def end_of_call(tokenizer: Tokenizer, template: Template) -> int | None:
    """The token that ends a turn of tool calls, None where the template has no such turns."""
    function: JsonObject = {"name": "lookup", "arguments": {"key": "value"}}
    call: JsonObject = {"type": "function", "id": "call12345", "function": function}
    try:
        answer = _answer(template, Message(role="assistant", content=None, tool_calls=(call,)))
    except DataError:
        return None
    stops = tokenizer.added_ids | set(tokenizer.stop_ids)
    ids = reversed(tokenizer.encode_continuation(answer)) if "lookup" in answer else ()
    return next((index for index in ids if index in stops), None)


def _answer(template: Template, message: Message) -> str:
    question = Message(role="user", content=_QUESTION)
    (row,) = row_per_turn(Conversation(messages=(question, message)), template, "last")
    return row.text[row.turns[0].start :]
