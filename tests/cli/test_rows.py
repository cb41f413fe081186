"""`clean`, `split` and `convert` on the command line: exit codes, last lines, what is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith.cli.main import run as command

Output = pytest.CaptureFixture[str]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    lines = [json.dumps({"question": f"{n} + 1?", "answer": f"It is {n + 1}."}) for n in range(20)]
    file.write_text("\n".join(lines) + "\n")
    return file


def test_split_ends_with_its_folder(rows: Path, tmp_path: Path, capsys: Output) -> None:
    folder = tmp_path / "parts"
    assert command(["split", str(rows), "-o", str(folder), "--held-out", "5"]) == 0
    done = capsys.readouterr()
    assert done.out == f"{folder}\n"
    assert "15 rows to train on, 5 held out" in done.err
    assert len((folder / "heldout.jsonl").read_text().splitlines()) == 5


def test_split_as_json(rows: Path, tmp_path: Path, capsys: Output) -> None:
    folder = tmp_path / "parts"
    assert command(["split", str(rows), "-o", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["train"] == {"file": str(folder / "train.jsonl"), "rows": 18}
    assert told["held_out"]["rows"] == 2
    assert set(told["together"]) == {"rows", "groups"}


def test_convert_ends_with_its_file(rows: Path, tmp_path: Path, capsys: Output) -> None:
    out = tmp_path / "out.jsonl"
    assert command(["convert", str(rows), "--to", "openai", "-o", str(out)]) == 0
    done = capsys.readouterr()
    assert done.out == f"{out}\n"
    assert done.err == "20 rows: question_answer to openai\n"
    assert json.loads(out.read_text().splitlines()[0])["messages"][1]["content"] == "It is 1."


def test_convert_as_json(rows: Path, tmp_path: Path, capsys: Output) -> None:
    out = tmp_path / "out.csv"
    assert command(["convert", str(rows), "--to", "alpaca", "-o", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"file": str(out), "rows": 20, "from": ["question_answer"], "to": "alpaca"}


def test_clean_ends_with_its_file(rows: Path, tmp_path: Path, capsys: Output) -> None:
    with rows.open("a") as file:
        file.write('{"question": "Who?", "answer": " Write to ada@mail.org "}\n')
        file.write('{"question": "0 + 1?", "answer": "It is 1."}\n')
    out = tmp_path / "out.jsonl"
    assert command(["clean", str(rows), "-o", str(out), "--redact"]) == 0
    done = capsys.readouterr()
    assert done.out == f"{out}\n"
    for line in (
        "rows     22 in, 21 out",
        "changed  1: email 1, space_around 1",
        "dropped  1: duplicate 1",
        "rows.jsonl:21, answer: space_around, email",
        "+ Write to [EMAIL_1]",
        f"all changes: {out}.changes.jsonl",
    ):
        assert line in done.err, line
    assert "ada@" not in done.err
    assert len(out.read_text().splitlines()) == 21


def test_clean_as_json(rows: Path, tmp_path: Path, capsys: Output) -> None:
    out, changes = tmp_path / "out.jsonl", tmp_path / "what.jsonl"
    asked = ["clean", str(rows), "-o", str(out), "--changes", str(changes), "--json"]
    assert command([*asked, "--drop", "email,phone", "--drop", "card", "--near"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["rows_in"], told["dropped"] + told["rows_out"]) == (20, 20)
    assert told["files"][:2] == [str(out), str(changes)]
    assert changes.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["convert", "--to", "text"], ":1: the row is a conversation"),
        (["convert", "--to", "mesages"], "did you mean messages?"),
        (["convert", "--to", "alpaca", "--column", "question"], "--column question does not say"),
        (["convert", "--to", "alpaca", "--format", "alpca"], "did you mean alpaca?"),
        (["clean", "--drop", "emial"], "did you mean email?"),
        (["clean", "--format", "text"], "nothing would be left of 20 rows"),
        (["split", "--held-out", "all"], "all is no part of the rows"),
        (["split", "--held-out", "20"], "leaves none to learn from"),
    ],
)
def test_bad_input_ends_with_2_and_leaves_nothing(
    arguments: list[str], told: str, rows: Path, tmp_path: Path, capsys: Output
) -> None:
    out = tmp_path / ("parts" if arguments[0] == "split" else "out.jsonl")
    assert command([arguments[0], str(rows), "-o", str(out), *arguments[1:]]) == 2
    done = capsys.readouterr()
    assert told in done.err
    assert "fix: " in done.err
    assert done.out == ""
    assert list(tmp_path.iterdir()) == [rows]
