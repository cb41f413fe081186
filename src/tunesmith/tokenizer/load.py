"""Load a base's tokenizer: the ids that Transformers' AutoTokenizer gives, without it.

A folder needs `tokenizer.json`, or `vocab.json` with `merges.txt`. Beside it are read
tokenizer_config.json, special_tokens_map.json, added_tokens.json, generation_config.json,
config.json and the chat template files. Nothing is downloaded and no code is run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tokenizers import Encoding, processors
from tokenizers import Tokenizer as Backend

from tunesmith.contracts import JsonObject
from tunesmith.errors import DataError, ModelError, Place
from tunesmith.tokenizer.families import (
    FAMILIES,
    Family,
    family_of,
    rebuild_model,
    rebuild_pipeline,
)
from tunesmith.tokenizer.files import read_json
from tunesmith.tokenizer.folder import (
    as_text,
    digest,
    model_vocabulary,
    stop_ids,
    templates,
    tokenizer_json,
    vocabulary_and_merges,
)
from tunesmith.tokenizer.special import special_tokens

_REMEMBERED_PIECES = 4096
_LONGEST_PIECE = 256


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
    own_templates: dict[str, str]
    """The chat templates that came with the base, by name."""
    template_variables: dict[str, str]
    """`bos_token` and so on, as Transformers passes them to a template."""
    digest: str
    """sha256 of the tokenizer's files, hexadecimal."""
    begin_ids: tuple[int, ...]
    """What the base puts before plain text, and `end_ids` after it; often the begin token."""
    end_ids: tuple[int, ...]
    backend: Backend = field(repr=False)
    cut_ids: frozenset[int] = field(repr=False)
    """Added tokens that split a text wherever they stand: ids before and after are independent."""
    pieces: dict[str, tuple[int, ...]] = field(repr=False, default_factory=dict)

    @property
    def adds_bos(self) -> bool:
        """Whether plain text gets the begin token in front."""
        return self.bos_id is not None and self.begin_ids[:1] == (self.bos_id,)

    @property
    def own_template(self) -> str | None:
        """The base's own chat template, None where it has none."""
        return self.own_templates.get("default")

    def encode(self, text: str, *, add_special: bool = False) -> list[int]:
        """Ids of `text`; with `add_special` also the begin and end tokens the base adds itself.

        Raises:
            DataError: the text holds half of a surrogate pair, so it is not Unicode text.
        """
        ids = self._checked(self._encode(text).ids)
        return [*self.begin_ids, *ids, *self.end_ids] if add_special else ids

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
        if len(text) > _LONGEST_PIECE:
            return tuple(self.encode(text))
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
    file = folder / "tokenizer.json"
    from_file = file.exists() or file.is_symlink()
    content = tokenizer_json(folder) if from_file else vocabulary_and_merges(folder)
    family = family_of(
        as_text(config.get("tokenizer_class")) or as_text(model_config.get("tokenizer_class")),
        as_text(model_config.get("model_type")),
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
    begin_ids, end_ids = _begin_and_end(backend)
    # The post-processor also trims spaces off the offsets, which the mask cannot use.
    backend.post_processor = None
    ids = {name: backend.token_to_id(token) for name, token in named.items()}
    added = backend.get_added_tokens_decoder()
    special_ids = {index for index, token in added.items() if token.special}
    special_ids |= {index for index in ids.values() if index is not None}
    bos_id, eos_id = ids.get("bos_token"), ids.get("eos_token")
    size = 1 + max(*backend.get_vocab(with_added_tokens=True).values(), 0)
    return Tokenizer(
        folder=folder,
        bos_token=named.get("bos_token") if bos_id is not None else None,
        eos_token=named.get("eos_token") if eos_id is not None else None,
        bos_id=bos_id,
        eos_id=eos_id,
        pad_id=ids.get("pad_token"),
        size=size,
        model_vocabulary=model_vocabulary(model_config),
        special_ids=frozenset(special_ids),
        added_ids=frozenset(added),
        stop_ids=stop_ids(folder, model_config, eos_id, size),
        begin_ids=begin_ids,
        end_ids=end_ids,
        own_templates=templates(folder, config),
        template_variables=named,
        digest=digest(folder),
        backend=backend,
        cut_ids=frozenset(
            index
            for index, token in added.items()
            if not (token.normalized or token.single_word) and not backend.encode_special_tokens
        ),
    )


def _begin_and_end(backend: Backend) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What the post-processor puts before and after any text."""
    bare = backend.encode("a", add_special_tokens=False).ids
    dressed = backend.encode("a", add_special_tokens=True).ids
    for start in range(len(dressed) - len(bare) + 1):
        if dressed[start : start + len(bare)] == bare:
            return tuple(dressed[:start]), tuple(dressed[start + len(bare) :])
    return (), ()


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
