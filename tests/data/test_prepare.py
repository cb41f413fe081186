"""`prepare` writes what training reads, and holds a run to what it was made from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.shops import BASICS, check, data_of, prepare, qa
from tunesmith.contracts import Conversation, JsonObject
from tunesmith.data.audit.inspection import Inspection
from tunesmith.data.examples import load_examples
from tunesmith.data.order import epoch_order
from tunesmith.data.prepared import SAMPLE, existing, open_prepared
from tunesmith.errors import DataError, Refused, RunError
from tunesmith.recipe import AuditRules, Data, Source

Write = Callable[[str, Iterable[object]], Path]


def test_prepare_writes_what_training_reads(rows: Path, base: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    prepared = prepare(data_of(rows), base=base, run_folder=run, seed=0, max_length=64)
    assert prepared.held_out is not None
    assert (len(prepared.train), len(prepared.held_out)) == (90, 10)
    audit = json.loads((run / "data" / "audit.json").read_text())
    assert audit == json.loads(json.dumps(prepared.audit.as_json()))
    held_out = list(load_examples(prepared.held_out_examples))
    assert [str(one.place) for one in held_out] == [
        str(prepared.held_out.place(index)) for index in range(10)
    ]
    assert len(list(load_examples(prepared.train_examples))) == 90
    assert sorted(epoch_order(prepared.mixture, 0)) == list(range(90))
    sides = [
        {packed.row(index).digest for index in range(len(packed))}
        for packed in (prepared.train, prepared.held_out)
    ]
    assert not sides[0] & sides[1]
    provenance = json.loads((run / "data" / "provenance.json").read_text())
    assert provenance["sources"][0]["files"][0]["sha256"] == prepared.files[str(rows)]
    assert provenance["sources"][0]["rows"] == 100


def test_rows_are_cut_and_keep_their_start(rows: Path, base: Path, tmp_path: Path) -> None:
    def made(name: str, length: int) -> list[list[int]]:
        prepared = prepare(
            data_of(rows), base=base, run_folder=tmp_path / name, seed=0, max_length=length
        )
        return [prepared.train.row(index).ids_T.tolist() for index in range(90)]

    for short, whole in zip(made("a", 45), made("b", 64), strict=True):
        assert short == whole[:45]
    assert len(whole) > 45


def test_only_a_sample_of_the_training_rows_is_kept_in_words(
    write_lines: Write, base: Path, tmp_path: Path
) -> None:
    paths = [write_lines("a.jsonl", qa(200)), write_lines("b.jsonl", qa(100, start=900))]

    def sample(name: str, seed: int) -> list[str]:
        prepared = prepare(
            data_of(*paths), base=base, run_folder=tmp_path / name, seed=seed, max_length=64
        )
        return [str(one.place) for one in load_examples(prepared.train_examples)]

    first = sample("a", 0)
    assert len(first) == SAMPLE
    assert {place.split(":")[0] for place in first} == {str(path) for path in paths}
    assert sample("b", 0) == first
    assert sample("c", 1) != first


def test_two_sources_keep_their_weights(write_lines: Write, base: Path, tmp_path: Path) -> None:
    one, other = write_lines("a.jsonl", qa(20)), write_lines("b.jsonl", qa(10, start=50))
    data = Data(
        sources=(Source(path=str(one), weight=0.5), Source(path=str(other), weight=3)), held_out=0
    )
    prepared = prepare(data, base=base, run_folder=tmp_path / "run", seed=0, max_length=64)
    order = epoch_order(prepared.mixture, 0)
    assert np.bincount(prepared.train.source_of[order]).tolist() == [10, 30]
    assert prepared.held_out is None
    assert list(load_examples(prepared.held_out_examples)) == []


def test_the_same_data_gives_the_same_bytes(rows: Path, base: Path, tmp_path: Path) -> None:
    made = [
        prepare(data_of(rows), base=base, run_folder=tmp_path / name, seed=5, max_length=64)
        for name in ("a", "b")
    ]
    assert made[0].digest == made[1].digest
    assert made[0].train.digest == made[1].train.digest
    assert made[0].mixture.seed == 5


def test_preparing_again_finds_it_done(rows: Path, base: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    first = prepare(data_of(rows), base=base, run_folder=run, seed=0, max_length=64)
    written = (run / "data" / "provenance.json").stat().st_mtime_ns
    again = prepare(data_of(rows), base=base, run_folder=run, seed=0, max_length=64)
    assert again.digest == first.digest
    assert (run / "data" / "provenance.json").stat().st_mtime_ns == written


def test_a_moved_file_is_the_same_data(rows: Path, base: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    first = prepare(data_of(rows), base=base, run_folder=run, seed=0, max_length=64)
    (tmp_path / "elsewhere").mkdir()
    moved = rows.rename(tmp_path / "elsewhere" / rows.name)
    again = prepare(data_of(moved), base=base, run_folder=run, seed=0, max_length=64)
    assert again.digest == first.digest


def test_changed_data_is_refused_by_name(rows: Path, base: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    prepare(data_of(rows), base=base, run_folder=run, seed=0, max_length=64)
    rows.write_text(rows.read_text() + json.dumps(qa(1, start=999)[0]) + "\n")
    with pytest.raises(RunError, match=r"rows\.jsonl has changed"):
        prepare(data_of(rows), base=base, run_folder=run, seed=0, max_length=64)


@pytest.mark.parametrize(
    ("options", "seed", "max_length", "says"),
    [
        ({}, 0, 65, "another max_length"),
        ({"overlong": "drop"}, 0, 64, "another overlong"),
        ({"shuffle": False}, 0, 64, "another shuffle"),
        ({"held_out": 0.2}, 0, 64, "another held_out"),
        ({"template": "plain"}, 0, 64, "another template"),
        ({}, 1, 64, "another seed"),
    ],
)
def test_changed_options_are_refused_by_name(
    rows: Path, base: Path, tmp_path: Path, options: Any, seed: int, max_length: int, says: str
) -> None:
    run = tmp_path / "run"
    prepare(data_of(rows), base=base, run_folder=run, seed=0, max_length=64)
    with pytest.raises(RunError, match=says):
        prepare(
            data_of(rows, **options), base=base, run_folder=run, seed=seed, max_length=max_length
        )


@pytest.mark.parametrize("name", ["train/ids.i32", "heldout/rows.bin", "audit.json"])
def test_damage_is_noticed_and_made_good(rows: Path, base: Path, tmp_path: Path, name: str) -> None:
    run = tmp_path / "run"
    first = prepare(data_of(rows), base=base, run_folder=run, seed=0, max_length=64)
    path = run / "data" / name
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError):
        open_prepared(run)
    again = prepare(data_of(rows), base=base, run_folder=run, seed=0, max_length=64)
    assert again.train.digest == first.train.digest
    assert open_prepared(run).digest == first.digest


def test_a_run_without_data_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not prepared"):
        open_prepared(tmp_path)


def test_a_damaged_record_is_noticed(rows: Path, base: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    prepare(data_of(rows), base=base, run_folder=run, seed=0, max_length=64)
    (run / "data" / "provenance.json").write_text('{"digest": "x"}')
    with pytest.raises(DataError, match="record is damaged"):
        existing(run)


@pytest.mark.parametrize("length", [8, 20])
def test_no_row_within_the_length_is_an_error_and_leaves_nothing(
    rows: Path, base: Path, tmp_path: Path, length: int
) -> None:
    with pytest.raises(Refused, match="no trained token lies within max_length"):
        prepare(data_of(rows), base=base, run_folder=tmp_path / "run", seed=0, max_length=length)
    assert not (tmp_path / "run").exists()


def test_bad_rows_leave_nothing(write_lines: Write, base: Path, tmp_path: Path) -> None:
    path = write_lines("bad.jsonl", [*qa(300), {"question": "x", "answer": ""}])
    with pytest.raises(Refused, match=r"answer is empty \(.*bad.jsonl:301\)"):
        prepare(data_of(path), base=base, run_folder=tmp_path / "run", seed=0, max_length=64)
    assert not (tmp_path / "run").exists()


def test_bad_rows_are_left_out_where_the_recipe_says_so(
    write_lines: Write, base: Path, tmp_path: Path
) -> None:
    bad: JsonObject = {"question": "x", "answer": ""}
    path = write_lines("bad.jsonl", [bad, *qa(100), bad, bad, *qa(100, start=100), bad])
    rules = AuditRules(severities={"empty_answer": "warn"})
    prepared = prepare(
        data_of(path),
        base=base,
        run_folder=tmp_path / "run",
        seed=0,
        max_length=64,
        inspection=Inspection(rules=rules.model_copy(update={"rules": BASICS.rules.rules})),
    )
    held_out = list(load_examples(prepared.held_out_examples))
    assert len(prepared.train) + len(held_out) == 200
    lines = path.read_text().splitlines()
    for example in held_out:
        said = json.loads(lines[example.place.line - 1])
        assert isinstance(example.content, Conversation)
        assert example.content.messages[1].content == said["answer"]
    assert prepared.audit.rows == 204


def test_tokens_are_cached_and_a_damaged_entry_is_made_again(
    rows: Path, base: Path, tmp_path: Path
) -> None:
    first = check(data_of(rows), base=base, seed=0)
    (entry,) = (tmp_path / "cache" / "tunesmith" / "tokens").iterdir()
    ids = entry / "ids.i32"
    written = ids.stat().st_mtime_ns
    assert check(data_of(rows), base=base, seed=0) == first
    assert ids.stat().st_mtime_ns == written
    ids.write_bytes(ids.read_bytes()[:-4])
    assert check(data_of(rows), base=base, seed=0) == first
    assert ids.stat().st_mtime_ns != written


def test_what_the_cache_remembers_is_said_again(
    write_lines: Write, base: Path, tmp_path: Path
) -> None:
    path = write_lines("a.jsonl", [{"text": f"One {n}.", "extra": 1} for n in range(9)])
    first = check(data_of(path), base=base, seed=0)
    moved = path.rename(tmp_path / "cache" / "a.jsonl")
    again = check(data_of(moved), base=base, seed=0)
    assert again.notices == first.notices != ()
    assert again.lengths == first.lengths


def test_what_a_killed_process_left_is_removed(rows: Path, base: Path, tmp_path: Path) -> None:
    left = tmp_path / "run" / "data" / ".writing-train-0123"
    left.mkdir(parents=True)
    prepare(data_of(rows), base=base, run_folder=tmp_path / "run", seed=0, max_length=64)
    assert not left.exists()
    assert sorted(path.name for path in left.parent.iterdir()) == [
        "audit.json",
        "heldout",
        "heldout.examples.jsonl",
        "left_out.jsonl",
        "provenance.json",
        "train",
        "train.examples.jsonl",
    ]
