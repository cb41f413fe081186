"""The ledger of a run's data, and the question whether a row was in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.data.shops import data_of, prepare, qa
from tunesmith.contracts import JsonObject
from tunesmith.data.content import digest_of
from tunesmith.data.examples import read_examples
from tunesmith.data.formats import question_answer
from tunesmith.data.ledger import LEFT_OUT, read_ledger
from tunesmith.data.lookup import Answer, digests_of, find
from tunesmith.data.prepared import existing, open_prepared
from tunesmith.errors import DataError, InputError
from tunesmith.recipe import Data, Source

Write = Callable[[str, Iterable[object]], Path]
LONG = {"question": "Is it far? " * 40, "answer": "No."}


@pytest.fixture
def run(write_lines: Write, base: Path, tmp_path: Path) -> Path:
    """Two sources with 20 and 11 rows, of which one is left out, and a held-out file."""
    write_lines("a.jsonl", qa(20))
    renamed = [{"q": row["question"], "a": row["answer"]} for row in [*qa(10, start=50), LONG]]
    other = write_lines("b.jsonl", renamed)
    (tmp_path / "b.provenance.json").write_text(
        json.dumps({"licence": "CC BY-SA 4.0", "origin": "own/shops@v2", "consent": "asked"})
    )
    (base / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    data = Data(
        sources=(
            Source(path=str(tmp_path / "a.jsonl"), licence="MIT"),
            Source(path=str(other), columns={"question": "q", "answer": "a"}),
        ),
        held_out=str(write_lines("held.jsonl", qa(5, start=200))),
        overlong="drop",
    )
    folder = tmp_path / "run"
    prepare(data, base=base, run_folder=folder, seed=0, max_length=160)
    return folder


def digest(row: JsonObject) -> str:
    return digest_of(question_answer.parse(row))


def ask(run: Path, *digests: str) -> Answer:
    return find(run, read_ledger(run), *digests)


def test_each_source_with_its_files_rows_licence_and_origin(run: Path, tmp_path: Path) -> None:
    ledger = read_ledger(run)
    first, second, held_out = ledger.entries
    assert first.path == str(tmp_path / "a.jsonl")
    assert first.files == ((first.path, sha256(Path(first.path).read_bytes()).hexdigest()),)
    assert [one.rows for one in ledger.entries] == [20, 11, 5]
    assert [one.licence.shown for one in ledger.entries] == ["MIT", "CC-BY-SA-4.0", "unknown"]
    assert [one.held_out for one in ledger.entries] == [False, False, True]
    assert second.facts == {
        "origin": "own/shops@v2",
        "consent": "asked",
        "hub": "own/shops",
        "revision": "v2",
    }
    assert second.columns == {"question": "q", "answer": "a"}
    assert held_out.facts == {}
    assert ledger.base_licence.expression == "Apache-2.0"
    assert ledger.digest == open_prepared(run).digest


def test_the_digest_of_rows_is_over_theirs_in_order(run: Path, tmp_path: Path) -> None:
    body = json.loads((run / "data" / "provenance.json").read_text())
    for entry, path in zip(body["sources"], ("a.jsonl", "b.jsonl"), strict=True):
        source = Source(path=str(tmp_path / path), columns=entry["columns"])
        raw = b"".join(bytes.fromhex(row.digest) for row in read_examples(source))
        assert entry["rows_sha256"] == sha256(raw).hexdigest()
        assert [file["rows_sha256"] for file in entry["files"]] == [entry["rows_sha256"]]
        assert [file["rows"] for file in entry["files"]] == [entry["rows"]]
        assert entry["unusable"] == 0


def test_the_digest_of_rows_is_the_same_in_another_format(
    write_lines: Write, base: Path, tmp_path: Path
) -> None:
    plain = write_lines("plain.jsonl", qa(12))
    turns = [
        {
            "messages": [
                {"role": "user", "content": row["question"]},
                {"role": "assistant", "content": row["answer"]},
            ]
        }
        for row in qa(12)
    ]
    digests = set()
    for path in (plain, write_lines("turns.jsonl", turns)):
        folder = tmp_path / f"run-{path.stem}"
        prepare(data_of(path), base=base, run_folder=folder, seed=0, max_length=160)
        digests.add(read_ledger(folder).entries[0].rows_sha256)
    assert len(digests) == 1


def test_files_of_a_folder_are_counted_each(write_lines: Write, base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for name, count in (("one", 12), ("two", 3)):
        write_lines(f"many/{name}.jsonl", qa(count, start=100 * count))
    run = tmp_path / "run"
    prepare(data_of(folder), base=base, run_folder=run, seed=0, max_length=160)
    (entry,) = json.loads((run / "data" / "provenance.json").read_text())["sources"]
    assert [file["rows"] for file in entry["files"]] == [12, 3]
    assert entry["rows"] == 15
    digests = {entry["rows_sha256"], *(file["rows_sha256"] for file in entry["files"])}
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("row", "where", "place", "licence"),
    [
        (qa(1, start=7)[0], "trained", "a.jsonl:8", "MIT"),
        (qa(1, start=52)[0], "trained", "b.jsonl:3", "CC-BY-SA-4.0"),
        (qa(1, start=204)[0], "held out", "held.jsonl:5", "unknown"),
        (LONG, "left out", "b.jsonl:11", "CC-BY-SA-4.0"),
    ],
)
def test_a_row_is_found_by_its_digest_or_the_beginning_of_it(
    run: Path, row: JsonObject, where: str, place: str, licence: str
) -> None:
    whole = digest(row)
    for wanted in (whole, whole[:8], whole[:17], whole.upper(), f" {whole[:63]}"):
        answer = ask(run, wanted)
        assert answer.where == where
        (match,) = answer.matches
        assert str(match.place).endswith(place)
        assert match.digest == whole
        assert match.entry.licence.shown == licence
        assert match.why == ("overlong" if where == "left out" else "")


def test_a_row_that_is_not_there(run: Path) -> None:
    other = digest(qa(1, start=999)[0])
    near = digest(qa(1)[0])
    assert ask(run, other).where == "not there"
    wrong = near[:20] + ("0" if near[20] != "0" else "1")
    assert ask(run, wrong).where == "not there"
    assert ask(run, near[:-1] + ("0" if near[-1] != "0" else "1")).where == "not there"
    assert ask(run, "f" * 64).matches == ()
    assert ask(run, "0" * 8).left_out_known


@pytest.mark.parametrize("wanted", ["", "1234567", "g" * 8, "a" * 65, "row 5", "0x12345678"])
def test_what_is_no_digest_is_refused(run: Path, wanted: str) -> None:
    with pytest.raises(InputError, match="not the digest of a row"):
        ask(run, wanted)


def test_copies_are_all_told(write_lines: Write, base: Path, tmp_path: Path) -> None:
    path = write_lines("rows.jsonl", [*qa(10), qa(1)[0]])
    run = tmp_path / "run"
    prepare(data_of(path, held_out=0), base=base, run_folder=run, seed=0, max_length=160)
    places = [match.place.line for match in ask(run, digest(qa(1)[0])).matches]
    assert places == [1, 11]


def test_a_raw_row_has_the_digest_that_its_source_gave_it(run: Path) -> None:
    ledger = read_ledger(run)
    row = qa(1, start=52)[0]
    as_written = {"q": row["question"], "a": row["answer"]}
    assert digests_of(json.dumps(as_written), ledger, "-") == (digest(row),)
    assert digests_of(f"\ufeff {json.dumps(row)}\n", ledger, "-") == (digest(row),)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "a list"),
        ('{"a": 1} {"a": 2}', "more than one"),
        ('{"a": 1, "a": 2}', "twice"),
        ('{"foo": "bar"}', "no format fits|no column"),
    ],
)
def test_text_that_is_no_row_is_refused(run: Path, text: str, what: str) -> None:
    with pytest.raises(DataError, match=what) as caught:
        digests_of(text, read_ledger(run), "row.json")
    assert str(caught.value).startswith("row.json: ")


def strip_new_keys(run: Path) -> dict[str, Any]:
    """The run as release 0.1.0 left it."""
    path = run / "data" / "provenance.json"
    body: dict[str, Any] = json.loads(path.read_text())
    del body["base"]
    old = ("path", "weight", "format", "columns", "rows", "formats")
    for role in ("sources", "held_out"):
        body[role] = [
            {
                **{key: entry[key] for key in old},
                "files": [
                    {key: file[key] for key in ("path", "sha256", "bytes", "modified")}
                    for file in entry["files"]
                ],
            }
            for entry in body[role]
        ]
    del body["held_out"][0]["rows"], body["held_out"][0]["formats"]
    path.write_text(json.dumps(body))
    (run / "data" / LEFT_OUT).unlink()
    return body


def test_runs_from_before_the_ledger_still_open(run: Path) -> None:
    strip_new_keys(run)
    assert existing(run) is not None
    assert len(open_prepared(run).train) == 30
    ledger = read_ledger(run)
    assert [one.licence.shown for one in ledger.entries] == ["unknown"] * 3
    assert ledger.entries[2].rows is None
    assert ledger.base_licence.shown == "unknown"
    assert ask(run, digest(qa(1)[0])).where == "trained"
    answer = ask(run, digest(LONG))
    assert (answer.where, answer.left_out_known) == ("not there", False)


@pytest.mark.parametrize("body", ["{", "[]", "{}", '{"sources": [{}], "held_out": []}'])
def test_a_damaged_ledger_is_named(run: Path, body: str) -> None:
    path = run / "data" / "provenance.json"
    path.write_text(body)
    with pytest.raises(DataError, match="damaged") as caught:
        read_ledger(run)
    assert caught.value.place is not None
    assert caught.value.place.file == path
    path.unlink()
    with pytest.raises(DataError, match="not prepared"):
        read_ledger(run)


def test_damaged_records_are_named(run: Path) -> None:
    records = run / "data" / "train" / "rows.bin"
    records.write_bytes(records.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match="altered"):
        ask(run, "0" * 8)


def test_a_damaged_list_of_rows_that_were_left_out_is_named(run: Path) -> None:
    (run / "data" / LEFT_OUT).write_text('{"digest": "00000000"}\n')
    with pytest.raises(DataError, match="damaged"):
        ask(run, "0" * 8)
