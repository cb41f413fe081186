"""Finding a base: folders, what ships, and the hub."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.base.folder import (
    CONFIG,
    write_model,
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
