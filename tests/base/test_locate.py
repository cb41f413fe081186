"""Finding a base: folders, what ships, the hub; and every fault that a folder can have."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.base.folder import (
    CONFIG,
    SHAPES,
    Header,
    write_model,
    write_safetensors,
    write_shards,
)
from tunesmith.base import locate as locate_module
from tunesmith.base import locate_base
from tunesmith.errors import InputError, ModelError

WEIGHTS = "model.safetensors"


def test_a_sound_folder(tmp_path: Path) -> None:
    base = locate_base(str(write_model(tmp_path / "model")))
    assert base.parameters == 24 + 32 + 4
    assert (base.vocabulary, base.context, base.revision) == (6, 64, None)
    assert base.config["model_type"] == "llama"
    assert [path.name for path in base.weight_files] == [WEIGHTS]
    assert base.name == str((tmp_path / "model").resolve())


def test_shards(tmp_path: Path) -> None:
    base = locate_base(str(write_shards(tmp_path / "model")))
    assert base.parameters == 60
    assert [path.name for path in base.weight_files] == ["a.safetensors", "b.safetensors"]


def test_digests_follow_shape_and_content(tmp_path: Path) -> None:
    base = locate_base(str(write_model(tmp_path / "a")))
    same = locate_base(str(write_model(tmp_path / "b")))
    assert base.digest == same.digest
    assert base.content_digest() == same.content_digest()
    weights = tmp_path / "b" / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    flipped = locate_base(str(tmp_path / "b"))
    assert flipped.digest == base.digest, "the quick digest reads headers only"
    assert flipped.content_digest() != base.content_digest()
    other = locate_base(str(write_model(tmp_path / "c", rms_norm_eps=1e-5)))
    assert other.digest != base.digest


@pytest.mark.parametrize(
    ("key", "length"), [("n_positions", 32), ("max_seq_len", 16)], ids=["n_positions", "max_seq"]
)
def test_context_under_other_names(tmp_path: Path, key: str, length: int) -> None:
    folder = write_model(tmp_path, **{"max_position_embeddings": None, key: length})
    assert locate_base(str(folder)).context == length


def test_context_of_a_model_with_a_text_part(tmp_path: Path) -> None:
    inner = {key: CONFIG[key] for key in ("hidden_size", "vocab_size", "max_position_embeddings")}
    folder = write_model(tmp_path, text_config=inner, max_position_embeddings=None)
    assert locate_base(str(folder)).context == 64


# ---- faults of the configuration -------------------------------------------------------------

CONFIG_FAULTS: list[tuple[str, dict[str, object], str]] = [
    ("remote code", {"auto_map": {"AutoModel": "x.Model"}}, "auto_map"),
    ("nested remote code", {"text_config": {"auto_map": {}}}, "auto_map"),
    ("private key", {"_attn_implementation_internal": "x/y"}, "_attn_implementation_internal"),
    ("kernel", {"attn_implementation": "someone/kernel"}, "attn_implementation"),
    ("no type", {"model_type": None}, "model_type"),
    ("encoder", {"architectures": ["BertForMaskedLM"]}, "not a causal"),
    ("headless", {"architectures": ["LlamaModel"]}, "not a causal"),
    ("encoder-decoder", {"is_encoder_decoder": True}, "not a causal"),
    ("quantised", {"quantization_config": {"bits": 4}}, "quantised already"),
    ("vocabulary of another", {"vocab_size": 7}, "embedding has 6 rows"),
    ("no vocabulary", {"vocab_size": None}, "no vocab_size"),
    ("vocabulary bomb", {"vocab_size": 10**12}, "vocab_size is 1,000,000,000,000"),
    ("number bomb", {"max_window_layers": 10**13}, "max_window_layers is 10,000"),
    ("width bomb", {"intermediate_size": 10**9}, "more than the 60 weights"),
    ("layer bomb", {"num_hidden_layers": 10**9}, "the files hold 1"),
]


@pytest.mark.parametrize(
    ("changes", "says"),
    [fault[1:] for fault in CONFIG_FAULTS],
    ids=[fault[0] for fault in CONFIG_FAULTS],
)
def test_refuses_a_configuration(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    folder = write_model(tmp_path, **changes)
    with pytest.raises(ModelError, match=says) as caught:
        locate_base(str(folder))
    assert caught.value.hint
    assert "config.json" in str(caught.value)


@pytest.mark.parametrize("key", ["_name_or_path", "_commit_hash"])
def test_harmless_private_keys_pass(tmp_path: Path, key: str) -> None:
    locate_base(str(write_model(tmp_path, **{key: "x"})))


@pytest.mark.parametrize(
    ("content", "line"),
    [(b'{"model_type": ', 1), (b'{\n"a": 1,\n}', 3), (b"[1]", 0), (b"\xff\xfe", 0), (b"", 1)],
    ids=["cut", "comma", "list", "bytes", "empty"],
)
def test_refuses_what_is_not_json(tmp_path: Path, content: bytes, line: int) -> None:
    write_model(tmp_path)
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ModelError, match="not JSON|not a JSON object") as caught:
        locate_base(str(tmp_path))
    assert caught.value.place is not None
    assert caught.value.place.line == line


def test_refuses_a_tokenizer_with_code(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"auto_map": {}}')
    with pytest.raises(ModelError, match="tokenizer needs code"):
        locate_base(str(tmp_path))


# ---- faults of the weights -------------------------------------------------------------------


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


# ---- faults of the folder --------------------------------------------------------------------


def test_refuses_an_adapter(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="is an adapter") as caught:
        locate_base(str(tmp_path))
    assert "base.adapter" in caught.value.hint


def test_refuses_a_model_beside_an_adapter(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="a model and an adapter"):
        locate_base(str(tmp_path))


@pytest.mark.parametrize("name", [WEIGHTS, "tokenizer.json"])
def test_refuses_links_out_of_the_folder(tmp_path: Path, name: str) -> None:
    folder = write_model(tmp_path / "model")
    secret = tmp_path / "secret"
    secret.write_bytes((folder / WEIGHTS).read_bytes())
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(secret)
    with pytest.raises(ModelError, match="link out of the folder"):
        locate_base(str(folder))


def test_the_hub_cache_may_link_to_its_blobs(tmp_path: Path) -> None:
    snapshot = write_model(tmp_path / "models--a--b" / "snapshots" / ("0" * 40))
    blobs = tmp_path / "models--a--b" / "blobs"
    blobs.mkdir()
    (snapshot / WEIGHTS).rename(blobs / "f00")
    (snapshot / WEIGHTS).symlink_to("../../blobs/f00")
    assert locate_base(str(snapshot)).parameters == 60


def test_refuses_a_broken_link(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / "tokenizer.json").symlink_to("nowhere.json")
    with pytest.raises(ModelError, match="is not a file"):
        locate_base(str(tmp_path))


def test_refuses_a_revision_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"base.revision is main"):
        locate_base(str(write_model(tmp_path)), "main")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("", "not a path"),
        ("a\0b", "not a path"),
        ("x" * 5000, "not a path"),
        ("./nowhere", "no folder ./nowhere"),
        ("/nowhere/at/all", "no folder"),
        ("a/b/c", "no folder"),
        ("~/nowhere-at-all", "no folder"),
        ("bundled:nothing", "ships"),
        ("bundled:../errors.py", "ships"),
    ],
)
def test_refuses_a_path(path: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        locate_base(path)


def test_refuses_a_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is a file"):
        locate_base(str(write_model(tmp_path) / WEIGHTS))


# ---- what ships, and the hub -----------------------------------------------------------------


@pytest.mark.parametrize("path", ["starter", "bundled:starter"])
def test_the_starter(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "starter").mkdir()
    base = locate_base(path)
    assert base.parameters > 1_000_000
    assert "bundled" in base.path.parts


def test_starter_always_is_what_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_model(tmp_path / "starter")
    assert locate_base("starter").parameters > 60
    assert locate_base("./starter").parameters == 60


def test_the_hub_is_pinned_to_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    snapshot = write_model(tmp_path / "snapshots" / commit)
    asked: dict[str, object] = {}

    def download(name: str, **options: object) -> str:
        asked.update(options, name=name)
        return str(snapshot)

    monkeypatch.setattr(locate_module, "snapshot_download", download)
    base = locate_base("owner/name", "main")
    assert (base.name, base.revision) == ("owner/name", commit)
    assert (asked["name"], asked["revision"]) == ("owner/name", "main")
    allowed = asked["allow_patterns"]
    assert isinstance(allowed, list)
    assert not any(pattern.endswith((".bin", ".pt", ".py", "*")) for pattern in allowed)


def test_offline_without_a_cache(tmp_path: Path) -> None:
    code = (
        "from tunesmith.base import locate_base\n"
        "from tunesmith.errors import ModelError\n"
        "try:\n    locate_base('owner/name')\n"
        "except ModelError as error:\n    print(error)\n"
    )
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert "no folder owner/name, and the hub cannot be reached" in done.stdout
    assert "HF_HUB_OFFLINE" in done.stdout


def test_an_unreachable_endpoint(tmp_path: Path) -> None:
    code = (
        "from tunesmith.base import locate_base\n"
        "from tunesmith.errors import ModelError\n"
        "try:\n    locate_base('owner/name')\n"
        "except ModelError as error:\n    print(error)\n"
    )
    environment = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert "HF_ENDPOINT" in done.stdout, done.stderr


def test_needs_neither_torch_nor_transformers() -> None:
    code = (
        "import sys\nsys.modules['torch'] = sys.modules['transformers'] = None\n"
        "from tunesmith.base import locate_base\nprint(locate_base('starter').vocabulary)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )
    assert int(done.stdout) > 0


def test_the_shared_weights() -> None:
    weights = Path(__file__).parents[3] / "shared" / "weights"
    if not weights.is_dir():
        pytest.skip("../shared/weights is not here")
    for name, parameters in (("stories260k", 260_032), ("tinystories-656k", 656_000)):
        assert locate_base(str(weights / name)).parameters == parameters


def test_duplicate_keys_of_a_configuration(tmp_path: Path) -> None:
    write_model(tmp_path)
    text = json.dumps(CONFIG)[:-1] + ', "vocab_size": 6}'
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match="vocab_size occurs twice"):
        locate_base(str(tmp_path))
