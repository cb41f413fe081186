"""Every file type gives the same rows, at the right lines, in constant memory."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import string
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data.workbooks import formula, write_workbook
from tunesmith.contracts import Json, JsonObject
from tunesmith.data import lines
from tunesmith.data.read import read_rows
from tunesmith.errors import DataError

ROWS: list[JsonObject] = [
    {"question": "Is it open, on Sunday?", "answer": 'Yes: "from 10".\nBring a hat.'},
    {"question": "Wie spät? 🙂", "answer": "Drei."},
]
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), min_size=1, max_size=5)


def write(path: Path, rows: Iterable[JsonObject]) -> Path:
    """Rows in the form that the name asks for."""
    rows = list(rows)
    kind = path.name.lower().removesuffix(".gz").rsplit(".")[-1]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path
    if kind == "xlsx":
        header = list(rows[0])
        return write_workbook(path, {"a": [header, *([str(v) for v in r.values()] for r in rows)]})
    text = io.StringIO()
    if kind == "jsonl":
        text.writelines(json.dumps(row) + "\n" for row in rows)
    elif kind == "json":
        json.dump(rows, text, indent=2)
    else:
        writer = csv.DictWriter(text, list(rows[0]), delimiter="\t" if kind == "tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix.lower() == ".gz" else content)
    return path


def values(path: Path) -> list[JsonObject]:
    return [row.values for row in read_rows(path)]


@pytest.mark.parametrize(
    "name",
    ["a.jsonl", "a.json", "a.csv", "a.tsv", "a.parquet", "a.xlsx"]
    + ["a.jsonl.gz", "a.json.gz", "a.csv.gz", "a.tsv.gz"]
    + ["A.JSONL", "A.CSV.GZ", "A.TSV.GZ"],
)
def test_every_file_type_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    assert values(write(tmp_path / name, ROWS)) == ROWS


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.jsonl", [1, 2]),
        ("a.json", [2, 6]),
        ("a.csv", [2, 4]),
        ("a.parquet", [1, 2]),
        ("a.xlsx", [2, 3]),
    ],
)
def test_a_row_knows_the_line_on_which_it_begins(
    tmp_path: Path, name: str, expected: list[int]
) -> None:
    path = write(tmp_path / name, ROWS)
    places = [row.place for row in read_rows(path)]
    assert [place.line for place in places] == expected
    assert {place.file for place in places} == {path}


@given(rows=OBJECTS)
@settings(max_examples=60, deadline=None)
def test_json_lines_round_trip(tmp_path_factory: pytest.TempPathFactory, rows: object) -> None:
    assert isinstance(rows, list)
    path = tmp_path_factory.mktemp("round") / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert values(path) == rows


@given(rows=OBJECTS, piece=st.integers(1, 40), indent=st.sampled_from([None, 1]))
@settings(max_examples=60, deadline=None)
def test_json_does_not_depend_on_where_the_pieces_end(
    tmp_path_factory: pytest.TempPathFactory, rows: object, piece: int, indent: int | None
) -> None:
    path = tmp_path_factory.mktemp("pieces") / "a.json"
    path.write_text(json.dumps(rows, indent=indent, ensure_ascii=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_PIECE", piece)
        assert values(path) == rows


def test_json_may_hold_its_rows_under_a_key(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"version": 1, "data": ROWS, "tags": ["x"]}))
    said: list[str] = []
    assert [row.values for row in read_rows(path, said.append)] == ROWS
    assert "under data" in said[0]


def test_json_may_be_a_single_row(tmp_path: Path) -> None:
    row: JsonObject = {"messages": [{"role": "user", "content": "Hi"}], "n": 1}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(row, indent=1))
    assert values(path) == [row]


def test_json_may_be_an_empty_object(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(" { } ")
    assert values(path) == [{}]


def test_json_lines_may_be_called_json(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", ROWS).rename(tmp_path / "a.json")
    assert values(path) == ROWS
    assert [row.place.line for row in read_rows(path)] == [1, 2]


def test_a_byte_order_mark_blank_lines_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\r\n  \n{"a": 2}')
    assert values(path) == [{"a": 1}, {"a": 2}]
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfq,a\r\n1,2\r\n\r\n")
    assert values(tmp_path / "a.csv") == [{"q": "1", "a": "2"}]


@pytest.mark.parametrize(("delimiter", "name"), [(";", "semicolon"), ("\t", "tab")])
def test_another_delimiter_is_recognised_and_said(
    tmp_path: Path, delimiter: str, name: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'"question, in full"{delimiter}answer\nOpen?{delimiter}Yes, "always"\n')
    said: list[str] = []
    (row,) = read_rows(path, said.append)
    assert row.values == {"question, in full": "Open?", "answer": 'Yes, "always"'}
    assert name in said[0]


def test_text_is_one_document_or_divided_by_lines(tmp_path: Path) -> None:
    whole = tmp_path / "a.txt"
    whole.write_text("\nOne\n\ntwo\n")
    assert [(row.values, row.place.line) for row in read_rows(whole)] == [
        ({"text": "One\n\ntwo"}, 2)
    ]
    divided = tmp_path / "b.md"
    divided.write_text("One\n---\n\n---\n\ntwo\n")
    assert [(row.values, row.place.line) for row in read_rows(divided)] == [
        ({"text": "One"}, 1),
        ({"text": "two"}, 6),
    ]


def test_long_text_is_cut_after_paragraphs_and_nothing_is_lost(tmp_path: Path) -> None:
    paragraphs = [f"Paragraph {n}. " + "word " * (20 * n) + "\n" for n in range(1, 25)]
    path = tmp_path / "a.txt"
    path.write_text("\n".join(paragraphs) + "x" * 9_000 + "\n")
    said: list[str] = []
    found = [(row.values["text"], row.place.line) for row in read_rows(path, said.append)]
    text = path.read_text().splitlines()
    for piece, line in found:
        assert isinstance(piece, str)
        assert text[line - 1] == piece.splitlines()[0]
        assert piece.startswith(("Paragraph", "x"))
        assert len(piece) <= 2_000 or len(piece.splitlines()) == 1
    assert [word for piece, _ in found for word in str(piece).split()] == path.read_text().split()
    assert "cut into rows" in said[0]


def test_a_folder_is_its_files_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder / "b.jsonl", [{"n": 2}])
    write(folder / "a.csv", [{"n": "1"}])
    (folder / "README.md").write_text("Not data.")
    (folder / ".hidden.jsonl").write_text("{}")
    said: list[str] = []
    assert [row.values for row in read_rows(folder, said.append)] == [{"n": "1"}, {"n": 2}]
    assert "README.md" in said[0]


def test_what_ships_with_us_is_named_by_its_prefix() -> None:
    assert next(read_rows("bundled:support/train.jsonl")).place.line == 1


def test_workbook_cells_become_text(tmp_path: Path) -> None:
    rows = [["n", "x", "sum"], [3.0, 2.5, formula("A2+B2", "5.5")], [None], ["", None, None]]
    path = write_workbook(tmp_path / "a.xlsx", {"empty": [], "full": rows, "more": [["z"]]})
    said: list[str] = []
    (row,) = read_rows(path, said.append)
    assert row.values == {"n": "3", "x": "2.5", "sum": "5.5"}
    assert "sheet full is read" in said[0]
    assert "more" in said[0]


def test_parquet_columns_that_are_no_json_are_left_out_and_said(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": pa.array(["one", None]),
            "image": pa.array([b"\x00", b"\x01"]),
            "score": pa.array([float("nan"), 0.5]),
            "label": pa.array(["x", "y"]).dictionary_encode(),
            "turns": pa.array([[{"role": "user"}], []]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    said: list[str] = []
    assert [row.values for row in read_rows(tmp_path / "a.parquet", said.append)] == [
        {"text": "one", "score": None, "label": "x", "turns": [{"role": "user"}]},
        {"text": None, "score": 0.5, "label": "y", "turns": []},
    ]
    assert "image" in said[0]


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_infinite_numbers_of_parquet_are_refused_with_their_row(
    tmp_path: Path, value: float
) -> None:
    turns = [[{"role": "assistant", "weight": 1.0}], [{"role": "assistant", "weight": value}]]
    pq.write_table(pa.table({"messages": turns}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=f"the number {value} is infinite") as caught:
        list(read_rows(tmp_path / "a.parquet"))
    assert str(caught.value.place) == f"{tmp_path / 'a.parquet'}:2"


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.jsonl.gz"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, name: str) -> None:
    """Ten times the rows may not need noticeably more memory."""
    draw = random.Random(0)
    texts = ["".join(draw.choices(string.ascii_letters, k=5000)) for _ in range(100)]

    def peak(rows: int) -> int:
        path = write(tmp_path / f"{rows}-{name}", ({"text": texts[i % 100]} for i in range(rows)))
        tracemalloc.start()
        count = sum(1 for _ in read_rows(path))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert count == rows
        return most

    small, large = peak(400), peak(1_600)  # 2 and 8 MB
    assert large < small + 1_500_000


def test_an_unknown_ending_names_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonn"
    path.write_text("{}")
    with pytest.raises(DataError) as caught:
        list(read_rows(path))
    assert "did you mean .json" in caught.value.hint
