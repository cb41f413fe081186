"""Every way in which a row can be wrong: refused with file and line, the reason and a fix."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tunesmith.contracts import Json, JsonObject
from tunesmith.data.examples import MAX_FAULTS, read_examples
from tunesmith.errors import DataError, RecipeError
from tunesmith.recipe import Source

Write = Callable[[str, Iterable[object]], Path]
GOOD: JsonObject = {"question": "Open?", "answer": "Yes."}
CALL: JsonObject = {"id": "c1", "function": {"name": "clock", "arguments": "{}"}}


def chat(*turns: tuple[str, Json]) -> JsonObject:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


def turns(*messages: JsonObject) -> JsonObject:
    return {"messages": list(messages)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A row that must be refused, on line 2 after a good one of its own format."""

    row: JsonObject
    says: str
    good: JsonObject = field(default_factory=lambda: chat(("user", "Hi"), ("assistant", "Ho")))


USER: JsonObject = {"role": "user", "content": "Hi"}
ANSWER: JsonObject = {"role": "assistant", "content": "Ho"}
SHAREGPT: JsonObject = {
    "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]
}
ALPACA: JsonObject = {"instruction": "Greet.", "output": "Ho"}
SEGMENTS: JsonObject = {"segments": [{"text": "Ho", "label": True}]}
PAIR: JsonObject = {"prompt": "Hi", "completion": "Ho"}
TEXT: JsonObject = {"text": "Once."}

FAULTS = {
    "no messages": Fault(row={"messages": []}, says="empty"),
    "unknown role": Fault(row=chat(("user", "Hi"), ("oracle", "Ho")), says="'oracle'"),
    "role missing": Fault(row=turns({"content": "Hi"}, ANSWER), says="messages[0] has no role"),
    "role a number": Fault(row=turns({"role": 1, "content": ""}), says="role is a number"),
    "turn a text": Fault(row={"messages": ["Hi"]}, says="messages[0] is text"),
    "messages an object": Fault(row={"messages": {}}, says="messages is an object"),
    "no assistant": Fault(row=chat(("user", "Hi")), says="no turn is the assistant's"),
    "assistant first": Fault(row=chat(("assistant", "Ho")), says="nobody has asked"),
    "assistant after system": Fault(
        row=chat(("system", "Be kind."), ("assistant", "Ho")), says="nobody has asked"
    ),
    "two users": Fault(
        row=chat(("user", "Hi"), ("user", "Hm"), ("assistant", "Ho")), says="second user turn"
    ),
    "two assistants": Fault(
        row=chat(("user", "Hi"), ("assistant", "Ho"), ("assistant", "Hm")),
        says="second assistant turn",
    ),
    "system late": Fault(
        row=chat(("user", "Hi"), ("system", "Be kind."), ("assistant", "Ho")),
        says="must come first",
    ),
    "content null": Fault(row=chat(("user", "Hi"), ("assistant", None)), says="has no content"),
    "user null": Fault(row=chat(("user", None), ("assistant", "Ho")), says="has no content"),
    "content a number": Fault(row=chat(("user", 7), ("assistant", "Ho")), says="is a number"),
    "content an object": Fault(row=chat(("user", {}), ("assistant", "Ho")), says="is an object"),
    "content a list of texts": Fault(
        row=chat(("user", ["Hi"]), ("assistant", "Ho")), says="content[0] is text"
    ),
    "content true": Fault(row=chat(("user", True), ("assistant", "Ho")), says="true or false"),
    "image": Fault(
        row=chat(("user", [{"type": "image_url", "image_url": {"url": "x"}}])), says="'image_url'"
    ),
    "answer blank": Fault(row=chat(("user", "Hi"), ("assistant", " \n")), says="is empty"),
    "middle answer blank": Fault(
        row=chat(("user", "a"), ("assistant", ""), ("user", "b"), ("assistant", "c")),
        says="turn 2 (assistant) is empty",
    ),
    "all weights 0": Fault(row=turns(USER, {**ANSWER, "weight": 0}), says="weight 0"),
    "weight negative": Fault(row=turns(USER, {**ANSWER, "weight": -1}), says="weight is -1"),
    "weight text": Fault(row=turns(USER, {**ANSWER, "weight": "1"}), says="weight is text"),
    "weight true": Fault(row=turns(USER, {**ANSWER, "weight": True}), says="true or false"),
    "name a number": Fault(row=turns({**USER, "name": 3}, ANSWER), says="name is a number"),
    "call without result": Fault(
        row=turns(USER, {"role": "assistant", "tool_calls": [CALL]}, USER, ANSWER),
        says="has no result",
    ),
    "result without call": Fault(
        row=turns(USER, {"role": "tool", "content": "3"}, ANSWER), says="no call comes before"
    ),
    "result of another call": Fault(
        row=turns(
            USER,
            {"role": "assistant", "tool_calls": [CALL]},
            {"role": "tool", "content": "3", "tool_call_id": "c2"},
            ANSWER,
        ),
        says="which nobody made",
    ),
    "arguments no JSON": Fault(
        row=turns(
            USER,
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{x"}}]},
        ),
        says="arguments is not JSON",
    ),
    "arguments a list": Fault(
        row=turns(
            USER,
            {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": []}}]},
        ),
        says="arguments is a list",
    ),
    "call without name": Fault(
        row=turns(USER, {"role": "assistant", "tool_calls": [{"function": {}}]}),
        says="names no function",
    ),
    "calls an object": Fault(
        row=turns(USER, {"role": "assistant", "tool_calls": {}}), says="tool_calls is an object"
    ),
    "tools no JSON": Fault(
        row={**chat(("user", "Hi"), ("assistant", "Ho")), "tools": "["}, says="tools is not JSON"
    ),
    "messages in text broken": Fault(row={"messages": '[{"role": '}, says="messages is not JSON"),
    "sharegpt speaker": Fault(
        row={"conversations": [{"from": "alien", "value": "Hi"}]}, says="'alien'", good=SHAREGPT
    ),
    "sharegpt value": Fault(
        row={"conversations": [{"from": "human"}]}, says="has no value", good=SHAREGPT
    ),
    "sharegpt nobody": Fault(
        row={"conversations": [{"value": "Hi"}]}, says="who speaks", good=SHAREGPT
    ),
    "sharegpt null": Fault(
        row={"conversations": [{"from": "human", "value": None}]}, says="is null", good=SHAREGPT
    ),
    "sharegpt call": Fault(
        row={"conversations": [{"from": "function_call", "value": "now!"}]},
        says="is not JSON",
        good=SHAREGPT,
    ),
    "output blank": Fault(row={**ALPACA, "output": ""}, says="output is empty", good=ALPACA),
    "instruction null": Fault(
        row={**ALPACA, "instruction": None}, says="instruction is null", good=ALPACA
    ),
    "output missing": Fault(
        row={"instruction": "Greet.", "outptu": "Ho"}, says="no column output", good=ALPACA
    ),
    "history": Fault(
        row={**ALPACA, "history": [["a"]]}, says="history[0] is not a pair", good=ALPACA
    ),
    "completion blank": Fault(row={**PAIR, "completion": "\t"}, says="is empty", good=PAIR),
    "prompt a number": Fault(row={**PAIR, "prompt": 5}, says="prompt is a number", good=PAIR),
    "answer a number": Fault(row={**GOOD, "answer": 42}, says="answer is a number", good=GOOD),
    "answer missing": Fault(row={"question": "Hi"}, says="no column", good=GOOD),
    "other row": Fault(row=TEXT, says="text, ", good=GOOD),
    "label missing": Fault(row={"segments": [{"text": "a"}]}, says="label is null", good=SEGMENTS),
    "nothing trained": Fault(
        row={"segments": [{"text": "a", "label": False}]}, says="label true", good=SEGMENTS
    ),
    "text blank": Fault(row={"text": ""}, says="text is empty", good=TEXT),
    "text a list": Fault(row={"text": ["a"]}, says="text is a list", good=TEXT),
    "another format": Fault(row=ALPACA, says="alpaca, but", good=GOOD),
}


@pytest.mark.parametrize("forced", [False, True], ids=["recognised", "later"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_row_is_refused_with_its_line(write_lines: Write, name: str, forced: bool) -> None:
    """Among the first rows, which decide the format, and far behind them."""
    fault = FAULTS[name]
    before = 60 if forced else 1
    path = write_lines("a.jsonl", [*([fault.good] * before), fault.row])
    with pytest.raises(DataError) as caught:
        list(read_examples(Source(path=str(path))))
    error = caught.value
    assert error.hint
    assert error.place is not None
    assert (error.place.file, error.place.line) == (path, before + 1)
    unknown_at_first = not forced and "no format fits" in error.what
    assert fault.says in error.what or unknown_at_first


def test_formats_may_not_be_mixed_in_a_file(write_lines: Write) -> None:
    path = write_lines("a.jsonl", [GOOD, ALPACA])
    with pytest.raises(DataError) as caught:
        list(read_examples(Source(path=str(path))))
    assert "alpaca" in caught.value.what
    assert "question_answer" in caught.value.what


@pytest.mark.parametrize(
    "row",
    [
        {"conversations": SHAREGPT["conversations"], "chosen": {}, "rejected": {}},
        {**chat(("user", "Hi"), ("assistant", "Ho")), "label": False},
    ],
)
def test_feedback_is_not_taken_for_answers(write_lines: Write, row: JsonObject) -> None:
    path = write_lines("a.jsonl", [row])
    with pytest.raises(DataError, match="feedback"):
        list(read_examples(Source(path=str(path))))


def test_an_unknown_row_is_told_what_there_is(write_lines: Write) -> None:
    path = write_lines("a.jsonl", [{"ask": "Hi", "reply": "Ho"}])
    with pytest.raises(DataError, match="ask, reply") as caught:
        list(read_examples(Source(path=str(path))))
    assert "question_answer (question, answer" in caught.value.hint


def test_faulty_rows_are_named_together(write_lines: Write) -> None:
    bad: JsonObject = {**GOOD, "answer": ""}
    path = write_lines("a.jsonl", [GOOD, bad, GOOD, bad, {**GOOD, "question": None}])
    with pytest.raises(DataError) as caught:
        list(read_examples(Source(path=str(path))))
    assert "2 more rows" in caught.value.what
    assert f"{path}:4: answer is empty" in caught.value.what
    assert f"{path}:5: question is null" in caught.value.what
    many = write_lines("b.jsonl", [GOOD, *([bad] * 100)])
    with pytest.raises(DataError, match=f"at least {MAX_FAULTS - 1} more rows") as caught:
        list(read_examples(Source(path=str(many))))
    assert len(caught.value.what.splitlines()) == MAX_FAULTS


@pytest.mark.parametrize(
    ("columns", "says", "hint"),
    [
        ({"question": "querry", "answer": "reply"}, "no column querry", "did you mean query"),
        ({"question": "query", "answer": "repl"}, "no column repl", "did you mean reply"),
        ({"question": "query", "answer": "late"}, "no column late", "reply"),
    ],
)
def test_a_wrong_mapping_names_the_nearest_column(
    write_lines: Write, columns: dict[str, str], says: str, hint: str
) -> None:
    path = write_lines("a.jsonl", [{"query": "Hi", "reply": "Ho"}])
    with pytest.raises(DataError, match=says) as caught:
        list(read_examples(Source(path=str(path), columns=columns)))
    assert hint in caught.value.hint
    assert caught.value.place is not None
    assert caught.value.place.line == 1


def test_a_mapped_column_that_a_later_row_lacks_is_an_error(write_lines: Write) -> None:
    rows = [*([{"q1": "Hi", "a1": "Ho"}] * 60), {"q1": "Hi"}]
    path = write_lines("a.jsonl", rows)
    source = Source(path=str(path), columns={"question": "q1", "answer": "a1"})
    with pytest.raises(DataError, match="no column a1") as caught:
        list(read_examples(source))
    assert caught.value.place is not None
    assert caught.value.place.line == 61


def test_an_unknown_name_on_our_side_of_the_mapping_is_an_error(write_lines: Write) -> None:
    path = write_lines("a.jsonl", [GOOD])
    with pytest.raises(RecipeError, match="questoin") as caught:
        list(read_examples(Source(path=str(path), columns={"questoin": "question"})))
    assert "did you mean question" in caught.value.hint


def test_an_unknown_format_is_an_error(write_lines: Write) -> None:
    path = write_lines("a.jsonl", [GOOD])
    with pytest.raises(RecipeError, match="alpacca") as caught:
        list(read_examples(Source(path=str(path), format="alpacca")))
    assert "did you mean alpaca" in caught.value.hint


def test_a_forced_format_that_does_not_fit_is_an_error(write_lines: Write) -> None:
    path = write_lines("a.jsonl", [GOOD])
    with pytest.raises(DataError, match="no column instruction"):
        list(read_examples(Source(path=str(path), format="alpaca")))


def test_text_in_json_is_escaped_as_json(write_lines: Write) -> None:
    """The reader is the one thing between a file and a prompt: nothing is lost on the way."""
    text = "a\u2028b\tc\\n \u202e 🙂 \x01"
    path = write_lines("a.jsonl", [{"text": text}])
    (example,) = read_examples(Source(path=str(path)))
    assert json.loads(path.read_text().split("\n")[0])["text"] == text
    assert getattr(example.content, "text", None) == text
