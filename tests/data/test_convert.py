"""Converting: what is written reads back as what was read; what a target cannot hold is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path

import pytest

from tunesmith import plugins
from tunesmith.contracts import JsonObject
from tunesmith.data.content import digest_of
from tunesmith.data.convert import OPENAI, Conversion, Target, convert, targets
from tunesmith.data.examples import read_examples, read_file
from tunesmith.data.origin import origin_of
from tunesmith.data.read import read_rows
from tunesmith.errors import DataError, RecipeError
from tunesmith.recipe import Source

Write = Callable[[str, Iterable[object]], Path]
SHARED = Path(__file__).parents[3] / "shared" / "data"

EXCHANGE = {"instruction": "Is it “open”?\nToday?", "input": "", "output": "Yes,\tfrom 10."}
SYSTEM = {"question": "Is it open?", "answer": "Yes.", "system": "Be brief."}
SEVERAL = {
    "instruction": "And on Monday?",
    "output": "No.",
    "system": "Be brief.",
    "history": [["Is it open on Sunday?", "Yes, from 10."], ["Until when?", "17."]],
}
WEIGHED = {
    "messages": [
        {"role": "user", "content": "Is it open?"},
        {"role": "assistant", "content": "Who knows.", "weight": 0},
        {"role": "user", "content": "Look it up."},
        {"role": "assistant", "content": "Yes, from 10."},
    ]
}
WEATHER = {"name": "weather", "parameters": {"type": "object"}}
CALL = {"name": "weather", "arguments": {"town": "Ghent", "days": 2}}
CALLS = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How warm are Ghent and Bruges?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "a", "type": "function", "function": CALL},
                {"id": "b", "type": "function", "function": CALL},
            ],
        },
        {"role": "tool", "content": "18", "tool_call_id": "a"},
        {"role": "tool", "content": "17", "tool_call_id": "b"},
        {"role": "assistant", "content": "18 and 17 degrees."},
    ],
    "tools": [{"type": "function", "function": WEATHER}],
}
REASONED = {
    "messages": [
        {"role": "user", "content": "2+2?"},
        {"role": "assistant", "content": "4", "reasoning_content": "Two and two."},
    ]
}
PAIR = {
    "prompt": [{"role": "user", "content": "Is it open?"}],
    "chosen": [{"role": "assistant", "content": "Yes, from 10."}],
    "rejected": [{"role": "assistant", "content": "Look it up."}],
}
SEGMENTS = {"segments": [{"text": "2+2=", "label": False}, {"text": "4</s>", "label": True}]}
TEXT = {"text": "The mill stood by the river."}

TURNS = {"messages", "openai", "sharegpt", "prompt_completion"}
HELD = [
    ("one exchange", EXCHANGE, TURNS | {"alpaca", "question_answer"}),
    ("a system prompt", SYSTEM, TURNS | {"alpaca", "question_answer"}),
    ("several exchanges", SEVERAL, TURNS | {"alpaca"}),
    ("an answer that is not trained", WEIGHED, TURNS),
    ("tools", CALLS, TURNS),
    ("reasoning", REASONED, {"messages", "sharegpt", "prompt_completion"}),
    ("a pair", PAIR, {"openai", "preferred_output", "chosen_rejected"}),
    ("segments", SEGMENTS, {"input_output"}),
    ("a text", TEXT, {"text"}),
]
CASES = [
    pytest.param(row, target, target in held, id=f"{name} to {target}")
    for name, row, held in HELD
    for target in targets()
]


def converted(path: Path, out: Path, to: str) -> Conversion:
    return convert(Source(path=str(path)), Target(file=out, format=to))


def digests(path: Path) -> list[str]:
    return [example.digest for example in read_examples(Source(path=str(path)))]


def rows_in(path: Path) -> list[JsonObject]:
    return [row.values for row in read_rows(path)]


@pytest.mark.parametrize(("row", "target", "is_held"), CASES)
def test_every_format_into_every_other(
    row: JsonObject, target: str, is_held: bool, write_lines: Write, tmp_path: Path
) -> None:
    path, out = write_lines("in.jsonl", [row]), tmp_path / "out.jsonl"
    if not is_held:
        with pytest.raises(DataError) as refused:
            converted(path, out, target)
        assert str(refused.value.place) == f"{path}:1"
        assert refused.value.hint.startswith("convert to ")
        assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["in.jsonl"]
        return
    converted(path, out, target)
    assert digests(out) == digests(path)
    read_as = read_file(out, Source(path=str(out))).format
    assert read_as == target or (target == OPENAI and read_as in ("messages", "preferred_output"))


def test_every_case_is_read_by_a_format_of_its_own(write_lines: Write) -> None:
    """The cases cover the formats: each composes at least one, and none is left out."""
    held = set().union(*(targets for _, _, targets in HELD))
    assert held == {*plugins.names("formats"), OPENAI}


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".json", ".csv", ".tsv", ".parquet"])
@pytest.mark.parametrize("target", ["messages", "sharegpt", OPENAI, "alpaca"])
def test_every_kind_of_file_reads_back(
    ending: str, target: str, write_lines: Write, tmp_path: Path
) -> None:
    simple = [EXCHANGE, {**EXCHANGE, "system": 'Say "é,\r\n;".'}, {**SEVERAL, "input": "Easter?"}]
    path = write_lines("in.jsonl", simple if target == "alpaca" else [*simple])
    out = tmp_path / f"out{ending}"
    assert converted(path, out, target).rows == 3
    assert digests(out) == digests(path)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_calls_survive_a_table(ending: str, write_lines: Write, tmp_path: Path) -> None:
    path, out = write_lines("in.jsonl", [CALLS, WEIGHED]), tmp_path / f"out{ending}"
    converted(path, out, "messages")
    assert digests(out) == digests(path)


def test_parquet_keeps_turns_that_are_alike_as_lists(write_lines: Write, tmp_path: Path) -> None:
    path, out = write_lines("in.jsonl", [EXCHANGE, EXCHANGE]), tmp_path / "out.parquet"
    converted(path, out, "messages")
    assert isinstance(rows_in(out)[0]["messages"], list)


def test_a_prompt_of_turns_does_not_fit_a_cell(write_lines: Write, tmp_path: Path) -> None:
    path = write_lines("in.jsonl", [SEVERAL])
    with pytest.raises(DataError, match="prompt_completion in a .csv file cannot hold the row"):
        converted(path, tmp_path / "out.csv", "prompt_completion")
    assert not (tmp_path / "out.csv").exists()


def test_openai_gets_texts_ids_and_whole_weights(write_lines: Write, tmp_path: Path) -> None:
    speech = [
        {"from": "human", "value": "How warm is Ghent?"},
        {"from": "function_call", "value": json.dumps([CALL, CALL])},
        {"from": "observation", "value": "18"},
        {"from": "observation", "value": "19"},
        {"from": "gpt", "value": "18, or 19.", "weight": 0},
        {"from": "human", "value": "Sure?"},
        {"from": "gpt", "value": "19."},
    ]
    path = write_lines("in.jsonl", [{"conversations": speech, "tools": json.dumps([WEATHER])}])
    out, said = tmp_path / "out.jsonl", list[str]()
    convert(Source(path=str(path)), Target(file=out, format=OPENAI), notice=said.append)
    (row,) = rows_in(out)
    assert row["tools"] == [{"type": "function", "function": WEATHER}]
    turns = row["messages"]
    assert isinstance(turns, list)
    calls = turns[1]["tool_calls"]  # type: ignore[index, call-overload]
    assert [call["id"] for call in calls] == ["call_1", "call_2"]  # type: ignore[index, union-attr, call-overload]
    assert calls[0]["function"] == {"name": "weather", "arguments": '{"town": "Ghent", "days": 2}'}  # type: ignore[index, call-overload]
    assert [turns[2]["tool_call_id"], turns[3]["tool_call_id"]] == ["call_1", "call_2"]  # type: ignore[index, call-overload]
    assert json.dumps(turns[4]).endswith('"weight": 0}')
    assert said == ["calls of tools were given ids in 1 rows; OpenAI asks for them"]
    again = tmp_path / "again.jsonl"
    converted(out, again, OPENAI)
    assert again.read_bytes() == out.read_bytes()


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        ({"weight": 0.5}, "a turn has weight 0.5; OpenAI's rows know only 0 and 1"),
        ({"reasoning_content": "Hm."}, "OpenAI's rows cannot hold reasoning"),
    ],
)
def test_what_openai_has_no_place_for(
    turn: JsonObject, message: str, write_lines: Write, tmp_path: Path
) -> None:
    answer = {"role": "assistant", "content": "4", **turn}
    path = write_lines("in.jsonl", [{"messages": [{"role": "user", "content": "2+2?"}, answer]}])
    with pytest.raises(DataError, match=message):
        converted(path, tmp_path / "out.jsonl", OPENAI)


def test_all_faults_are_named_and_nothing_is_written(write_lines: Write, tmp_path: Path) -> None:
    path = write_lines("in.jsonl", [SEVERAL, EXCHANGE, SEVERAL, {"instruction": "a", "output": ""}])
    with pytest.raises(DataError, match="2 more rows") as refused:
        converted(path, tmp_path / "out.jsonl", "question_answer")
    assert f"{path}:3: " in str(refused.value)
    assert f"{path}:4: output is empty" in str(refused.value)
    assert sorted(tmp_path.glob("*.jsonl")) == [path]


def test_what_is_wrong_with_all_rows_is_said_once(write_lines: Write, tmp_path: Path) -> None:
    path = write_lines("in.jsonl", [EXCHANGE] * 30)
    with pytest.raises(DataError) as refused:
        converted(path, tmp_path / "out.jsonl", "text")
    assert refused.value.what == (
        "the row is a conversation, which text cannot hold; "
        "the same holds for at least 19 more rows, on lines 2, 3, 4, 5, 6, ..."
    )


def test_columns_that_are_left_out_are_named(write_lines: Write, tmp_path: Path) -> None:
    path = write_lines("in.jsonl", [{**SYSTEM, "id": 7, "source": "shop", "context": ""}])
    said: list[str] = []
    target = Target(file=tmp_path / "out.jsonl", format="messages")
    convert(Source(path=str(path)), target, notice=said.append)
    assert said == ["in.jsonl: left out, as question_answer has no such columns: id, source"]


def test_names_of_columns_are_given(write_lines: Write, tmp_path: Path) -> None:
    path = write_lines("in.jsonl", [{"Subject": "Open?", "Reply": "Yes."}])
    source = Source(path=str(path), columns={"question": "Subject", "answer": "Reply"})
    convert(source, Target(file=tmp_path / "out.jsonl", format="alpaca"))
    assert rows_in(tmp_path / "out.jsonl") == [
        {"instruction": "Open?", "input": "", "output": "Yes."}
    ]


def test_an_unknown_format_or_ending_is_refused(write_lines: Write, tmp_path: Path) -> None:
    path = write_lines("in.jsonl", [EXCHANGE])
    with pytest.raises(RecipeError, match="no format called shargpt") as refused:
        converted(path, tmp_path / "out.jsonl", "shargpt")
    assert "did you mean sharegpt?" in refused.value.hint
    with pytest.raises(DataError, match="files ending in .xlsx are not written"):
        converted(path, tmp_path / "out.xlsx", "alpaca")


def test_the_licence_goes_along(write_lines: Write, tmp_path: Path) -> None:
    path, out = write_lines("in.jsonl", [EXCHANGE]), tmp_path / "out" / "out.jsonl"
    out.parent.mkdir()
    (tmp_path / "in.jsonl.provenance.json").write_text('{"licence": "MIT", "consent": "given"}')
    converted(path, out, "messages")
    told = origin_of(Source(path=str(out)), [out])
    assert (told.licence.expression, told.facts["consent"]) == ("MIT", "given")
    assert told.made["to"] == "messages"
    assert told.made["from"] == [
        {
            "file": "in.jsonl",
            "sha256": sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
    ]
    assert sorted(entry.name for entry in out.parent.iterdir()) == [
        "out.jsonl",
        "out.jsonl.provenance.json",
    ]


REAL = [
    ("sgd_dialogues/chat_dev.jsonl", ("openai", "sharegpt", "alpaca", "prompt_completion")),
    ("llamafactory_demos/glaive_toolcall_en_demo.json", ("messages", "sharegpt")),
    ("llamafactory_demos/reason_tool_use_demo_50.jsonl", ("messages", "prompt_completion")),
    ("llamafactory_demos/alpaca_en_demo.json", ("openai", "sharegpt", "question_answer")),
]


@pytest.mark.parametrize(("name", "formats"), REAL)
def test_real_rows_survive_the_way_there_and_back(
    name: str, formats: tuple[str, ...], write_lines: Write, tmp_path: Path
) -> None:
    if not (SHARED / name).exists():
        pytest.skip(f"the shared data set {name} is not here")
    rows = [row.values for row, _ in zip(read_rows(SHARED / name), range(50), strict=False)]
    path = write_lines("in.jsonl", rows)
    for target in formats:
        out = tmp_path / f"{target}.jsonl"
        converted(path, out, target)
        assert digests(out) == digests(path), target


def test_the_digest_is_of_the_content() -> None:
    """What the tests above compare tells two rows apart that differ in one turn."""
    one, other = (plugins.load("formats", "messages").parse(row) for row in (WEIGHED, REASONED))
    assert digest_of(one) != digest_of(other)
