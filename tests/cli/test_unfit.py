"""What does not fit, through the command line: told with its place, and nothing left behind."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.tiny_run import Shape, write_base
from transformers import AutoModelForCausalLM

from tunesmith.cli.main import run as command
from tunesmith.data.store import open_packed

SETTINGS = (
    "train.rows_per_step=4",
    "train.epochs=1",
    "adapter.rank=2",
    "data.held_out=4",
)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    folder.mkdir()
    write_base(folder, Shape())
    return folder


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    lines = [json.dumps({"question": f"{n} + 1?", "answer": f"It is {n + 1}."}) for n in range(20)]
    file.write_text("\n".join(lines) + "\n")
    return file


def arguments(base: Path, rows: Path, run: Path) -> list[str]:
    return ["train", "--base", str(base), "--data", str(rows), "--output", str(run), *SETTINGS]


def shrink(base: Path, rows: int) -> None:
    """The same tokenizer beside a model of fewer embeddings."""
    model = AutoModelForCausalLM.from_pretrained(base)
    model.resize_token_embeddings(rows)
    model.save_pretrained(base)


def test_a_tokenizer_of_another_model_is_named(
    base: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shrink(base, 40)
    assert command(arguments(base, rows, tmp_path / "run")) == 2
    said = capsys.readouterr().err
    assert "but the model has only 40 embeddings" in said
    assert "use the tokenizer that belongs to this model" in said
    assert str(base / "tokenizer.json") in said
    assert not (tmp_path / "run").exists()


def test_tokens_that_another_model_has_cached_are_held_to_this_one(
    base: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    shutil.copytree(base, other)
    shrink(other, 40)
    assert command(arguments(base, rows, tmp_path / "first")) == 0
    capsys.readouterr()
    assert command(arguments(other, rows, tmp_path / "second")) == 2
    assert "but the model has only 40 embeddings" in capsys.readouterr().err
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize("weight", ["NaN", "Infinity", "-Infinity", "1e999", "-1", '"1"', "1001"])
def test_a_weight_that_is_none_is_named(
    base: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], weight: str
) -> None:
    with rows.open("w") as file:
        for number in range(8):
            mine = weight if number == 6 else "1"
            file.write(
                '{"messages": [{"role": "user", "content": "Open?"}, {"role": "assistant", '
                f'"content": "Yes, {number}.", "weight": {mine}}}]}}\n'
            )
    assert command(arguments(base, rows, tmp_path / "run")) == (
        2 if "N" in weight or "I" in weight or "e" in weight else 3
    )
    said = capsys.readouterr().err
    assert f"{rows}:7" in said
    assert "fix:" in said
    assert not (tmp_path / "run").exists()


def test_rows_longer_than_the_context(
    base: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The base's context is 128 tokens, of a byte each."""
    with rows.open("a") as file:
        file.write(json.dumps({"question": "Why?", "answer": "a" * 200}) + "\n")
    strict = [*arguments(base, rows, tmp_path / "strict"), "data.overlong=error"]
    assert command(strict) == 2
    said = capsys.readouterr().err
    assert f"{rows}:21" in said
    assert "longer than max_length 128" in said
    assert command([*arguments(base, rows, tmp_path / "far"), "data.max_length=129"]) == 2
    assert "the base's context is 128 tokens" in capsys.readouterr().err
    cut = tmp_path / "cut"
    assert command([*arguments(base, rows, cut), "data.held_out=0"]) == 0
    audit = json.loads((cut / "data" / "audit.json").read_text())
    (told,) = [one for one in audit["findings"] if one["rule"] == "truncated"]
    assert (told["file"], told["line"]) == (str(rows), 21)
    assert audit["counts"]["truncated"] == 1
    packed = open_packed(cut / "data" / "train")
    assert max(packed.lengths) == packed.lengths[20] == 128


@pytest.mark.parametrize("name", ["ids.i32", "weights.u8", "rows.bin", "manifest.json"])
@pytest.mark.parametrize("cached", [True, False])
def test_a_damaged_packed_file_of_a_resumed_run_is_made_again(
    base: Path,
    rows: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    cached: bool,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    runs = [tmp_path / "whole", tmp_path / "damaged"]
    assert command(arguments(base, rows, runs[0])) == 0
    shutil.copytree(runs[0], runs[1])
    file = runs[1] / "data" / "train" / name
    before = file.read_bytes()
    middle = len(before) // 2
    file.write_bytes(before[:middle] + bytes([before[middle] ^ 4]) + before[middle + 1 :])
    if not cached:
        shutil.rmtree(tmp_path / "cache")
    for run in runs:
        assert command(["train", "--resume", "--output", str(run), "train.epochs=2"]) == 0
    assert file.read_bytes() == before
    adapters = [load_file(run / "model" / "adapter_model.safetensors") for run in runs]
    assert all(torch.equal(adapters[0][key], adapters[1][key]) for key in adapters[0])
