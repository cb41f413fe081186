"""Digests and groups say what is the same; examples survive being written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tunesmith.contracts import Example, JsonObject
from tunesmith.data.examples import load_examples, read_examples, write_examples
from tunesmith.errors import DataError
from tunesmith.recipe import Source

Write = Callable[[str, Iterable[object]], Path]


def chat(*texts: str, system: str = "") -> JsonObject:
    roles = ["user", "assistant"] * len(texts)
    turns: list[JsonObject] = [
        {"role": role, "content": text} for role, text in zip(roles, texts, strict=False)
    ]
    first: list[JsonObject] = [{"role": "system", "content": system}] if system else []
    return {"messages": [*first, *turns]}


@pytest.fixture
def read(write_lines: Write) -> Callable[..., list[Example]]:
    def read_rows(*rows: JsonObject) -> list[Example]:
        return list(read_examples(Source(path=str(write_lines("rows.jsonl", rows)))))

    return read_rows


def test_equal_contents_have_equal_digests_whatever_their_format(write_lines: Write) -> None:
    rows: list[JsonObject] = [
        {"question": "Open?", "answer": "Yes."},
        {"instruction": "Open?", "output": "Yes.", "input": ""},
        {"conversations": [{"from": "human", "value": "Open?"}, {"from": "gpt", "value": "Yes."}]},
        chat("Open?", "Yes.", "And then a question without an answer"),
    ]
    digests: set[str] = set()
    for number, row in enumerate(rows):
        path = write_lines(f"{number}.jsonl", [row])
        digests |= {example.digest for example in read_examples(Source(path=str(path)))}
    assert len(digests) == 1
    assert len(digests.pop()) == 64


def test_another_weight_is_another_content(read: Callable[..., list[Example]]) -> None:
    heavier = chat("a", "b", "c", "d")
    messages = heavier["messages"]
    assert isinstance(messages, list)
    assert isinstance(messages[1], dict)
    messages[1] = {**messages[1], "weight": 0}
    one, other = read(chat("a", "b", "c", "d"), heavier)
    assert one.digest != other.digest


def test_a_group_is_the_system_prompt_and_the_first_exchange(
    read: Callable[..., list[Example]],
) -> None:
    one, folded, longer, other_answer, other_system = read(
        chat("Open?", "Yes.", system="Be brief."),
        chat(" OPEN? ", "Yes.\n", system="Be  brief."),
        chat("Open?", "Yes.", "When?", "At 10.", system="Be brief."),
        chat("Open?", "No.", system="Be brief."),
        chat("Open?", "Yes.", system="Be long."),
    )
    assert one.group == folded.group == longer.group
    assert len({one.group, other_answer.group, other_system.group, ""}) == 4


def test_plain_text_has_no_group(read: Callable[..., list[Example]]) -> None:
    (example,) = read({"text": "One."})
    assert example.group == ""


def test_examples_survive_being_written(
    read: Callable[..., list[Example]], write_lines: Write, tmp_path: Path
) -> None:
    examples = [
        *read(chat("Wie spät? 🙂", "Drei.", system="s")),
        *read({"text": "One."}),
        *read({"segments": [{"text": "a", "label": False}, {"text": "b", "label": True}]}),
    ]
    path = tmp_path / "kept.jsonl"
    assert write_examples(path, examples) == 3
    again = list(load_examples(path))
    assert [(one.content, one.digest, one.group) for one in again] == [
        (one.content, one.digest, one.group) for one in examples
    ]
    assert [str(one.place) for one in again] == [str(one.place) for one in examples]


def test_examples_that_fail_leave_no_file(tmp_path: Path) -> None:
    def failing() -> Iterable[Example]:
        raise DataError("broken")
        yield

    with pytest.raises(DataError):
        write_examples(tmp_path / "kept.jsonl", failing())
    assert not (tmp_path / "kept.jsonl").exists()


@pytest.mark.parametrize(
    "line",
    ['{"content": 3, "line": 1}', '{"file": "a"}', '{"content": {}, "line": 1, "file": "a"}'],
)
def test_damaged_examples_are_noticed(tmp_path: Path, line: str) -> None:
    path = tmp_path / "kept.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(DataError) as caught:
        list(load_examples(path))
    assert caught.value.place is not None
    assert caught.value.place.line == 1
