r"""Segments of text, each trained or not; nothing is added to them (Axolotl's `input_output`).

    {"segments": [{"text": "Question: Is it open?\nAnswer:", "label": false},
                  {"text": " Yes, from 10.</s>", "label": true}]}

The author writes every special token, the end token included.
"""

from __future__ import annotations

from tunesmith.contracts import Consumes, Content, JsonObject, Segment, Segments
from tunesmith.data.columns import as_objects, as_text, column, kind_of
from tunesmith.data.composing import not_held
from tunesmith.data.turns import parsed
from tunesmith.errors import DataError

COLUMNS = ("segments",)
PRIORITY = 70
GIVES: Consumes = "answers"


def recognises(values: JsonObject) -> bool:
    """A list under `segments` (as text in CSV)."""
    value = values.get("segments")
    return isinstance(value, list) or (isinstance(value, str) and value.startswith("["))


def parse(values: JsonObject) -> Content:
    """The segments that hold text."""
    value = column(values, "segments")
    if isinstance(value, str):
        value = parsed(value, "segments")
    parts: list[Segment] = []
    for index, entry in enumerate(as_objects(value, "segments")):
        where = f"segments[{index}]"
        trained = entry.get("label")
        if not isinstance(trained, bool):
            raise DataError(
                f"{where}.label is {kind_of(trained)}; true or false is expected",
                hint="write true for text to learn, false for text to be given",
            )
        text = as_text(entry.get("text"), f"{where}.text")
        if text:
            parts.append(Segment(text=text, trained=trained))
    if not any(part.trained and part.text.strip() for part in parts):
        raise DataError(
            "no segment has label true and holds text, so there is nothing to learn",
            hint="set label: true where the answer is, or remove the row",
            rule="missing_answer",
        )
    return Segments(parts=tuple(parts))


def compose(content: Content) -> JsonObject:
    """The row of segments."""
    if not isinstance(content, Segments):
        raise not_held(content)
    return {"segments": [{"label": part.trained, "text": part.text} for part in content.parts]}
