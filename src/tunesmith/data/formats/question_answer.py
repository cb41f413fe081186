"""A question and its answer in two columns, whatever they are called.

    {"question": "Is it open on Sunday?", "answer": "Yes, from 10.",
     "system": "Be brief.", "context": "Opening hours: Sunday 10 to 17."}

Known pairs: question/answer, question/response, query/response, q/a, input/output and the
like (QUESTIONS x ANSWERS below). A context stands before the question, set off by a blank
line. Other columns are ignored.
"""

from __future__ import annotations

from tunesmith.contracts import Consumes, Content, JsonObject, Message
from tunesmith.data.columns import filled_text, optional_text
from tunesmith.data.composing import as_exchanges, too_many_turns
from tunesmith.data.turns import conversation, opening

COLUMNS = ("question", "answer", "system", "context")
PRIORITY = 40
GIVES: Consumes = "answers"
QUESTIONS = ("question", "query", "q", "prompt", "instruction", "input", "user")
ANSWERS = ("answer", "response", "a", "output", "assistant")


def recognises(values: JsonObject) -> bool:
    """One of QUESTIONS and one of ANSWERS."""
    return any(name in values for name in QUESTIONS) and any(name in values for name in ANSWERS)


def parse(values: JsonObject) -> Content:
    """A conversation of one exchange."""
    question = filled_text(values, _first(values, QUESTIONS))
    answer = filled_text(values, _first(values, ANSWERS))
    context = optional_text(values, "context")
    turns = opening(values)
    asked = f"{context}\n\n{question}" if context else question
    turns.append(Message(role="user", content=asked))
    turns.append(Message(role="assistant", content=answer))
    return conversation(turns)


def compose(content: Content) -> JsonObject:
    """The row of a single exchange."""
    held = as_exchanges(content)
    if len(held.pairs) > 1:
        raise too_many_turns(len(held.pairs))
    row: JsonObject = {"question": held.pairs[0][0], "answer": held.pairs[0][1]}
    return {**row, "system": held.system} if held.system else row


def _first(values: JsonObject, names: tuple[str, ...]) -> str:
    return next((name for name in names if name in values), names[0])
