"""A configuration that is damaged, unsafe, or not of its weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.base.folder import CONFIG, write_model
from tunesmith.base import locate_base
from tunesmith.errors import ModelError

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


def test_duplicate_keys_of_a_configuration(tmp_path: Path) -> None:
    write_model(tmp_path)
    text = json.dumps(CONFIG)[:-1] + ', "vocab_size": 6}'
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelError, match="vocab_size occurs twice"):
        locate_base(str(tmp_path))
