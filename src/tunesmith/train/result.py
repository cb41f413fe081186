"""The folder `model/`: the weights that won, with all that is needed to chat with them.

    adapter_config.json + adapter_model.safetensors     or a full Hugging Face folder
    tokenizer files, chat_template.jinja                the template that was trained with
    generation_config.json                              its stop tokens

It is written beside its place, synced, and renamed: it is there whole, or not at all.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from tunesmith.contracts import Adapter, Json, JsonObject
from tunesmith.runs import Run
from tunesmith.runs.durable import (
    full_disk_named,
    replace_folder,
    sweep,
    sync_file,
    sync_folder,
)
from tunesmith.tokenizer.files import read_json
from tunesmith.tokenizer.load import Tokenizer
from tunesmith.tokenizer.template import Template

_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
)
_TEMPLATE_FILES = ("chat_template.jinja", "chat_template.json")
_MORE_TEMPLATES = "additional_chat_templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """How the model reads and writes text."""

    tokenizer: Tokenizer
    template: Template
    stop_ids: tuple[int, ...]
    """Tokens that end an answer."""


def write_model(run: Run, model: nn.Module, adapter: Adapter, speech: Speech) -> Path:
    """Write the model as it is now to `model/`, in place of an earlier one.

    Raises:
        ResourceError: the disk is full; an earlier `model/` is untouched.
    """
    final = run.path("model")
    temporary = run.path(".writing-model")
    with full_disk_named(final):
        sweep(run.folder)
        temporary.mkdir()
        try:
            adapter.save(model, temporary)
            _write_speech(temporary, speech)
            for path in sorted(temporary.rglob("*")):
                if path.is_dir():
                    sync_folder(path)
                else:
                    sync_file(path)
            replace_folder(temporary, final)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return final


def _write_speech(folder: Path, speech: Speech) -> None:
    base = speech.tokenizer.folder
    for name in _TOKENIZER_FILES:
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)
    if speech.template.source == speech.tokenizer.own_template:
        for name in _TEMPLATE_FILES:
            if (base / name).is_file():
                shutil.copyfile(base / name, folder / name)
        if (base / _MORE_TEMPLATES).is_dir():
            shutil.copytree(base / _MORE_TEMPLATES, folder / _MORE_TEMPLATES)
    else:
        (folder / "chat_template.jinja").write_text(speech.template.source, encoding="utf-8")
        _replace_template(folder / "tokenizer_config.json", speech.template.source)
    _write_generation(folder, base, speech.stop_ids)


def _replace_template(path: Path, source: str) -> None:
    """Older readers take the template from tokenizer_config.json: it must not say another."""
    config = read_json(path)
    if config is not None and "chat_template" in config:
        config["chat_template"] = source
        path.write_text(json.dumps(config, indent=2, ensure_ascii=False), encoding="utf-8")


def _write_generation(folder: Path, base: Path, stop_ids: Sequence[int]) -> None:
    path = folder / "generation_config.json"
    config: JsonObject = read_json(path) or read_json(base / path.name) or {}
    before = config.get("eos_token_id")
    known: list[Json] = before if isinstance(before, list) else [before]
    # Those that were trained come first: some programs read only one.
    stops = dict.fromkeys([*stop_ids, *(token for token in known if isinstance(token, int))])
    if stops:
        found: list[Json] = list(stops)
        config["eos_token_id"] = found if len(found) > 1 else found[0]
    path.write_text(json.dumps(config, indent=2), encoding="utf-8")
