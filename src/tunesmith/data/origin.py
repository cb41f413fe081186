"""Where a source comes from, and under which licence: put together from all who say so.

    recipe            licence: CC-BY-4.0      before
    side file         tickets.jsonl.provenance.json, provenance.json      before
    Croissant         croissant.json, metadata.json      before
    the hub's card    README.md, and the folder's own place in the hub's cache

Each fact is taken from the first that has it. None of them decides which rows are trained.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tunesmith.contracts import Json, JsonObject
from tunesmith.data.licence_terms import all_of
from tunesmith.data.licences import Licence, licence_of
from tunesmith.data.origin_documents import KEYS, Told, documents_in, documents_of
from tunesmith.recipe import Source

_HUB_ID = re.compile(r"(?P<hub>[\w.-]{1,96}/[\w.-]{1,96})(?:@(?P<revision>[\w.-]{1,100}))?\Z")
_HUB_PAGE = re.compile(r"https?://(?:www\.)?huggingface\.co/datasets/([\w.-]+/[\w.-]+)")
_CACHED = re.compile(r"datasets--(?P<owner>[\w.-]+?)--(?P<name>[\w.-]+)\Z")
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_UP = 6
"""Folders above a file in which the root of a downloaded data set is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What is known of where a source comes from."""

    licence: Licence = Licence(text="")
    facts: Mapping[str, str] = field(default_factory=dict)
    """By key, of KEYS but the licence; what is not known is absent."""
    told_by: Mapping[str, str] = field(default_factory=dict)
    """By key: the file that says it, or `recipe`."""
    contradicted: tuple[tuple[str, str], ...] = ()
    """Files that name another licence, and that licence."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """sha256 of files by name, as their description gives them."""
    made: JsonObject = field(default_factory=dict)
    """How `tunesmith clean` made the rows, and from which files; empty for others."""
    remarks: tuple[str, ...] = ()
    """Documents that could not be read, a sentence each."""

    def as_json(self) -> JsonObject:
        """For provenance.json: every key, empty where nothing is known."""
        told: dict[str, Json] = dict(self.told_by)
        return {
            "licence": self.licence.expression,
            "licence_text": self.licence.text,
            **{key: self.facts.get(key, "") for key in KEYS if key != "licence"},
            "told_by": told,
            **({"made": self.made} if self.made else {}),
        }


def origin_of(source: Source, files: Sequence[Path]) -> Origin:
    """Put together what is told about a source's files.

    Raises:
        DataError: a side file is not what it should be.
    """
    own = _recipe(source)
    beside: dict[Path, list[Told]] = {}
    for folder in {file.parent: None for file in files}:
        beside[folder] = documents_in(folder)
        root = hub_root(folder)
        if root is not None:
            beside[folder] += documents_in(root) if root != folder else []
            beside[folder].append(_place_in_hub(folder, root))
    origins = [_together([own, *documents_of(file), *beside[file.parent]]) for file in files]
    return _joined(origins)


def hub_root(folder: Path) -> Path | None:
    """The top of a data set that was downloaded from the hub; None for any other folder."""
    for candidate in (folder, *list(folder.parents)[:_UP]):
        if candidate.parent.name == "snapshots" and _CACHED.match(candidate.parent.parent.name):
            return candidate
        if (candidate / ".cache" / "huggingface" / "download").is_dir():
            return candidate
    return None


def licence_beside(folder: Path) -> Licence:
    """The licence that the documents of a folder name: for a base model's card."""
    return _together(documents_in(folder)).licence


def _recipe(source: Source) -> Told:
    given = {"licence": source.licence, "origin": source.origin, "consent": source.consent}
    return Told(by="recipe", facts={key: value for key, value in given.items() if value})


def _place_in_hub(folder: Path, root: Path) -> Told:
    """The id and the commit, which the hub's own folders tell."""
    cached = _CACHED.match(root.parent.parent.name)
    if cached is not None:
        facts = {"hub": f"{cached['owner']}/{cached['name']}", "revision": root.name}
        return Told(by="the hub's cache", facts=facts)
    notes = root / ".cache" / "huggingface" / "download" / folder.relative_to(root)
    for note in sorted(notes.glob("*.metadata")):
        commit = note.read_text(encoding="utf-8", errors="replace").split("\n")[0].strip()
        if _COMMIT.match(commit):
            return Told(by="the hub's download", facts={"revision": commit})
    return Told(by="the hub's download")


def _together(documents: Iterable[Told]) -> Origin:
    facts: dict[str, str] = {}
    told_by: dict[str, str] = {}
    digests: dict[str, str] = {}
    licences: dict[str, Licence] = {}
    remarks: list[str] = []
    made: JsonObject = {}
    for told in documents:
        made = made or told.made
        for key, value in told.facts.items():
            if key == "licence":
                licence = licence_of(value)
                if licence.text:
                    licences.setdefault(told.by, licence)
            elif key not in facts:
                facts[key], told_by[key] = value, told.by
        digests = {**told.digests, **digests}
        remarks += [f"{told.by} {told.remark}"] if told.remark else []
    _read_origin(facts, told_by)
    by, chosen = next(iter(licences.items()), ("", Licence(text="")))
    if by:
        told_by["licence"] = by
    others = {name: one.shown for name, one in licences.items() if one.shown != chosen.shown}
    return Origin(
        licence=chosen,
        facts=facts,
        told_by=told_by,
        contradicted=tuple(others.items()),
        digests=digests,
        made=made,
        remarks=tuple(remarks),
    )


def _read_origin(facts: dict[str, str], told_by: dict[str, str]) -> None:
    """An origin that is an address or an id of the hub fills those keys, where they are empty."""
    origin = facts.get("origin", "")
    found: dict[str, str] = {}
    if re.match(r"https?://\S+\Z", origin):
        found["url"] = origin
    elif match := _HUB_ID.match(origin):
        found = {key: value for key, value in match.groupdict().items() if value}
    if page := _HUB_PAGE.match(facts.get("url") or found.get("url", "")):
        found.setdefault("hub", page[1])
    for key, value in found.items():
        if key not in facts:
            facts[key] = value
            told_by[key] = told_by.get("origin") or told_by.get("url", "")


def _joined(origins: Sequence[Origin]) -> Origin:
    """One origin for several files: what all say, and all of their licences."""
    first = origins[0]
    if all(origin == first for origin in origins):
        return first
    licences = {origin.licence.shown: origin.licence for origin in origins}
    same = {
        key: value
        for key, value in first.facts.items()
        if all(origin.facts.get(key) == value for origin in origins)
    }
    told = {name: told for origin in origins for name, told in origin.told_by.items()}
    return Origin(
        licence=_all_licences(list(licences.values())),
        facts=same,
        told_by={key: by for key, by in told.items() if key in same or key == "licence"},
        contradicted=tuple(dict.fromkeys(pair for one in origins for pair in one.contradicted)),
        digests={name: digest for one in origins for name, digest in one.digests.items()},
        remarks=tuple(dict.fromkeys(remark for one in origins for remark in one.remarks)),
    )


def _all_licences(licences: Sequence[Licence]) -> Licence:
    if len(licences) == 1:
        return licences[0]
    text = "; ".join(one.shown for one in licences)
    if not all(one.expression for one in licences):
        return Licence(text=text)
    terms = [one.terms for one in licences if one.terms is not None]
    return Licence(
        text=text,
        expression=" AND ".join(
            f"({one.expression})" if " " in one.expression else one.expression for one in licences
        ),
        terms=all_of(terms) if len(terms) == len(licences) else None,
    )
