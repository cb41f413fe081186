"""A model's `config.json`: what it may say, and whether its weights agree.

    {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 64, ...}

A configuration can name code to run (`auto_map`, a kernel from the hub) or set private
switches of Transformers (`_...`); such folders are refused, as are those whose numbers would
make Transformers allocate more than the weights justify.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from tunesmith.contracts import Json, JsonObject
from tunesmith.errors import ModelError, Place

_HARMLESS = frozenset({"_name_or_path", "_commit_hash", "_diffusers_version", "_id2label"})
_ENCODERS = ("MaskedLM", "SequenceClassification", "TokenClassification", "QuestionAnswering")
_EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "embed_in.weight", "word_embeddings.weight")
_CONTEXTS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx")
_LARGEST = 2**40
_MATCH = "configuration and weights must be of one model: download it again"


def read_config(folder: Path) -> JsonObject:
    """Read and check `config.json`.

    Raises:
        ModelError: it is missing, damaged, unsafe, or not a causal language model's.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise ModelError(
            f"{folder}: there is no config.json",
            hint="a model folder holds config.json, safetensors weights and a tokenizer",
        )
    config = read_json(path)
    place = Place(file=path)
    for key, value in _everything(config):
        _refuse_unsafe(key, value, place)
    _require_causal(config, place)
    if config.get("quantization_config") is not None:
        raise ModelError(
            "the weights are quantised already",
            hint="use the original weights, with base.quantize: nf4 to save memory",
            place=place,
        )
    tokenizer = folder / "tokenizer_config.json"
    if tokenizer.is_file() and "auto_map" in read_json(tokenizer):
        raise ModelError(
            "the tokenizer needs code from the folder (auto_map), which is never run",
            hint="use a model whose tokenizer is a tokenizer.json",
            place=Place(file=tokenizer),
        )
    return config


def read_json(path: Path) -> JsonObject:
    """A JSON file that holds one object.

    Raises:
        ModelError: it holds anything else; `place` has line and column.
    """
    try:
        content = json.loads(path.read_text("utf-8"), object_pairs_hook=unique_keys)
    except json.JSONDecodeError as error:
        raise ModelError(
            f"not JSON: {error.msg}",
            hint="download the file again",
            place=Place(file=path, line=error.lineno, column=error.colno),
        ) from error
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"not JSON: {error}", hint="download the file again", place=Place(file=path)
        ) from error
    if not isinstance(content, dict):
        raise ModelError(
            "not a JSON object", hint="download the file again", place=Place(file=path)
        )
    return content


def unique_keys(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """A JSON object whose keys occur once; ValueError names one that does not."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice} occurs twice")
    return found


def text_part(config: JsonObject) -> JsonObject:
    """The language model's own section, in models of several kinds of input."""
    inner = config.get("text_config")
    return inner if isinstance(inner, dict) else config


def context_of(config: JsonObject) -> int | None:
    """How many tokens the model was made for, if it says so."""
    for part in (text_part(config), config):
        for key in _CONTEXTS:
            value = part.get(key)
            if type(value) is int and value > 0:
                return value
    return None


def check_shapes(
    folder: Path, config: JsonObject, shapes: Mapping[str, tuple[int, ...]], parameters: int
) -> int:
    """Compare the configuration with the tensors; what is left is compared at loading.

    Returns:
        The rows of the input embedding: token ids must be below this.

    Raises:
        ModelError: they are not of one model.
    """
    place = Place(file=folder / "config.json")
    text = text_part(config)
    width = _number(text, "hidden_size", "n_embd", "d_model")
    vocabulary = _number(text, "vocab_size")
    layers = _number(text, "num_hidden_layers", "n_layer", "num_layers")
    inner = _number(text, "intermediate_size", "n_inner", "ffn_dim")
    if vocabulary is None:
        raise ModelError("there is no vocab_size", hint=_MATCH, place=place)
    embedding = next(
        (shape for name, shape in shapes.items() if name.endswith(_EMBEDDINGS) and len(shape) == 2),
        None,
    )
    if embedding is not None and embedding[0] != vocabulary:
        raise ModelError(
            f"vocab_size is {vocabulary:,}, the embedding has {embedding[0]:,} rows",
            hint=_MATCH,
            place=place,
        )
    for what, size in (("vocab_size", vocabulary), ("intermediate_size", inner)):
        if size is not None and width is not None and size * width > parameters:
            raise ModelError(
                f"hidden_size {width:,} times {what} {size:,} is more than the "
                f"{parameters:,} weights in the files",
                hint=_MATCH,
                place=place,
            )
    _require_layers(layers, shapes, place)
    return vocabulary


def _require_layers(
    layers: int | None, shapes: Mapping[str, tuple[int, ...]], place: Place
) -> None:
    """Names such as `model.layers.11.mlp.weight` show how many layers there are."""
    numbers = {
        int(part)
        for name in shapes
        for before, part in zip(name.split("."), name.split(".")[1:], strict=False)
        if before in {"layers", "h", "blocks"} and part.isascii() and part.isdigit()
    }
    if layers is not None and numbers and layers > max(numbers) + 1:
        raise ModelError(
            f"num_hidden_layers is {layers:,}, the files hold {max(numbers) + 1}",
            hint=_MATCH,
            place=place,
        )


def _number(config: JsonObject, *keys: str) -> int | None:
    for key in keys:
        value = config.get(key)
        if type(value) is int:
            return value
    return None


def _everything(config: JsonObject) -> Iterator[tuple[str, Json]]:
    """Each key and value, nested sections included."""
    for key, value in config.items():
        yield key, value
        if isinstance(value, dict):
            yield from _everything(value)


def _refuse_unsafe(key: str, value: Json, place: Place) -> None:
    if key == "auto_map":
        raise ModelError(
            "the model needs code from its folder (auto_map), which is never run",
            hint="use a model whose architecture is part of Transformers",
            place=place,
        )
    if key.startswith("_") and key not in _HARMLESS:
        raise ModelError(
            f"the private key {key} is not for model files",
            hint=f"remove {key} if you trust the rest",
            place=place,
        )
    if key in {"attn_implementation", "experts_implementation"} and value is not None:
        raise ModelError(
            f"{key} may fetch code and is not for model files",
            hint=f"remove {key} if you trust the rest",
            place=place,
        )
    if type(value) is int and abs(value) > _LARGEST:
        raise ModelError(f"{key} is {value:,}", hint="no model is that large", place=place)


def _require_causal(config: JsonObject, place: Place) -> None:
    if not isinstance(config.get("model_type"), str):
        raise ModelError(
            "there is no model_type",
            hint="use a folder that Transformers' save_pretrained wrote",
            place=place,
        )
    architectures = config.get("architectures")
    names = [str(name) for name in architectures] if isinstance(architectures, list) else []
    encodes = bool(names) and all(name.endswith(_ENCODERS) for name in names)
    headless = bool(names) and all(
        name.endswith("Model") and "LMHead" not in name for name in names
    )
    if config.get("is_encoder_decoder") is True or encodes or headless:
        raise ModelError(
            f"{', '.join(names) or config['model_type']} is not a causal language model",
            hint="use a decoder with a language-model head (an architecture ...ForCausalLM)",
            place=place,
        )
