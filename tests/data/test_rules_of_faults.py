"""Every faulty row is reported under the rule of the audit that says what is wrong with it."""

from __future__ import annotations

import pytest

from tunesmith.contracts import Json, JsonObject, RawRow
from tunesmith.data.recognise import Recognised, recognise
from tunesmith.errors import DataError, Place
from tunesmith.recipe import Source

_CALL: JsonObject = {"function": {"name": "weather", "arguments": "{}"}, "id": "a"}
_ASKED: JsonObject = {"role": "user", "content": "Is it open?"}
_SAID: JsonObject = {"role": "assistant", "content": "Yes."}


def _row(values: JsonObject, line: int = 1) -> RawRow:
    return RawRow(values=values, place=Place(file="t.jsonl", line=line))


def _rule(name: str, values: JsonObject) -> str:
    with pytest.raises(DataError) as caught:
        Recognised(name=name).parse(_row(values))
    return caught.value.rule


@pytest.mark.parametrize(
    ("turns", "rule"),
    [
        ([_ASKED, _ASKED, _SAID], "role_order"),
        ([_ASKED, _SAID, _SAID], "role_order"),
        ([_ASKED, {"role": "system", "content": "Be brief."}, _SAID], "role_order"),
        ([{"role": "robot", "content": "Hello"}, _SAID], "role_order"),
        ([{"content": "Hello"}, _SAID], "role_order"),
        ([_SAID], "missing_prompt"),
        ([{"role": "user", "content": None}, _SAID], "missing_prompt"),
        ([_ASKED], "missing_answer"),
        ([], "missing_answer"),
        ([_ASKED, {**_SAID, "weight": 0}], "missing_answer"),
        ([_ASKED, {**_SAID, "content": " \n"}], "empty_answer"),
        ([_ASKED, {**_SAID, "content": None}], "empty_answer"),
        ([_ASKED, {**_SAID, "tool_calls": [{"function": {"name": "f", "arguments": "{x"}}]}],
         "tool_call"),
        ([_ASKED, {**_SAID, "tool_calls": [{"function": {"arguments": "{}"}}]}], "tool_call"),
        ([_ASKED, {**_SAID, "tool_calls": [{"function": {"name": " "}}]}], "tool_call"),
        ([_ASKED, {**_SAID, "tool_calls": [_CALL]}, _ASKED, _SAID], "tool_call"),
        ([_ASKED, {**_SAID, "tool_calls": [_CALL]}, _SAID], "tool_call"),
        ([_ASKED, {"role": "tool", "content": "18"}, _SAID], "tool_call"),
        ([_ASKED, {**_SAID, "content": [{"type": "image_url"}]}], "unusable_row"),
        ([_ASKED, {**_SAID, "weight": "high"}], "unusable_row"),
    ],
)  # fmt: skip
def test_turns(turns: list[Json], rule: str) -> None:
    assert _rule("messages", {"messages": turns}) == rule


@pytest.mark.parametrize(
    ("name", "values", "rule"),
    [
        ("question_answer", {"question": "Is it open?", "answer": ""}, "empty_answer"),
        ("question_answer", {"question": "Is it open?", "answer": None}, "missing_answer"),
        ("question_answer", {"question": "Is it open?"}, "missing_answer"),
        ("question_answer", {"question": " ", "answer": "Yes."}, "missing_prompt"),
        ("question_answer", {"answer": "Yes."}, "missing_prompt"),
        ("alpaca", {"instruction": "", "output": "Yes."}, "missing_prompt"),
        ("alpaca", {"instruction": "Answer.", "output": "\t"}, "empty_answer"),
        ("prompt_completion", {"prompt": "Is it open?", "completion": ""}, "empty_answer"),
        ("text", {"text": ""}, "empty_answer"),
        ("messages", {"question": "Is it open?", "answer": "Yes."}, "mixed_schema"),
        ("messages", {"words": "Is it open?"}, "mixed_schema"),
        ("input_output", {"segments": [{"text": "Hello", "label": False}]}, "missing_answer"),
        ("sharegpt", {"conversations": [{"value": "Hello"}]}, "role_order"),
        (
            "sharegpt",
            {"conversations": [{"from": "human", "value": "Hi"},
                               {"from": "function_call", "value": "weather("}]},
            "tool_call",
        ),
        ("messages", {"messages": [_ASKED, _SAID], "tools": "[{"}, "tool_call"),
    ],
)  # fmt: skip
def test_columns(name: str, values: JsonObject, rule: str) -> None:
    assert _rule(name, values) == rule


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"prompt": "Is it open?", "chosen": "Yes.", "rejected": "Yes."}, "chosen_is_rejected"),
        ({"prompt": "Is it open?", "chosen": "Yes.", "rejected": ""}, "empty_answer"),
        ({"prompt": "Is it open?", "chosen": [], "rejected": [_SAID]}, "missing_answer"),
        ({"prompt": "", "chosen": "Yes.", "rejected": "No."}, "missing_prompt"),
        ({"chosen": [_SAID], "rejected": [{**_SAID, "content": "No."}]}, "missing_prompt"),
        ({"chosen": "Yes.", "rejected": "No."}, "missing_prompt"),
        (
            {
                "chosen": [_ASKED, _SAID],
                "rejected": [{"role": "user", "content": "Is it shut?"}, _SAID],
            },
            "different_prompts",
        ),
        (
            {
                "prompt": "Something else",
                "chosen": [_ASKED, _SAID],
                "rejected": [_ASKED, {**_SAID, "content": "No."}],
            },
            "different_prompts",
        ),
    ],
)
def test_pairs(values: JsonObject, rule: str) -> None:
    assert _rule("chosen_rejected", values) == rule


def test_the_commonest_format_wins_and_other_rows_are_faulty() -> None:
    asked: JsonObject = {"question": "Is it open?", "answer": "Yes."}
    text: JsonObject = {"text": "The mill stood by the river."}
    strange: JsonObject = {"words": 3}
    rows = [_row(values, line) for line, values in enumerate([text, asked, strange, asked], 1)]
    found = recognise(rows, Source(path="t.jsonl"))
    assert found.name == "question_answer"
    with pytest.raises(DataError) as caught:
        found.parse(rows[0])
    assert caught.value.rule == "mixed_schema"
    assert caught.value.place == rows[0].place
    with pytest.raises(DataError):
        found.parse(rows[2])


def test_of_equally_common_formats_the_first_wins() -> None:
    rows = [_row({"text": "Hello"}), _row({"question": "Is it open?", "answer": "Yes."}, 2)]
    assert recognise(rows, Source(path="t.jsonl")).name == "text"


def test_rows_that_no_format_knows_are_refused() -> None:
    with pytest.raises(DataError, match="no format fits"):
        recognise([_row({"words": 3}), _row({"words": 4}, 2)], Source(path="t.jsonl"))


def test_feedback_among_answers_is_faulty() -> None:
    asked: JsonObject = {"question": "Is it open?", "answer": "Yes."}
    found = recognise([_row(asked)], Source(path="t.jsonl"))
    with pytest.raises(DataError, match="feedback"):
        found.parse(_row({**asked, "label": False}, 2))


def test_a_mapped_column_that_is_absent_tells_what_is_missing() -> None:
    with pytest.raises(DataError) as caught:
        Recognised(name="question_answer", columns={"answer": "Reply"}).parse(
            _row({"question": "Is it open?"})
        )
    assert caught.value.rule == "missing_answer"
