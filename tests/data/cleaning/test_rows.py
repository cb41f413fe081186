"""A row put right: the columns of its format, inside turns and JSON in text, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith.contracts import JsonObject, RawRow
from tunesmith.data.cleaning.rows import MendedRow, RowMender
from tunesmith.data.personal import Redactor
from tunesmith.data.recognise import Recognised, recognise
from tunesmith.errors import Place
from tunesmith.recipe import Source

BAD, GOOD = "donâ€™t\u200b", "don’t"


PLACE = Place(file=Path("rows.jsonl"), line=1)


def recognised_of(rows: list[JsonObject], columns: dict[str, str]) -> Recognised:
    source = Source(path="rows.jsonl", columns=columns)
    return recognise([RawRow(values=row, place=PLACE) for row in rows], source)


def mend(
    row: JsonObject, *, redact: bool = False, columns: dict[str, str] | None = None
) -> MendedRow:
    recognised = recognised_of([row], columns or {})
    return RowMender(Redactor() if redact else None).mend(recognised, row)


def test_only_columns_of_the_format_are_touched() -> None:
    row: JsonObject = {"id": f" {BAD}", "question": f" {BAD}?", "answer": BAD, "tags": [BAD]}
    done = mend(row)
    assert done.values == {**row, "question": f"{GOOD}?", "answer": GOOD}
    assert list(done.values) == list(row)
    assert [change.where for change in done.changes] == ["question", "answer"]


def test_columns_by_the_names_of_the_file() -> None:
    row: JsonObject = {"Subject": BAD, "Reply": BAD, "question": BAD}
    done = mend(row, columns={"question": "Subject", "answer": "Reply"})
    assert done.values == {"Subject": GOOD, "Reply": GOOD, "question": BAD}


def test_turns_and_parts() -> None:
    row: JsonObject = {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": f"{BAD}?"}]},
            {"role": "assistant", "content": f"{BAD} ", "weight": 1, "reasoning_content": BAD},
        ]
    }
    done = mend(row)
    assert done.values == {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": f"{GOOD}?"}]},
            {"role": "assistant", "content": GOOD, "weight": 1, "reasoning_content": GOOD},
        ]
    }
    assert done.changes[0].where == "messages[0].content[0].text"


def test_the_author_of_segments_writes_every_space() -> None:
    answer: JsonObject = {"text": f" {BAD} ", "label": True}
    done = mend({"segments": [{"text": "Q: ", "label": False}, answer]})
    assert done.values["segments"] == [
        {"text": "Q: ", "label": False},
        {"text": f" {GOOD} ", "label": True},
    ]


def test_a_history() -> None:
    row: JsonObject = {"instruction": "a", "output": "b", "history": [[" c", BAD]]}
    assert mend(row).values["history"] == [["c", GOOD]]


def calls(arguments: object) -> JsonObject:
    call = {"id": "c1", "type": "function", "function": {"name": "write", "arguments": arguments}}
    return {
        "messages": [
            {"role": "user", "content": "Write."},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "content": "done", "tool_call_id": "c1"},
            {"role": "assistant", "content": "Done."},
        ]
    }


def test_arguments_stay_json() -> None:
    text = '{ "body":  "say &quot;hi&quot; to ada@mail.org", "spaces": " x "}'
    done = mend(calls(text), redact=True)
    inner = json.loads(done.values["messages"][1]["tool_calls"][0]["function"]["arguments"])  # type: ignore[index, call-overload]
    assert inner == {"body": 'say "hi" to [EMAIL_1]', "spaces": " x "}
    same = '{ "body":  "hello"}'
    assert mend(calls(same), redact=True).values == calls(same)


def test_arguments_may_have_any_keys() -> None:
    row = calls({"from": {"value": BAD}, "role": [BAD], "weight": {"type": BAD}})
    assert mend(row).values == calls(
        {"from": {"value": GOOD}, "role": [GOOD], "weight": {"type": GOOD}}
    )


def test_numbers_in_arguments_are_replaced_too() -> None:
    done = mend(calls({"card": 4111111111111111, "n": 3}), redact=True)
    assert done.values == calls({"card": "[CARD_1]", "n": 3})
    assert done.changes[0].why == ("card",)
    assert mend(calls({"card": 4111111111111111})).changes == ()


def test_the_words_of_a_caller_stay_json() -> None:
    value = '{"name": "write", "arguments": {"body": "a &quot;b&quot;"}}'
    row: JsonObject = {
        "conversations": [
            {"from": "human", "value": "Write."},
            {"from": "function_call", "value": value},
            {"from": "observation", "value": "done"},
            {"from": "gpt", "value": "Done."},
        ]
    }
    turns = mend(row).values["conversations"]
    assert json.loads(turns[1]["value"])["arguments"] == {"body": 'a "b"'}  # type: ignore[index, call-overload, arg-type]


@pytest.mark.parametrize("text", ['{"a": "x &quot;y&quot;"}', '["&quot;"]'])
def test_an_answer_in_json_stays_json(text: str) -> None:
    done = mend({"question": "As JSON?", "answer": text})
    json.loads(str(done.values["answer"]))
    assert "&quot;" not in str(done.values["answer"])


def test_keys_of_json_in_a_text() -> None:
    done = mend({"question": "As JSON?", "answer": '{"a&quo\u200bt;b": "c"}'})
    assert done.values["answer"] == '{"a\\"b": "c"}'


def test_a_column_of_turns_as_text() -> None:
    turns = [{"role": "user", "content": f" {BAD}"}, {"role": "assistant", "content": "Yes."}]
    done = mend({"messages": json.dumps(turns)})
    assert json.loads(str(done.values["messages"]))[0]["content"] == GOOD
    turns[0]["content"] = GOOD
    clean = json.dumps(turns, indent=1)
    assert mend({"messages": clean}).values == {"messages": clean}


def test_what_means_something_to_us_is_not_replaced() -> None:
    row = calls({})
    row["messages"][1]["tool_calls"][0]["id"] = "+44 20 7946 0958"  # type: ignore[index, call-overload]
    row["messages"][2]["tool_call_id"] = "+44 20 7946 0958"  # type: ignore[index, call-overload]
    assert mend(row, redact=True).values == row


def test_a_row_that_cannot_be_used_is_mended_all_over() -> None:
    mender = RowMender()
    rows: list[JsonObject] = [
        {"question": BAD, "answer": None, "context": BAD},
        {"question": BAD, "answer": BAD, "context": BAD},
    ]
    faulty, sound = (mender.mend(recognised_of(rows, {}), row) for row in rows)
    assert faulty.values == {"question": GOOD, "answer": None, "context": GOOD}
    assert sound.values == {"question": GOOD, "answer": GOOD, "context": GOOD}
