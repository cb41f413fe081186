"""Safetensors files that are cut, forged or not there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.base.folder import SHAPES, Header, write_model, write_safetensors, write_shards
from tunesmith.base import locate_base
from tunesmith.errors import ModelError

WEIGHTS = "model.safetensors"


def _first(header: Header) -> dict[str, object]:
    return header["model.embed_tokens.weight"]


HEADER_FAULTS: list[tuple[str, Callable[[Header], object], str]] = [
    ("unknown type", lambda h: _first(h).update(dtype="Q9"), "unknown type Q9"),
    ("type of another kind", lambda h: _first(h).update(dtype=["F32"]), "unknown type"),
    ("shape and size", lambda h: _first(h).update(shape=[7, 4]), "takes 96 bytes"),
    ("negative shape", lambda h: _first(h).update(shape=[-6, -4]), "no proper shape"),
    ("huge shape", lambda h: _first(h).update(shape=[2**62, 2**62]), "takes 96 bytes"),
    ("overlap", lambda h: h["model.norm.weight"].update(data_offsets=[0, 16]), "overlaps"),
    ("backwards", lambda h: _first(h).update(data_offsets=[96, 0]), "no proper shape"),
    ("no entry", lambda h: h.update({"x": 3}), "no description"),  # type: ignore[dict-item]
    ("gap", lambda h: h.pop("model.layers.0.mlp.up_proj.weight"), "gap"),
    ("left over", lambda h: h.pop("model.norm.weight"), "the file holds"),
    (
        "beyond the file",
        lambda h: h["model.norm.weight"].update(shape=[400], data_offsets=[224, 1824]),
        "take 1,824 bytes",
    ),
]


@pytest.mark.parametrize(
    ("change", "says"),
    [fault[1:] for fault in HEADER_FAULTS],
    ids=[fault[0] for fault in HEADER_FAULTS],
)
def test_refuses_a_header(tmp_path: Path, change: Callable[[Header], object], says: str) -> None:
    write_model(tmp_path)
    write_safetensors(tmp_path / WEIGHTS, change=change)
    with pytest.raises(ModelError, match=says) as caught:
        locate_base(str(tmp_path))
    assert caught.value.place is not None
    assert caught.value.place.file == tmp_path / WEIGHTS
    assert caught.value.hint


ENTRY = '{"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f'{{"a": {ENTRY}, "a": {ENTRY}}}', "a occurs twice"),
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("[" * 5000, "not JSON"),
    ],
    ids=["duplicate", "cut", "list", "nested"],
)
def test_refuses_a_header_text(tmp_path: Path, text: str, says: str) -> None:
    write_model(tmp_path)
    write_safetensors(tmp_path / WEIGHTS, text=text)
    with pytest.raises(ModelError, match=says):
        locate_base(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file has 0"),
        (b"abc", "the file has 3"),
        ((2**60).to_bytes(8, "little") + b"{}", "the file has 10"),
    ],
    ids=["empty", "short", "long header"],
)
def test_refuses_a_cut_file(tmp_path: Path, content: bytes, says: str) -> None:
    write_model(tmp_path)
    (tmp_path / WEIGHTS).write_bytes(content)
    with pytest.raises(ModelError, match=says):
        locate_base(str(tmp_path))


def test_refuses_a_header_over_100_mb(tmp_path: Path) -> None:
    write_model(tmp_path)
    with (tmp_path / WEIGHTS).open("wb") as stream:
        stream.write((200_000_000).to_bytes(8, "little"))
        stream.truncate(200_000_100)
    with pytest.raises(ModelError, match="200,000,000 bytes"):
        locate_base(str(tmp_path))


def test_refuses_a_truncated_download(tmp_path: Path) -> None:
    write_model(tmp_path)
    weights = tmp_path / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-5])
    with pytest.raises(ModelError, match="take 240 bytes, the file holds 235"):
        locate_base(str(tmp_path))


@pytest.mark.parametrize(
    ("shard", "says"),
    [
        ("../x.safetensors", "outside the folder"),
        ("/etc/passwd", "outside the folder"),
        ("sub/x.safetensors", "outside the folder"),
        ("..\\x.safetensors", "outside the folder"),
        ("c.safetensors", "c.safetensors is missing"),
        ("b.bin", "only safetensors"),
        ("a.safetensors", "not in a.safetensors"),
    ],
)
def test_refuses_an_index(tmp_path: Path, shard: str, says: str) -> None:
    folder = write_shards(tmp_path / "model", **{"model.norm.weight": shard})
    (tmp_path / "x.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match=says):
        locate_base(str(folder))


@pytest.mark.parametrize("content", ["[]", "{}", '{"weight_map": {}}', '{"weight_map": {"a": 1}}'])
def test_refuses_an_index_without_a_map(tmp_path: Path, content: str) -> None:
    write_shards(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text(content)
    with pytest.raises(ModelError, match="index"):
        locate_base(str(tmp_path))


def test_refuses_a_tensor_in_two_shards(tmp_path: Path) -> None:
    write_shards(tmp_path)
    write_safetensors(tmp_path / "b.safetensors", SHAPES)
    with pytest.raises(ModelError, match=r"embed_tokens.weight is in a.safetensors and in b"):
        locate_base(str(tmp_path))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.pkl", "model.gguf"])
def test_never_opens_other_weights(tmp_path: Path, name: str) -> None:
    write_model(tmp_path)
    (tmp_path / WEIGHTS).rename(tmp_path / name)
    with pytest.raises(ModelError, match=name) as caught:
        locate_base(str(tmp_path))
    assert "save_pretrained" in caught.value.hint


def test_refuses_a_folder_without_weights(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    with pytest.raises(ModelError, match="no weights"):
        locate_base(str(tmp_path))
