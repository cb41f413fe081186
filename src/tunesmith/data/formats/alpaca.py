"""Alpaca: an instruction, perhaps with an input, and its output.

    {"instruction": "Translate into French.", "input": "Good evening", "output": "Bonsoir",
     "system": "Be brief.", "history": [["Translate 'yes'.", "Oui"]]}

Instruction and input are joined by a line break, as LLaMA-Factory does; the English
sentences that Stanford put around them are not added, because the chat template has that
role. `history` holds earlier pairs of question and answer; they are trained too unless
`train_on: last` is set.
"""

from __future__ import annotations

from tunesmith.contracts import Consumes, Content, JsonObject, Message
from tunesmith.data.columns import as_text, filled_text, kind_of, optional_text
from tunesmith.data.composing import as_exchanges
from tunesmith.data.turns import conversation, opening, parsed
from tunesmith.errors import DataError

COLUMNS = ("instruction", "input", "output", "system", "history")
PRIORITY = 60
GIVES: Consumes = "answers"


def recognises(values: JsonObject) -> bool:
    """`instruction` and `output`."""
    return "instruction" in values and "output" in values


def parse(values: JsonObject) -> Content:
    """The conversation that ends in the output."""
    instruction = filled_text(values, "instruction")
    extra = optional_text(values, "input")
    answer = filled_text(values, "output")
    turns = opening(values)
    for question, reply in _history(values):
        turns.append(Message(role="user", content=question))
        turns.append(Message(role="assistant", content=reply))
    asked = f"{instruction}\n{extra}" if extra else instruction
    turns.append(Message(role="user", content=asked))
    turns.append(Message(role="assistant", content=answer))
    return conversation(turns)


def compose(content: Content) -> JsonObject:
    """The row of questions and answers; the last pair is its instruction and output."""
    held = as_exchanges(content)
    *earlier, (question, answer) = held.pairs
    row: JsonObject = {"instruction": question, "input": "", "output": answer}
    if held.system:
        row["system"] = held.system
    if earlier:
        row["history"] = [[asked, reply] for asked, reply in earlier]
    return row


def _history(values: JsonObject) -> list[tuple[str, str]]:
    """The earlier pairs; CSV holds them as text."""
    history = values.get("history")
    if history is None or history == "":
        return []
    if isinstance(history, str) and history.lstrip().startswith("["):
        history = parsed(history, "history")
    if not isinstance(history, list):
        raise DataError(
            f"history is {kind_of(history)}; a list is expected",
            hint='write [["question", "answer"], ...]',
        )
    pairs: list[tuple[str, str]] = []
    for index, pair in enumerate(history):
        if not isinstance(pair, list) or len(pair) != 2:
            raise DataError(
                f"history[{index}] is not a pair", hint='write [["question", "answer"], ...]'
            )
        question, reply = (as_text(text, f"history[{index}]") for text in pair)
        pairs.append((question, reply))
    return pairs
