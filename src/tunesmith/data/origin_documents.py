"""What stands beside data and says where it comes from: a side file, Croissant, a hub's card.

    tickets.jsonl.provenance.json   {"licence": "CC-BY-4.0", "origin": "https://example.org",
                                     "consent": "customers agreed", "date": "2026-01-05"}
    croissant.json                  {"@type": "sc:Dataset", "license": "https://...", ...}
    README.md                       front matter, as the Hugging Face hub reads it

A side file is ours, so a key that it does not have is an error. The other two are other
people's: what cannot be read of them is a remark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tunesmith.contracts import Json, JsonObject
from tunesmith.data.columns import kind_of, nearest
from tunesmith.errors import DataError, Place

SIDE_FILE = "provenance.json"
CROISSANT = "croissant.json"
CARD = "README.md"
CHANGES = ".changes.jsonl"
"""End of the name of the list of changes that `tunesmith clean` writes beside its rows."""
KEYS = (
    "name",
    "licence",
    "origin",
    "consent",
    "date",
    "url",
    "author",
    "version",
    "hub",
    "revision",
    "citation",
)
"""What a side file may hold; all of it text. `origin` says how the data was obtained."""
MADE = "made"
"""And, where `tunesmith clean` wrote it, an object: of which files, and by what."""
CHANGES = ".changes.jsonl"
"""Ending of the list of what cleaning did, beside the cleaned rows."""
_LARGEST = 4_000_000
_LONGEST = 2_000
_AND = "; "
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one document says."""

    by: str
    """Name of the file, or `recipe`."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """By key, of KEYS; nothing for what it does not say."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """sha256 of files, by name, as the document gives them."""
    made: JsonObject = field(default_factory=dict)
    """How we made the rows, and from which files."""
    remark: str = ""
    """What is wrong with it."""


def is_description(path: Path) -> bool:
    """Whether a file in a folder of data describes the data and holds no rows."""
    name = path.name.lower()
    if name.endswith(CHANGES):
        return True
    if name.endswith((SIDE_FILE, CROISSANT)):
        stem = name.removesuffix(SIDE_FILE).removesuffix(CROISSANT)
        return stem == "" or stem.endswith(".")
    return name == "metadata.json" and _is_croissant(path)


def documents_in(folder: Path) -> list[Told]:
    """What the documents of a folder say about all that is in it; the first goes before.

    Raises:
        DataError: a side file is not what it should be.
    """
    names: tuple[tuple[str, Callable[[Path], Told]], ...] = (
        (SIDE_FILE, _side_file),
        (CROISSANT, _croissant),
        ("metadata.json", _croissant),
        (CARD, _card),
    )
    found = [
        read(folder / name)
        for name, read in names
        if (folder / name).is_file() and (name != "metadata.json" or _is_croissant(folder / name))
    ]
    return [told for told in found if told.facts or told.digests or told.remark]


def documents_of(file: Path) -> list[Told]:
    """What documents that bear the name of a file say about it.

    Raises:
        DataError: a side file is not what it should be.
    """
    stem = file.name.split(".")[0]
    names = dict.fromkeys((file.name, stem))
    sides = [file.with_name(f"{name}.{SIDE_FILE}") for name in names]
    described = [file.with_name(f"{name}.{CROISSANT}") for name in names]
    return [
        *(_side_file(path) for path in sides if path.is_file()),
        *(_croissant(path) for path in described if path.is_file()),
    ]


def _side_file(path: Path) -> Told:
    place = Place(file=path)
    hint = f'write {{"licence": "CC-BY-4.0", ...}}; the keys are: {", ".join(KEYS)}'
    try:
        body = _json(path)
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read: {error}", hint=hint, place=place) from None
    if not isinstance(body, dict):
        raise DataError(f"holds {kind_of(body)}; an object is expected", hint=hint, place=place)
    facts: dict[str, str] = {}
    made: JsonObject = {}
    for key, value in body.items():
        if key == MADE and isinstance(value, dict):
            made = value
            continue
        ours = "licence" if key == "license" else key
        if ours not in KEYS:
            raise DataError(
                f"there is no key {key}",
                hint=f"{nearest(key, KEYS)}there are: {', '.join(KEYS)}; "
                "a file that is not for us needs another name",
                place=place,
            )
        if not isinstance(value, str):
            raise DataError(f"{key} is {kind_of(value)}; text is expected", hint=hint, place=place)
        facts[ours] = value.strip()
    return Told(
        by=path.name,
        facts={key: value for key, value in facts.items() if value},
        digests=_digest_made(made),
        made=made,
    )


def _digest_made(made: JsonObject) -> dict[str, str]:
    """The sha256 of the file that we made, by its name."""
    name, digest = made.get("file"), made.get("sha256")
    return {name: digest} if isinstance(name, str) and isinstance(digest, str) else {}


def _croissant(path: Path) -> Told:
    try:
        body = _json(path)
    except (OSError, ValueError) as error:
        return Told(by=path.name, remark=f"cannot be read ({error})")
    if not isinstance(body, dict):
        return Told(by=path.name, remark="is no Croissant description")
    facts = {
        "name": _text(_value(body, "name")),
        "licence": _text(_value(body, "license"), joined=_AND),
        "url": _text(_value(body, "url")),
        "version": _text(_value(body, "version")),
        "date": _text(_value(body, "datePublished")),
        "author": _text(_value(body, "creator"), joined=", "),
        "citation": _text(_value(body, "citeAs")) or _text(_value(body, "citation")),
    }
    return Told(
        by=path.name,
        facts={key: value for key, value in facts.items() if value},
        digests=dict(_digests(_value(body, "distribution"))),
    )


def _card(path: Path) -> Told:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST).decode("utf-8", "replace")
    except OSError as error:
        return Told(by=path.name, remark=f"cannot be read ({error.strerror})")
    front = _FRONT_MATTER.match(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    if front is None:
        return Told(by=path.name)
    try:
        body: Any = YAML(typ="safe", pure=True).load(front[1])
    except (YAMLError, ValueError, RecursionError) as error:
        first = str(error).splitlines()[0]
        return Told(by=path.name, remark=f"its front matter cannot be read ({first})")
    if not isinstance(body, dict):
        return Told(by=path.name)
    licence = _text(body.get("license"), joined=_AND)
    if licence.casefold() in {"", "other", "unknown"}:
        licence = _text(body.get("license_name")) or _text(body.get("license_link"))
    facts = {"name": _text(body.get("pretty_name")), "licence": licence}
    return Told(by=path.name, facts={key: value for key, value in facts.items() if value})


def _json(path: Path) -> Json:
    """The JSON of a small file; ValueError where it is none."""
    if path.stat().st_size > _LARGEST:
        raise ValueError("it is too large to describe data")
    try:
        value: Json = json.loads(path.read_text(encoding="utf-8-sig"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def _is_croissant(path: Path) -> bool:
    try:
        body = _json(path)
    except (OSError, ValueError):
        return False
    kind = body.get("@type") if isinstance(body, dict) else None
    kinds = kind if isinstance(kind, list) else [kind]
    return any(re.split(r"[:/]", str(one))[-1] == "Dataset" for one in kinds)


def _value(body: JsonObject, name: str) -> Json:
    """A property, under its short or its full name."""
    keys = (name, f"sc:{name}", f"schema:{name}", f"https://schema.org/{name}", f"cr:{name}")
    return next((body[key] for key in keys if key in body), None)


def _text(value: Any, joined: str = "") -> str:  # noqa: ANN401 - YAML of other people
    """Text, of an object its name or address; of a list the first, or all of them joined."""
    if not isinstance(value, list):
        return _scalar(value)
    texts = [text for text in map(_scalar, value[:20]) if text]
    return joined.join(texts) if joined else next(iter(texts), "")


def _scalar(value: Any) -> str:  # noqa: ANN401 - as above
    if isinstance(value, dict):
        keys = ("name", "@value", "en", "url", "@id")
        value = next((value[key] for key in keys if value.get(key)), None)
    if value is None or isinstance(value, bool | list | dict):
        return ""
    return " ".join(str(value).split())[:_LONGEST]


def _digests(distribution: Json) -> Iterator[tuple[str, str]]:
    for entry in distribution if isinstance(distribution, list) else [distribution]:
        if isinstance(entry, dict):
            digest = _text(_value(entry, "sha256")).lower()
            address = _text(_value(entry, "contentUrl")) or _text(_value(entry, "name"))
            if _SHA256.match(digest) and address:
                yield address.split("?")[0].rsplit("/", 1)[-1], digest
