"""`tunesmith provenance`: the ledger of a run, and whether a row was in it; without torch."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tunesmith.bundled import bundled_path
from tunesmith.cli.main import run as command
from tunesmith.data import stage
from tunesmith.recipe import Data, Source
from tunesmith.runs import create_run

ROWS = [
    {"question": f"Is shop {number} open?", "answer": f"Shop {number} is open."}
    for number in range(30)
]
BLOCK_TORCH = """
import sys
for name in ("torch", "transformers"):
    sys.modules[name] = None
from tunesmith.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("provenance")
    rows = folder / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    data = Data(
        sources=(
            Source(path=str(rows), licence="CC BY 4.0", origin="own/shops@v1", consent="asked"),
        ),
        held_out=5,
        max_length=128,
    )
    made = create_run(folder / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        stage.prepare(data, base=bundled_path("bundled:starter"), run_folder=made.folder, seed=0)
    return made.folder


def row_hash(run: Path, capsys: pytest.CaptureFixture[str]) -> str:
    file = run.parent / "one.json"
    file.write_text(json.dumps(ROWS[0]))
    assert command(["provenance", str(run), "--text", str(file), "--json"]) == 0
    return str(json.loads(capsys.readouterr().out)["asked"][0])


def test_the_ledger_is_shown(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["provenance", str(run)]) == 0
    shown = capsys.readouterr().out
    for words in ("rows.jsonl", "training", "CC-BY-4.0", "attribution", "own/shops@v1", "asked"):
        assert words in shown
    assert "Apache-2.0" in shown


def test_the_ledger_as_json(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["provenance", str(run), "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    (source,) = body["sources"]
    assert (source["licence"], source["duties"]) == ("CC-BY-4.0", ["attribution"])
    assert (source["hub"], source["revision"], source["rows"]) == ("own/shops", "v1", 30)
    assert len(source["files"][0]["sha256"]) == len(source["rows_sha256"]) == 64
    assert body["base"] == {"licence": "Apache-2.0"}


def test_every_row_is_on_one_side(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = run.parent / "row.json"
    answers = []
    for row in ROWS:
        file.write_text(json.dumps(row))
        assert command(["provenance", str(run), "--text", str(file), "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out)["answer"])
    assert (answers.count("trained"), answers.count("held out")) == (25, 5)


def test_a_row_by_its_hash(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digest = row_hash(run, capsys)
    assert command(["provenance", str(run), "--row", digest[:12]]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(("trained  ", "held out  "))
    assert "rows.jsonl:1  CC-BY-4.0" in shown
    assert digest in shown


def test_a_row_that_is_not_there_exits_with_3(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command(["provenance", str(run), "--row", "0" * 16]) == 3
    assert capsys.readouterr().out.startswith("not there")
    monkeypatch.setattr("sys.stdin", io.StringIO('{"question": "Who?", "answer": "Nobody."}'))
    assert command(["provenance", str(run), "--text", "-", "--json"]) == 3
    body = json.loads(capsys.readouterr().out)
    assert (body["answer"], body["matches"]) == ("not there", [])


def test_cleaned_rows_name_the_files_that_they_were_made_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rows = tmp_path / "raw.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in [*ROWS, ROWS[0]]))
    (tmp_path / "raw.provenance.json").write_text('{"licence": "CC-BY-SA-4.0"}')
    cleaned = tmp_path / "cleaned" / "rows.jsonl"
    cleaned.parent.mkdir()
    assert command(["clean", str(rows), "-o", str(cleaned)]) == 0
    made = create_run(tmp_path / "run")
    data = Data(sources=(Source(path=str(cleaned.parent)),), max_length=128)
    stage.prepare(data, base=bundled_path("bundled:starter"), run_folder=made.folder, seed=0)
    capsys.readouterr()
    assert command(["provenance", str(made.folder), "--json"]) == 0
    (source,) = json.loads(capsys.readouterr().out)["sources"]
    assert (source["licence"], source["rows"]) == ("CC-BY-SA-4.0", 30)
    digest = hashlib.sha256(rows.read_bytes()).hexdigest()
    assert source["made"]["from"][0]["sha256"] == digest
    assert command(["provenance", str(made.folder)]) == 0
    assert f"from raw.jsonl ({digest[:12]})" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--row", "xyz"], "not the digest"),
        (["--row", "0" * 8, "--text", "-"], "both name a row"),
        (["--text", "/no/such/file"], "cannot be read"),
    ],
)
def test_bad_questions(
    run: Path, arguments: list[str], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["provenance", str(run), *arguments]) == 2
    captured = capsys.readouterr()
    assert what in captured.err
    assert captured.out == ""


def test_a_folder_that_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["provenance", str(tmp_path)]) == 2
    assert "not a run directory" in capsys.readouterr().err
    create_run(tmp_path / "new")
    assert command(["provenance", str(tmp_path / "new")]) == 2
    assert "not prepared yet" in capsys.readouterr().err


def test_it_needs_no_torch(run: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCK_TORCH, "provenance", str(run), "--row", "0" * 16],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith("not there")
