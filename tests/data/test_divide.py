"""Splitting: the two files are the two sides of a run, row for row, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path

import pytest

from tests.data.shops import data_of, prepare, qa
from tunesmith.contracts import JsonObject
from tunesmith.data.divide import Division, amount, divide
from tunesmith.data.examples import load_examples, read_examples
from tunesmith.data.origin import origin_of
from tunesmith.errors import DataError, RecipeError
from tunesmith.recipe import Source

Write = Callable[[str, Iterable[object]], Path]


def lines(path: Path) -> list[JsonObject]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def sides(folder: Path) -> tuple[list[JsonObject], list[JsonObject]]:
    return lines(folder / "train.jsonl"), lines(folder / "heldout.jsonl")


def divided(path: Path, folder: Path, held_out: float | int = 0.2, seed: int = 3) -> Division:
    return divide(data_of(path, held_out=held_out), folder, seed=seed)


def test_it_is_the_split_of_a_run(rows: Path, base: Path, tmp_path: Path) -> None:
    divided(rows, tmp_path / "parts")
    run = tmp_path / "run"
    prepare(data_of(rows, held_out=0.2), base=base, run_folder=run, seed=3, max_length=128)
    of_run = {example.digest for example in load_examples(run / "data" / "heldout.examples.jsonl")}
    written = read_examples(Source(path=str(tmp_path / "parts" / "heldout.jsonl")))
    assert {example.digest for example in written} == of_run
    assert len(of_run) == 20
    divided(rows, tmp_path / "other", seed=4)
    assert lines(tmp_path / "other" / "heldout.jsonl") != lines(
        tmp_path / "parts" / "heldout.jsonl"
    )


def test_rows_keep_their_order_and_all_their_columns(write_lines: Write, tmp_path: Path) -> None:
    rows = [{**row, "id": n, "tags": [n, None, 0.5]} for n, row in enumerate(qa(50))]
    path = write_lines("rows.jsonl", rows)
    done = divided(path, tmp_path / "parts", held_out=7)
    train, held_out = sides(tmp_path / "parts")
    assert (done.train, done.held_out) == (len(train), len(held_out)) == (43, 7)
    assert sorted([*train, *held_out], key=lambda row: int(str(row["id"]))) == rows
    for side in (train, held_out):
        assert side == sorted(side, key=lambda row: int(str(row["id"])))


def test_copies_stay_together_and_are_counted(write_lines: Write, tmp_path: Path) -> None:
    path = write_lines("rows.jsonl", [*qa(30), *qa(10), *qa(10)])
    done = divided(path, tmp_path / "parts")
    train, held_out = sides(tmp_path / "parts")
    assert not [row for row in held_out if row in train]
    assert done.together >= 30
    assert done.units >= 1


def test_a_folder_of_several_kinds(write_lines: Write, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write_lines("data/a.jsonl", qa(20))
    (tmp_path / "data" / "b.csv").write_text("q,a\nWho?,Me.\nWhen?,Now.\n")
    divided(tmp_path / "data", tmp_path / "parts", held_out=2)
    both = [
        *lines(tmp_path / "parts" / "train.jsonl"),
        *lines(tmp_path / "parts" / "heldout.jsonl"),
    ]
    assert len(both) == 22
    assert {"q": "Who?", "a": "Me."} in both


def test_rows_that_cannot_be_used_are_named(write_lines: Write, tmp_path: Path) -> None:
    bad = {"question": "Open?", "answer": " "}
    path = write_lines("rows.jsonl", [*qa(5), bad, *qa(5, 5), bad])
    with pytest.raises(DataError, match="answer is empty.*; 1 more rows") as refused:
        divided(path, tmp_path / "parts")
    assert str(refused.value.place) == f"{path}:6"
    assert f"{path}:12" in str(refused.value)
    assert not (tmp_path / "parts").exists()


def test_a_file_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"question": "Open?", "answer": "Yes."}\n{"question": "Op')
    with pytest.raises(DataError, match="not JSON"):
        divided(path, tmp_path / "parts")
    assert sorted(entry.name for entry in tmp_path.glob("*")) == ["rows.jsonl"]


def test_nothing_is_overwritten_unless_told(rows: Path, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "heldout.jsonl").write_text("mine")
    (folder / "other.txt").write_text("mine too")
    with pytest.raises(DataError, match="exists already") as refused:
        divided(rows, folder)
    assert "--force" in refused.value.hint
    assert not (folder / "train.jsonl").exists()
    divide(data_of(rows, held_out=0.2), folder, seed=0, force=True)
    assert len(lines(folder / "heldout.jsonl")) == 20
    assert (folder / "other.txt").read_text() == "mine too"


def test_the_data_itself_is_never_overwritten(rows: Path, tmp_path: Path) -> None:
    path = rows.rename(tmp_path / "train.jsonl")
    before = path.read_bytes()
    with pytest.raises(DataError, match="the file that is read"):
        divide(data_of(path, held_out=0.2), tmp_path, seed=0, force=True)
    assert path.read_bytes() == before


def test_the_licence_goes_along(rows: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl.provenance.json").write_text('{"licence": "MIT"}')
    divided(rows, tmp_path / "parts")
    for name in ("train", "heldout"):
        file = tmp_path / "parts" / f"{name}.jsonl"
        told = origin_of(Source(path=str(file)), [file])
        assert told.licence.expression == "MIT"
        assert told.digests == {file.name: sha256(file.read_bytes()).hexdigest()}
        assert (told.made["held_out"], told.made["seed"]) == (0.2, 3)


@pytest.mark.parametrize(("text", "value"), [("0.25", 0.25), ("200", 200), (" 5 ", 5)])
def test_an_amount(text: str, value: float | int) -> None:
    assert amount(text) == value
    assert type(amount(text)) is type(value)


@pytest.mark.parametrize("text", ["0", "1.5", "-3", "nan", "inf", "some", "0.0", ""])
def test_no_amount(text: str) -> None:
    with pytest.raises(RecipeError, match="no part of the rows"):
        amount(text)


def test_more_than_there_is(rows: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="leaves none to learn from"):
        divided(rows, tmp_path / "parts", held_out=100)
    assert not (tmp_path / "parts").exists()
