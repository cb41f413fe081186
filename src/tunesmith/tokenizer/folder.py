"""The files of a base's folder that concern its tokenizer, read and checked.

tokenizer.json                  the whole tokenizer, or vocab.json with merges.txt
tokenizer_config.json           special tokens, class, chat template
generation_config.json, config.json    more end tokens, rows of the embedding
chat_template.jinja, chat_template.json, additional_chat_templates/*.jinja
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tunesmith.contracts import Json, JsonObject
from tunesmith.errors import ModelError, Place
from tunesmith.tokenizer.files import LARGEST_TOKENIZER, read_json, read_text
from tunesmith.tokenizer.patterns import refuse_slow_patterns

HIGHEST_ID = 2**23
_FILES = (
    "tokenizer.json",
    "vocab.json",
    "merges.txt",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "generation_config.json",
    "chat_template.jinja",
    "chat_template.json",
)


def tokenizer_json(folder: Path) -> JsonObject:
    """The content of tokenizer.json, which exists.

    Raises:
        ModelError: it is damaged, too large, has impossible ids or a dangerous expression.
    """
    path = folder / "tokenizer.json"
    content = read_json(path, largest=LARGEST_TOKENIZER)
    model = None if content is None else content.get("model")
    if content is None or not isinstance(model, dict):
        raise ModelError(
            "tokenizer.json has no `model`", hint="download it again", place=Place(file=path)
        )
    vocab = model.get("vocab")
    ids = list(vocab.values()) if isinstance(vocab, dict) else []
    listed = content.get("added_tokens")
    for row in listed if isinstance(listed, list) else []:
        ids.append(row.get("id") if isinstance(row, dict) else None)
    _check_ids(ids, path)
    refuse_slow_patterns(content, path)
    return content


def _check_ids(ids: Iterable[Json], path: Path) -> None:
    for index in ids:
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < HIGHEST_ID:
            raise ModelError(
                f"a token has the id {str(index)[:40]}; ids go from 0 to {HIGHEST_ID - 1}",
                hint="the file is damaged or was made to harm; get it from another place",
                place=Place(file=path),
            )


def vocabulary_and_merges(folder: Path) -> JsonObject:
    """What tokenizer.json would hold, from the older vocab.json and merges.txt.

    Raises:
        ModelError: they are missing or damaged; says what to do with a tokenizer.model.
    """
    vocab = read_json(folder / "vocab.json", largest=LARGEST_TOKENIZER)
    merges = read_text(folder / "merges.txt", largest=LARGEST_TOKENIZER)
    if vocab is None or merges is None:
        if (folder / "tokenizer.model").exists():
            raise ModelError(
                "this base has only a SentencePiece tokenizer.model, which is not read directly",
                hint='convert it once: python -c "from transformers import AutoTokenizer;'
                f" AutoTokenizer.from_pretrained('{folder}').save_pretrained('{folder}')\""
                " (with the package sentencepiece installed); it writes tokenizer.json",
                place=Place(file=folder / "tokenizer.model"),
            )
        raise ModelError(
            "there is no tokenizer: neither tokenizer.json nor vocab.json with merges.txt",
            hint="copy the tokenizer files of the model into its folder",
            place=Place(file=folder),
        )
    _check_ids(vocab.values(), folder / "vocab.json")
    pairs: list[Json] = []
    for number, line in enumerate(merges.split("\n"), start=1):
        if not line or (number == 1 and line.startswith("#version")):
            continue
        parts: list[Json] = [*line.split(" ")]
        if len(parts) != 2:
            raise ModelError(
                "a merge must be two pieces with a space between",
                hint="download merges.txt again",
                place=Place(file=folder / "merges.txt", line=number),
            )
        pairs.append(parts)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": None,
        "model": {"type": "BPE", "vocab": vocab, "merges": pairs},
    }


def stop_ids(
    folder: Path, model_config: JsonObject, eos_id: int | None, size: int
) -> tuple[int, ...]:
    """Ids that end a generation: the tokenizer's, then those of the two configurations."""
    generation = read_json(folder / "generation_config.json") or {}
    text_config = model_config.get("text_config")
    found: list[Json] = [eos_id]
    for source in (generation, model_config, text_config if isinstance(text_config, dict) else {}):
        value = source.get("eos_token_id")
        found.extend(value if isinstance(value, list) else [value])
    stops = [
        index
        for index in found
        if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < size
    ]
    return tuple(dict.fromkeys(stops))


def templates(folder: Path, config: JsonObject) -> dict[str, str]:
    """The chat templates by name; files of their own come before those inside JSON."""
    paths = {path.stem: path for path in (folder / "additional_chat_templates").glob("*.jinja")}
    paths["default"] = folder / "chat_template.jinja"
    texts = {name: read_text(path) for name, path in sorted(paths.items())}
    found = {name: text for name, text in texts.items() if text is not None}
    if found:
        return found
    for source in (config, read_json(folder / "chat_template.json") or {}):
        value = source.get("chat_template")
        if isinstance(value, str):
            return {"default": value}
        entries = value if isinstance(value, list) else [value]
        named: dict[str, str] = {}
        for entry in entries:
            if isinstance(entry, dict):
                name, text = entry.get("name"), entry.get("template")
                if isinstance(name, str) and isinstance(text, str):
                    named[name] = text
        if named:
            return named
    return {}


def model_vocabulary(model_config: JsonObject) -> int | None:
    """Rows of the embedding that config.json states, None where it does not."""
    text_config = model_config.get("text_config")
    for source in (model_config, text_config if isinstance(text_config, dict) else {}):
        value = source.get("vocab_size")
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def digest(folder: Path) -> str:
    """sha256 over the names and contents of all files that decide ids and templates."""
    total = hashlib.sha256()
    for name in _FILES:
        path = folder / name
        if path.is_file():
            total.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def as_text(value: Json) -> str:
    """A string as it is, anything else as an empty one."""
    return value if isinstance(value, str) else ""
