"""The Croissant description: what a reader of version 1.0 needs, and nothing that is not known."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tunesmith.contracts import JsonObject
from tunesmith.data.croissant import (
    CONFORMS_TO,
    DataSet,
    croissant,
    describe_file,
    fields_of,
    licence_page,
)


def described(path: Path, rows: list[JsonObject], **facts: Any) -> dict[str, Any]:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = DataSet(
        name="tickets",
        description="Questions to a shop.",
        files=(describe_file(path),),
        fields=fields_of(rows),
        **facts,
    )
    body: dict[str, Any] = json.loads(json.dumps(croissant(data), allow_nan=False))
    return body


def fields(body: dict[str, Any]) -> dict[str, Any]:
    return {field["name"]: field for field in body["recordSet"][0]["field"]}


def test_a_flat_file(tmp_path: Path) -> None:
    file = tmp_path / "tickets.jsonl"
    rows: list[JsonObject] = [
        {"question": "Is it open?", "stars": 4, "score": 1, "kept": True, "tags": ["a"]},
        {"question": None, "stars": 5, "score": 0.5, "kept": False, "tags": []},
    ]
    body = described(file, rows, licence="CC-BY-4.0", author="Ada", version="1.0.0")
    assert body["@type"] == "sc:Dataset"
    assert body["conformsTo"] == CONFORMS_TO
    assert body["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert body["creator"]["name"] == "Ada"
    (distributed,) = body["distribution"]
    assert distributed["sha256"] == sha256(file.read_bytes()).hexdigest()
    assert distributed["contentSize"] == f"{file.stat().st_size} B"
    assert distributed["encodingFormat"] == "application/jsonlines"
    found = fields(body)
    types = {name.removeprefix("rows/"): field["dataType"] for name, field in found.items()}
    assert types == {
        "question": "sc:Text",
        "stars": "sc:Integer",
        "score": "sc:Float",
        "kept": "sc:Boolean",
        "tags": "sc:Text",
    }
    assert found["rows/tags"]["repeated"] is True
    assert "repeated" not in found["rows/question"]
    source = found["rows/question"]["source"]
    assert source == {"fileObject": {"@id": "tickets.jsonl"}, "extract": {"column": "question"}}


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    body = described(tmp_path / "a.csv", [{"a": "b"}])
    assert not {"license", "creator", "citeAs", "version", "url", "isBasedOn"} & set(body)
    assert body["distribution"][0]["encodingFormat"] == "text/csv"


def test_turns_are_fields_within_a_field(tmp_path: Path) -> None:
    turn = {"role": "user", "content": "Hi", "tool calls": [{"name": "f"}], "a b": "c"}
    body = described(tmp_path / "a.jsonl", [{"messages": [turn]}])
    (field,) = body["recordSet"][0]["field"]
    assert field["repeated"] is True
    assert "dataType" not in field
    parts = {part["name"]: part for part in field["subField"]}
    assert set(parts) == {f"rows/messages/{key}" for key in ("role", "content", "a b")}
    assert parts["rows/messages/role"]["source"]["transform"] == {"jsonPath": "role"}
    assert parts["rows/messages/a b"]["source"]["transform"] == {"jsonPath": "'a b'"}
    assert "messages.tool calls" in body["recordSet"][0]["description"]


def test_a_column_without_one_type_is_named_and_not_described(tmp_path: Path) -> None:
    body = described(tmp_path / "a.jsonl", [{"x": [[1]], "y": {"k": 1}}, {"x": 1, "y": "text"}])
    assert body["recordSet"][0]["field"] == []
    assert body["recordSet"][0]["description"].endswith("x, y")


def test_several_files_have_a_record_set_each(tmp_path: Path) -> None:
    files = []
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text('{"a": 1}\n')
        files.append(describe_file(tmp_path / name))
    data = DataSet(name="x", description="y", files=tuple(files), fields=fields_of([{"a": 1}]))
    body: dict[str, Any] = json.loads(json.dumps(croissant(data)))
    assert [one["@id"] for one in body["recordSet"]] == ["rows-1", "rows-2"]
    sources = [one["field"][0]["source"]["fileObject"]["@id"] for one in body["recordSet"]]
    assert sources == ["a.jsonl", "b.jsonl"]


@pytest.mark.parametrize(
    ("licence", "page"),
    [
        ("", ""),
        ("MIT", "https://spdx.org/licenses/MIT.html"),
        ("MIT AND CC-BY-4.0", "MIT AND CC-BY-4.0"),
        ("LicenseRef-own", "LicenseRef-own"),
        ("https://example.org/terms", "https://example.org/terms"),
    ],
)
def test_a_licence_is_named_by_its_page(licence: str, page: str) -> None:
    assert licence_page(licence) == page
