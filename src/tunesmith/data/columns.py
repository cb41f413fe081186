"""Values out of a row's columns, with a sentence for each way in which they can be wrong.

{"question": "Is it open?", "answer": null}   ->   "answer is null; text is expected"
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from tunesmith.contracts import Json, JsonObject
from tunesmith.errors import DataError

_PROMPTS = ("question", "query", "q", "prompt", "instruction", "input", "user")
_ANSWERS = ("answer", "response", "a", "output", "assistant", "completion", "text")
_PAIR = ("chosen", "rejected", "preferred_output", "non_preferred_output")
MISSING = {
    **dict.fromkeys(_PROMPTS, "missing_prompt"),
    **dict.fromkeys((*_ANSWERS, *_PAIR), "missing_answer"),
    **dict.fromkeys(("messages", "conversations", "segments"), "mixed_schema"),
}
"""The rule under which the audit reports that a column is not there."""
_BLANK = {**MISSING, **dict.fromkeys((*_ANSWERS, *_PAIR), "empty_answer")}
"""The rule under which it reports that nothing stands in it."""


def kind_of(value: Json) -> str:
    """What a JSON value is, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"


def printable(text: str, longest: int = 60) -> str:
    """A piece of somebody's data, safe to show: no control characters, and not endless."""
    shown = "".join(character if character.isprintable() else "·" for character in text[:longest])
    return shown + ("..." if len(text) > longest else "")


def nearest(name: str, choices: Iterable[str]) -> str:
    """`did you mean x? ` where a choice is close to `name`, else nothing."""
    by_folded = {choice.casefold(): choice for choice in choices}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return f"did you mean {printable(by_folded[found[0]])}? " if found else ""


def listed(names: Iterable[str]) -> str:
    """The first names, in one line."""
    shown = [printable(name) for name in names]
    return ", ".join(shown[:12]) + (" ..." if len(shown) > 12 else "") or "none"


def column(values: JsonObject, name: str) -> Json:
    """The value of a column that the format needs.

    Raises:
        DataError: the row lacks it; the nearest column is suggested.
    """
    if name in values:
        return values[name]
    raise DataError(
        f"the row has no column {name}",
        hint=f"{nearest(name, values)}the row has: {listed(values)}; "
        f"map names in the recipe with columns: {{{name}: YOUR_COLUMN}}",
        rule=MISSING.get(name, ""),
    )


def as_text(value: Json, where: str) -> str:
    """A value that must be text.

    Raises:
        DataError: it is something else.
    """
    if isinstance(value, str):
        return value
    quoted = f'; write it in quotes, "{value}"' if isinstance(value, int | float) else ""
    raise DataError(
        f"{where} is {kind_of(value)}; text is expected",
        hint=f"give {where} a text{quoted}",
        rule=MISSING.get(where, "") if value is None else "",
    )


def filled_text(values: JsonObject, name: str) -> str:
    """The text of a column that must hold more than white space.

    Raises:
        DataError: the column is missing, not text, or blank.
    """
    text = as_text(column(values, name), name)
    if text.strip():
        return text
    raise DataError(
        f"{name} is empty",
        hint=f"fill {name} in, or remove the row: there is nothing to learn",
        rule=_BLANK.get(name, ""),
    )


def optional_text(values: JsonObject, name: str) -> str:
    """The text of a column that may be absent, null or blank (then `""`)."""
    value = values.get(name)
    if value is None:
        return ""
    text = as_text(value, name)
    return text if text.strip() else ""


def as_objects(value: Json, where: str) -> list[JsonObject]:
    """A value that must be a list of objects.

    Raises:
        DataError: it, or one of its entries, is something else.
    """
    if not isinstance(value, list):
        raise DataError(
            f"{where} is {kind_of(value)}; a list is expected", hint=f"write {where}: [{{...}}]"
        )
    objects: list[JsonObject] = []
    for index, entry in enumerate(value):
        if not isinstance(entry, dict):
            raise DataError(
                f"{where}[{index}] is {kind_of(entry)}; an object is expected",
                hint=f"write {where}: [{{...}}, {{...}}]",
            )
        objects.append(entry)
    return objects
