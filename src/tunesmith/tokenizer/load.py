"""Load a base's tokenizer: the ids that Transformers' AutoTokenizer gives, without it.

A folder needs `tokenizer.json`, or `vocab.json` with `merges.txt`. Beside it are read
tokenizer_config.json, special_tokens_map.json, added_tokens.json, generation_config.json,
config.json and the chat template files. Nothing is downloaded and no code is run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tokenizers import Encoding, processors
from tokenizers import Tokenizer as Backend
from tokenizers.processors import PostProcessor

from tunesmith.contracts import Json, JsonObject
from tunesmith.errors import DataError, ModelError, Place
from tunesmith.tokenizer.families import (
    FAMILIES,
    Family,
    family_of,
    rebuild_model,
    rebuild_pipeline,
)
from tunesmith.tokenizer.files import LARGEST_TOKENIZER, read_json, read_text
from tunesmith.tokenizer.patterns import refuse_slow_patterns
from tunesmith.tokenizer.special import special_tokens

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
_REMEMBERED_PIECES = 4096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tokenizer:
    """A base's tokenizer. Ids are those of the model's embedding rows."""

    folder: Path
    bos_token: str | None
    eos_token: str | None
    bos_id: int | None
    eos_id: int | None
    pad_id: int | None
    size: int
    """The highest id plus one, added tokens included."""
    model_vocabulary: int | None
    """Rows of the model's embedding as config.json says; ids at or above it are refused."""
    special_ids: frozenset[int]
    added_ids: frozenset[int]
    """Ids of tokens that are matched as a whole before the text is split, special or not."""
    stop_ids: tuple[int, ...]
    """Ids that end a generation, from the tokenizer, generation_config and config."""
    adds_bos: bool
    """Whether plain text gets the begin token in front."""
    own_templates: dict[str, str]
    """The chat templates that came with the base, by name."""
    template_variables: dict[str, str]
    """`bos_token` and so on, as Transformers passes them to a template."""
    digest: str
    """sha256 of the tokenizer's files, hexadecimal."""
    backend: Backend = field(repr=False)
    post_processor: PostProcessor | None = field(repr=False)
    cut_ids: frozenset[int] = field(repr=False)
    """Added tokens that split a text wherever they stand: ids before and after are independent."""
    pieces: dict[str, tuple[int, ...]] = field(repr=False, default_factory=dict)

    @property
    def own_template(self) -> str | None:
        """The base's own chat template, None where it has none."""
        return self.own_templates.get("default")

    def encode(self, text: str, *, add_special: bool = False) -> list[int]:
        """Ids of `text`; with `add_special` also the begin and end tokens the base adds itself.

        Raises:
            DataError: the text holds half of a surrogate pair, so it is not Unicode text.
        """
        encoding = self._encode(text)
        if add_special and self.post_processor is not None:
            encoding = self.post_processor.process(encoding, None, True)
        return self._checked(encoding.ids)

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids, and for each the (start, end) of its characters, spaces included."""
        encoding = self._encode(text)
        return self._checked(encoding.ids), encoding.offsets

    def encode_all(
        self, texts: Sequence[str]
    ) -> list[tuple[list[int], list[tuple[int, int]]] | DataError]:
        """As `encode_with_offsets` for many texts at once, on all cores.

        A text that cannot be encoded gives its error in its place.
        """
        try:
            encodings = self.backend.encode_batch(list(texts), add_special_tokens=False)
        except (TypeError, UnicodeEncodeError):
            return [self._attempt(text) for text in texts]
        return [(self._checked(encoding.ids), encoding.offsets) for encoding in encodings]

    def encode_piece(self, text: str) -> tuple[int, ...]:
        """As `encode`, for short texts that come again and again."""
        ids = self.pieces.get(text)
        if ids is None:
            if len(self.pieces) >= _REMEMBERED_PIECES:
                self.pieces.clear()
            ids = self.pieces[text] = tuple(self.encode(text))
        return ids

    def encode_continuation(self, text: str) -> list[int]:
        """Ids of `text` where something stands before it: no space is put in front."""
        newline = self.encode_piece("\n")
        ids = self.encode("\n" + text)
        if tuple(ids[: len(newline)]) == newline:
            return ids[len(newline) :]
        return self.encode(text)

    def decode(self, ids: Sequence[int], *, skip_special: bool = True) -> str:
        """The text of `ids`, with or without special tokens."""
        return self.backend.decode(ids, skip_special_tokens=skip_special)

    def token(self, index: int) -> str:
        """How a token is written in the vocabulary."""
        return self.backend.id_to_token(index) or f"<{index}>"

    def _encode(self, text: str) -> Encoding:
        try:
            return self.backend.encode(text, add_special_tokens=False)
        except (TypeError, UnicodeEncodeError) as error:
            raise DataError(
                "this text is not valid Unicode: it holds half of a surrogate pair",
                hint="remove escapes such as \\ud800 from the row",
            ) from error

    def _attempt(self, text: str) -> tuple[list[int], list[tuple[int, int]]] | DataError:
        try:
            return self.encode_with_offsets(text)
        except DataError as error:
            return error

    def _checked(self, ids: list[int]) -> list[int]:
        if self.model_vocabulary is not None and self.size > self.model_vocabulary:
            highest = max(ids, default=0)
            if highest >= self.model_vocabulary:
                raise ModelError(
                    f"the token {self.token(highest)!r} has id {highest}, but the model has only"
                    f" {self.model_vocabulary} embeddings",
                    hint="use the tokenizer that belongs to this model",
                    place=Place(file=self.folder / "tokenizer.json"),
                )
        return ids


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a base or of a tuned model.

    Raises:
        ModelError: no usable tokenizer is there; a file is missing, damaged or too large.
    """
    if not folder.is_dir():
        raise ModelError(
            "there is no such folder", hint="give the folder of a model", place=Place(file=folder)
        )
    config = read_json(folder / "tokenizer_config.json") or {}
    model_config = read_json(folder / "config.json") or {}
    from_file = (folder / "tokenizer.json").exists()
    content = _tokenizer_json(folder) if from_file else _vocabulary_and_merges(folder)
    family = family_of(
        _text(config.get("tokenizer_class")) or _text(model_config.get("tokenizer_class")),
        _text(model_config.get("model_type")),
        byte_level="ByteLevel" in json.dumps({**content, "model": None, "added_tokens": None}),
    )
    model = content["model"]
    if not isinstance(model, dict) or model.get("type", "BPE") != "BPE":
        family = None
    elif not from_file:
        family = family or FAMILIES["GPT2Tokenizer"]
    listed = content.get("added_tokens")
    special = special_tokens(
        config,
        read_json(folder / "special_tokens_map.json") or {},
        read_json(folder / "added_tokens.json") or {},
        [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else [],
        family,
    )
    backend = _backend(folder, content, family, special.named.get("unk_token"))
    if family is not None:
        rebuild_pipeline(backend, family, config)
        if not family.keeps_post_processor:
            backend.post_processor = processors.TemplateProcessing(single="$A", pair="$A $B")
    if special.additions:
        backend.add_tokens(list(special.additions))
    if not from_file:
        _add_begin_and_end(backend, config, special.named)
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = bool(config.get("split_special_tokens"))
    return _assemble(folder, config, model_config, backend, special.named)


def _assemble(
    folder: Path,
    config: JsonObject,
    model_config: JsonObject,
    backend: Backend,
    named: dict[str, str],
) -> Tokenizer:
    # The post-processor also trims spaces off the offsets, which the mask cannot use: it is
    # kept apart and applied only where begin and end tokens are asked for.
    post_processor = backend.post_processor
    backend.post_processor = None
    ids = {name: backend.token_to_id(token) for name, token in named.items()}
    added = backend.get_added_tokens_decoder()
    special_ids = {index for index, token in added.items() if token.special}
    special_ids |= {index for index in ids.values() if index is not None}
    bos_id, eos_id = ids.get("bos_token"), ids.get("eos_token")
    size = 1 + max(*backend.get_vocab(with_added_tokens=True).values(), 0)
    adds_bos = False
    if post_processor is not None and bos_id is not None:
        probe = backend.encode("a", add_special_tokens=False)
        adds_bos = post_processor.process(probe, None, True).ids[:1] == [bos_id]
    return Tokenizer(
        folder=folder,
        bos_token=named.get("bos_token") if bos_id is not None else None,
        eos_token=named.get("eos_token") if eos_id is not None else None,
        bos_id=bos_id,
        eos_id=eos_id,
        pad_id=ids.get("pad_token"),
        size=size,
        model_vocabulary=_model_vocabulary(model_config),
        special_ids=frozenset(special_ids),
        added_ids=frozenset(added),
        stop_ids=_stop_ids(folder, model_config, eos_id, size),
        adds_bos=adds_bos,
        own_templates=_templates(folder, config),
        template_variables=named,
        digest=_digest(folder),
        backend=backend,
        post_processor=post_processor,
        cut_ids=frozenset(
            index
            for index, token in added.items()
            if not (token.normalized or token.single_word) and not backend.encode_special_tokens
        ),
    )


def _tokenizer_json(folder: Path) -> JsonObject:
    path = folder / "tokenizer.json"
    content = read_json(path, largest=LARGEST_TOKENIZER)
    assert content is not None, "the caller saw the file"
    model = content.get("model")
    if not isinstance(model, dict):
        raise ModelError(
            "tokenizer.json has no `model`", hint="download it again", place=Place(file=path)
        )
    vocab = model.get("vocab")
    ids = list(vocab.values()) if isinstance(vocab, dict) else []
    listed = content.get("added_tokens")
    for row in listed if isinstance(listed, list) else []:
        ids.append(row.get("id") if isinstance(row, dict) else None)
    for index in ids:
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < HIGHEST_ID:
            raise ModelError(
                f"a token has the id {str(index)[:40]}; ids go from 0 to {HIGHEST_ID - 1}",
                hint="the file is damaged or was made to harm; get it from another place",
                place=Place(file=path),
            )
    refuse_slow_patterns(content, path)
    return content


def _vocabulary_and_merges(folder: Path) -> JsonObject:
    vocab = read_json(folder / "vocab.json", largest=LARGEST_TOKENIZER)
    merges = read_text(folder / "merges.txt", largest=LARGEST_TOKENIZER)
    if vocab is None or merges is None:
        if (folder / "tokenizer.model").exists():
            raise ModelError(
                "this base has only a SentencePiece tokenizer.model, which is not read directly",
                hint="convert it once: python -c \"from transformers import AutoTokenizer;"
                f" AutoTokenizer.from_pretrained('{folder}').save_pretrained('{folder}')\""
                " (with the package sentencepiece installed); it writes tokenizer.json",
                place=Place(file=folder / "tokenizer.model"),
            )
        raise ModelError(
            "there is no tokenizer: neither tokenizer.json nor vocab.json with merges.txt",
            hint="copy the tokenizer files of the model into its folder",
            place=Place(file=folder),
        )
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


def _backend(
    folder: Path, content: JsonObject, family: Family | None, unk_token: str | None
) -> Backend:
    if family is not None:
        model = content["model"]
        assert isinstance(model, dict), "checked when the file was read"
        rebuilt = rebuild_model(model, family, unk_token)
        content = {**content, "model": rebuilt, "added_tokens": []}
    try:
        return Backend.from_str(json.dumps(content))
    except Exception as error:  # the library raises the bare class
        raise ModelError(
            f"the tokenizer cannot be built: {error}",
            hint="download the tokenizer again; it must load with tokenizers 0.22 or newer",
            place=Place(file=folder / "tokenizer.json"),
        ) from error


def _add_begin_and_end(backend: Backend, config: JsonObject, named: dict[str, str]) -> None:
    begin = named.get("bos_token") if config.get("add_bos_token") else None
    end = named.get("eos_token") if config.get("add_eos_token") else None
    tokens = [(token, backend.token_to_id(token)) for token in (begin, end) if token is not None]
    single = " ".join(part for part in (begin, "$A", end) if part is not None)
    backend.post_processor = processors.TemplateProcessing(
        single=single, pair=f"{single} $B", special_tokens=tokens
    )


def _stop_ids(
    folder: Path, model_config: JsonObject, eos_id: int | None, size: int
) -> tuple[int, ...]:
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


def _templates(folder: Path, config: JsonObject) -> dict[str, str]:
    templates: dict[str, str] = {}
    plain = read_text(folder / "chat_template.jinja")
    if plain is not None:
        templates["default"] = plain
    for path in sorted((folder / "additional_chat_templates").glob("*.jinja")):
        text = read_text(path)
        if text is not None:
            templates[path.stem] = text
    if templates:
        return templates
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


def _model_vocabulary(model_config: JsonObject) -> int | None:
    text_config = model_config.get("text_config")
    for source in (model_config, text_config if isinstance(text_config, dict) else {}):
        value = source.get("vocab_size")
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in _FILES:
        path = folder / name
        if path.is_file():
            digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
