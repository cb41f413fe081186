"""Loading a tokenizer: ids equal to Transformers', refusals that say what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer
from transformers.models.auto.tokenization_auto import (
    MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS,
    TOKENIZER_MAPPING_NAMES,
)

from tests.tokenizer.bases import SENTENCES, SHARED, Files, byte_level, metaspace, word_level, write
from tunesmith.errors import DataError, ModelError
from tunesmith.tokenizer.families import _TRUST_MODEL_TYPE, FAMILIES, MODEL_TYPES
from tunesmith.tokenizer.load import Tokenizer, load_tokenizer

TEXTS = (
    *SENTENCES,
    "",
    " ",
    "  two spaces  before and after  ",
    "tabs\tand\n\nlines\r\n and   runs",
    "naïve café 東京 🤗🏽 \u202e \u0301e",
    "numbers 1234567890 3.14 it's I'LL 's",
    "<s>inside</s> and <|im_end|>\n <|im_start|>user\n[EOS] x</s> y",
    "<unk><pad>",
)

LLAMA = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>"}
FAST = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"}
CHAT = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


def token(content: str, **flags: bool) -> dict[str, object]:
    names = ("single_word", "lstrip", "rstrip", "normalized", "special")
    return {"content": content, **{name: flags.get(name, False) for name in names}}


BASES = {
    "byte level": (byte_level(CHAT), Files(config={"eos_token": "<|im_end|>"})),
    "qwen2": (
        byte_level(CHAT),
        Files(
            config={
                "tokenizer_class": "Qwen2Tokenizer",
                "eos_token": "<|im_end|>",
                "additional_special_tokens": ["<|im_start|>", "<|im_end|>"],
                "add_bos_token": False,
            },
            model={"model_type": "qwen2"},
        ),
    ),
    "qwen2 by model type": (byte_level(CHAT, split=None), Files(model={"model_type": "qwen3"})),
    "gpt2": (byte_level(CHAT), Files(config={"tokenizer_class": "GPT2TokenizerFast"})),
    "gpt neox": (
        byte_level(CHAT),
        Files(config={"tokenizer_class": "GPTNeoXTokenizer", "add_bos_token": True}),
    ),
    "gpt2 under a llama": (
        byte_level(CHAT),
        Files(config={"tokenizer_class": "GPT2Tokenizer"}, model={"model_type": "llama"}),
    ),
    "byte level called llama": (
        byte_level(("<s>", "</s>")),
        Files(config=LLAMA, model={"model_type": "llama"}),
    ),
    "llama": (metaspace(), Files(config=LLAMA, model={"model_type": "llama"})),
    "llama, old file": (metaspace(old=True), Files(config=LLAMA)),
    "llama, legacy": (metaspace(old=True), Files(config={**LLAMA, "legacy": True})),
    "llama, no prefix": (metaspace(), Files(config={**LLAMA, "add_prefix_space": False})),
    "llama, no begin": (metaspace(begin=False), Files(config={**LLAMA, "add_bos_token": True})),
    "llama with new tokens": (
        metaspace(),
        Files(
            config={
                **LLAMA,
                "added_tokens_decoder": {
                    "0": token("<unk>", special=True),
                    "1": token("<s>", special=True),
                    "2": token("</s>", special=True),
                    "600": token("<|im_start|>", special=True, rstrip=True),
                    "601": token("<|im_end|>", special=False),
                },
            }
        ),
    ),
    "mistral": (metaspace(old=True), Files(config=LLAMA, model={"model_type": "mistral"})),
    "phi3": (metaspace(old=True), Files(config=LLAMA, model={"model_type": "phi3"})),
    "metaspace file as it is": (metaspace(), Files(config={**FAST, "add_eos_token": True})),
    "gemma": (
        metaspace(),
        Files(config={"tokenizer_class": "GemmaTokenizer"}, model={"model_type": "gemma"}),
    ),
    "words": (word_level(), Files(config={"unk_token": "[UNK]", "eos_token": "[EOS]"})),
    "old special tokens map": (
        byte_level(CHAT),
        Files(
            config={"tokenizer_class": "PreTrainedTokenizerFast"},
            others={
                "special_tokens_map.json": {
                    "bos_token": token("<|begin|>"),
                    "eos_token": "<|im_end|>",
                    "additional_special_tokens": ["<|tool|>"],
                },
                "added_tokens.json": {"<|extra|>": 700},
            },
        ),
    ),
    "named tokens of its own": (
        byte_level(CHAT),
        Files(
            config={
                "eos_token": {"__type": "AddedToken", **token("<|im_end|>", special=True)},
                "pad_token": None,
                "image_token": "<|image|>",
                "extra_special_tokens": ["<|more|>"],
            }
        ),
    ),
}


def same(mine: Tokenizer, reference: object, text: str) -> None:
    for special in (False, True):
        expected = reference.encode(text, add_special_tokens=special)  # type: ignore[attr-defined]
        assert mine.encode(text, add_special=special) == expected, (text, special)


@pytest.mark.parametrize("name", BASES)
def test_ids_and_special_tokens_equal_those_of_transformers(name: str, tmp_path: Path) -> None:
    folder = write(tmp_path, *BASES[name])
    mine, reference = load_tokenizer(folder), AutoTokenizer.from_pretrained(folder)
    for text in TEXTS:
        same(mine, reference, text)
    assert mine.template_variables == reference.special_tokens_map
    assert mine.size == max(reference.get_vocab().values()) + 1
    assert mine.bos_id == reference.bos_token_id or reference.bos_token is None
    assert mine.eos_id == reference.eos_token_id or reference.eos_token is None
    assert set(reference.all_special_ids) <= mine.special_ids
    ids = mine.encode(SENTENCES[0], add_special=True)
    assert mine.decode(ids) == reference.decode(ids, skip_special_tokens=True)
    assert mine.decode(ids, skip_special=False) == reference.decode(ids)


@pytest.mark.parametrize(
    "name",
    [
        "weights/stories260k",
        "weights/tinystories-656k",
        "bench/tokenizer-8k",
        "bench/tokenizer-49k",
    ],
)
def test_ids_equal_on_real_tokenizers(name: str) -> None:
    folder = SHARED / name
    if not folder.exists():
        pytest.skip(f"needs ../shared/{name}")
    mine, reference = load_tokenizer(folder), AutoTokenizer.from_pretrained(folder)
    for text in TEXTS:
        same(mine, reference, text)
    assert mine.template_variables == reference.special_tokens_map
    assert mine.own_template == reference.chat_template


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(max_size=60), name=st.sampled_from(["llama", "byte level", "gemma", "mistral"]))
def test_any_text_gives_the_ids_of_transformers(
    text: str, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if name not in _loaded:
        folder = write(tmp_path_factory.mktemp("base"), *BASES[name])
        _loaded[name] = (load_tokenizer(folder), AutoTokenizer.from_pretrained(folder))
    same(*_loaded[name], text)


_loaded: dict[str, tuple[Tokenizer, object]] = {}


def test_the_table_of_model_types_agrees_with_transformers() -> None:
    generic = {"TokenizersBackend", "MistralCommonBackend", None}
    for model_type, family in MODEL_TYPES.items():
        registered = TOKENIZER_MAPPING_NAMES.get(model_type, "absent")
        assert registered != "absent", model_type
        assert family == ("" if registered in generic else registered), model_type
    for model_type, registered in TOKENIZER_MAPPING_NAMES.items():
        if registered in FAMILIES and model_type in MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS:
            assert model_type in _TRUST_MODEL_TYPE or model_type not in MODEL_TYPES


@pytest.mark.parametrize("add_bos", [False, True])
def test_vocabulary_and_merges_alone_are_enough(tmp_path: Path, add_bos: bool) -> None:
    byte_level(CHAT, split=None).model.save(str(tmp_path))
    config = {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": add_bos}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    mine, reference = load_tokenizer(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    for text in TEXTS:
        same(mine, reference, text)
    assert mine.adds_bos is add_bos


def test_offsets_cover_every_character(tmp_path: Path) -> None:
    mine = load_tokenizer(write(tmp_path, *BASES["byte level"]))
    text = "A word,  two   spaces \n and <|im_end|> tokens "
    ids, offsets = mine.encode_with_offsets(text)
    assert ids == mine.encode(text)
    assert "".join(text[start:end] for start, end in offsets) == text
    assert mine.encode_all([text, "b"]) == [(ids, offsets), mine.encode_with_offsets("b")]


def test_a_continuation_gets_no_space_in_front(tmp_path: Path) -> None:
    mine = load_tokenizer(write(tmp_path, *BASES["llama"]))
    assert mine.decode(mine.encode("a table") + mine.encode_continuation("s for")) == "a tables for"
    assert mine.encode("s for") != mine.encode_continuation("s for")


def test_half_a_surrogate_pair_is_a_data_error(tmp_path: Path) -> None:
    mine = load_tokenizer(write(tmp_path, *BASES["byte level"]))
    with pytest.raises(DataError, match="surrogate"):
        mine.encode("a\ud800b")
    good, bad = mine.encode_all(["fine", "a\ud800b"])
    assert good == mine.encode_with_offsets("fine")
    assert isinstance(bad, DataError)


def test_stop_ids_come_from_three_files(tmp_path: Path) -> None:
    files = Files(
        config={"eos_token": "<|im_end|>"},
        model={"model_type": "llama", "vocab_size": 600, "eos_token_id": [0, 99999]},
        others={"generation_config.json": {"eos_token_id": [2, 1]}},
    )
    assert load_tokenizer(write(tmp_path, byte_level(CHAT), files)).stop_ids == (2, 1, 0)


def test_templates_are_found_where_transformers_looks(tmp_path: Path) -> None:
    listed = [{"name": "default", "template": "D"}, {"name": "tool_use", "template": "T"}]
    folder = write(tmp_path / "a", word_level(), Files(config={"chat_template": listed}))
    assert load_tokenizer(folder).own_templates == {"default": "D", "tool_use": "T"}
    files = {"chat_template.jinja": "J", "additional_chat_templates/rag.jinja": "R"}
    folder = write(tmp_path / "b", word_level(), Files(config={"chat_template": "C"}, others=files))
    assert load_tokenizer(folder).own_templates == {"default": "J", "rag": "R"}
    assert load_tokenizer(folder).own_template == "J"
    files = {"chat_template.json": {"chat_template": "P"}}
    folder = write(tmp_path / "c", word_level(), Files(others=dict(files)))
    assert load_tokenizer(folder).own_template == "P"
    assert load_tokenizer(write(tmp_path / "d", word_level())).own_template is None


def test_the_digest_changes_with_any_file(tmp_path: Path) -> None:
    first = load_tokenizer(write(tmp_path / "a", word_level())).digest
    assert load_tokenizer(write(tmp_path / "b", word_level())).digest == first
    files = Files(others={"generation_config.json": {"eos_token_id": 1}})
    assert load_tokenizer(write(tmp_path / "c", word_level(), files)).digest != first


def test_an_id_beyond_the_embedding_is_refused_when_it_is_used(tmp_path: Path) -> None:
    tokenizer = byte_level(CHAT)
    rows = tokenizer.get_vocab_size()
    files = Files(model={"vocab_size": rows}, config={"extra_special_tokens": ["<|new|>"]})
    mine = load_tokenizer(write(tmp_path, tokenizer, files))
    assert mine.encode("fine")
    with pytest.raises(ModelError, match=f"only {rows} embeddings"):
        mine.encode("bad <|new|>")


DAMAGED = {
    "no file at all": ({}, "there is no tokenizer"),
    "only sentencepiece": ({"tokenizer.model": "x"}, "SentencePiece"),
    "not json": ({"tokenizer.json": '{"model":\n {]'}, "not JSON"),
    "an array": ({"tokenizer.json": "[]"}, "must be a JSON object"),
    "no model": ({"tokenizer.json": "{}"}, "no `model`"),
    "deep": ({"tokenizer.json": "[" * 100_000}, "not usable JSON"),
    "unknown model": ({"tokenizer.json": '{"model": {"type": "X"}}'}, "cannot be built"),
    "huge id": ({"tokenizer.json": '{"model": {"vocab": {"a": 1000000000000}}}'}, "has the id"),
    "negative id": ({"tokenizer.json": '{"model": {"vocab": {"a": -1}}}'}, "has the id"),
    "text id": ({"tokenizer.json": '{"model": {"vocab": {"a": "b"}}}'}, "has the id"),
    "bad added token": (
        {"tokenizer.json": '{"model": {"vocab": {}}, "added_tokens": [{"id": true}]}'},
        "has the id",
    ),
    "merge of three": ({"vocab.json": '{"a": 0}', "merges.txt": "#version\na b c\n"}, "two pieces"),
    "config not json": ({"tokenizer_config.json": "{"}, "not JSON"),
    "bytes": ({"tokenizer.json": b"\xff\xfe{}"}, "not UTF-8"),
    "slow expression": (
        {
            "tokenizer.json": json.dumps(
                {
                    "model": {"vocab": {}},
                    "pre_tokenizer": {"type": "Split", "pattern": {"Regex": r"(\w+)+$"}},
                }
            )
        },
        "take for ever",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_folders_are_refused_with_a_fix(name: str, tmp_path: Path) -> None:
    files, message = DAMAGED[name]
    for file, content in files.items():
        (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ModelError, match=message) as caught:
        load_tokenizer(tmp_path)
    assert caught.value.hint
    assert caught.value.place is not None


def test_other_impossible_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        load_tokenizer(tmp_path / "absent")
    (tmp_path / "tokenizer.json").mkdir()
    with pytest.raises(ModelError, match="not a plain file"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").rmdir()
    (tmp_path / "tokenizer.json").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="leads nowhere"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with (tmp_path / "tokenizer.json").open("wb") as file:
        file.truncate(101 * 2**20)
    with pytest.raises(ModelError, match="101 MB"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize(
    "config",
    [
        {"eos_token": 5},
        {"eos_token": {"text": "x"}},
        {"added_tokens_decoder": {"x": {"content": "a"}}},
        {"added_tokens_decoder": {"1": {"text": "a"}}},
    ],
)
def test_impossible_special_tokens_are_refused(config: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="token"):
        load_tokenizer(write(tmp_path, byte_level(CHAT), Files(config=config)))
