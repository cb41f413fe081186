"""Formats are recognised from rows, whatever the case of their columns; mappings rename."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from tunesmith.contracts import Conversation
from tunesmith.data.examples import read_examples, read_file
from tunesmith.recipe import Source

Write = Callable[[str, Iterable[object]], Path]


def test_letter_case_and_spaces_of_columns_are_forgiven_and_said(write_lines: Write) -> None:
    path = write_lines("a.jsonl", [{"Question ": "Open?", "Answer": "Yes."}])
    said: list[str] = []
    found = read_file(path, Source(path=str(path)), said.append)
    assert found.format == "question_answer"
    assert len(list(found.examples)) == 1
    assert "lower case" in said[0]


def test_a_mapping_renames_and_decides_the_format(write_lines: Write) -> None:
    path = write_lines("a.jsonl", [{"text": "Where is it?", "category": "place", "prompt": "no"}])
    columns = {"prompt": "text", "completion": "category"}
    found = read_file(path, Source(path=str(path), columns=columns))
    (example,) = found.examples
    assert found.format == "prompt_completion"
    assert isinstance(example.content, Conversation)
    assert [turn.content for turn in example.content.messages] == ["Where is it?", "place"]


def test_a_format_can_be_forced(write_lines: Write) -> None:
    path = write_lines("a.jsonl", [{"text": "One.", "question": "Open?", "answer": "Yes."}])
    assert read_file(path, Source(path=str(path))).format == "question_answer"
    assert read_file(path, Source(path=str(path), format="text")).format == "text"


def test_columns_beside_a_text_are_named(write_lines: Write) -> None:
    path = write_lines("a.jsonl", [{"text": "Sort a list.", "code": "sorted(x)"}])
    said: list[str] = []
    list(read_examples(Source(path=str(path)), said.append))
    assert "not used: code" in said[0]


def test_optional_columns_may_come_and_go(write_lines: Write) -> None:
    rows = [
        {"instruction": "a", "output": "b"},
        {"instruction": "a", "output": "b", "input": "c", "system": None},
    ]
    path = write_lines("a.jsonl", rows)
    assert len(list(read_examples(Source(path=str(path))))) == 2
