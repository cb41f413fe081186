"""Croissant 1.0: a data set described for machines, written for data that we make.

    {"@type": "sc:Dataset", "name": "tickets", "license": "https://spdx.org/licenses/MIT.html",
     "distribution": [{"@type": "cr:FileObject", "name": "tickets.jsonl", "sha256": "5c1f..."}],
     "recordSet": [{"@type": "cr:RecordSet", "field": [{"name": "question", ...}]}]}

JSON-LD after http://mlcommons.org/croissant/1.0. What others wrote is read by `origin`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from tunesmith.contracts import Json, JsonObject

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
DataType = Literal["sc:Text", "sc:Integer", "sc:Float", "sc:Boolean"]
_OWN_NAMES = (
    "citeAs",
    "column",
    "equivalentProperty",
    "extract",
    "field",
    "fileProperty",
    "fileObject",
    "fileSet",
    "format",
    "includes",
    "isLiveDataset",
    "jsonPath",
    "key",
    "md5",
    "parentField",
    "path",
    "recordSet",
    "references",
    "regex",
    "repeated",
    "replace",
    "samplingRate",
    "separator",
    "source",
    "subField",
    "transform",
)
_CONTEXT: JsonObject = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{name: f"cr:{name}" for name in _OWN_NAMES},
}
_ENCODINGS = {
    ".jsonl": "application/jsonlines",
    ".ndjson": "application/jsonlines",
    ".json": "application/json",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".tab": "text/tab-separated-values",
    ".parquet": "application/x-parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".gz": "application/gzip",
}
_PAGES = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "CC-BY-NC-4.0": "https://creativecommons.org/licenses/by-nc/4.0/",
    "CC-BY-NC-SA-4.0": "https://creativecommons.org/licenses/by-nc-sa/4.0/",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedFile:
    """A file of the data set."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedField:
    """A column, or a key of the objects in one."""

    name: str
    type: DataType | None = "sc:Text"
    """None for what Croissant has no type for: values that are nested deeper, or mixed."""
    repeated: bool = False
    parts: tuple[DescribedField, ...] = ()
    """Keys of the objects that stand in it; then it has no type of its own."""

    @property
    def has_type(self) -> bool:
        """Whether Croissant can say what stands in it."""
        return any(part.has_type for part in self.parts) or self.type is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """What is told of a data set; whatever is not known stays empty."""

    name: str
    description: str
    files: tuple[DescribedFile, ...]
    fields: tuple[DescribedField, ...]
    """Of the rows, the same in all files; see `fields_of`."""
    licence: str = ""
    """An SPDX expression, or the text that was given."""
    url: str = ""
    version: str = ""
    date: str = ""
    """ISO 8601: when the files were made."""
    author: str = ""
    citation: str = ""
    based_on: tuple[str, ...] = ()
    """URLs, hub ids or names of what it was made from."""


def describe_file(path: Path) -> DescribedFile:
    """A file's name, size and digest."""
    digest = sha256()
    with path.open("rb") as file:
        while piece := file.read(2**20):
            digest.update(piece)
        size = os.fstat(file.fileno()).st_size
    return DescribedFile(name=path.name, sha256=digest.hexdigest(), bytes=size)


def fields_of(rows: Iterable[JsonObject]) -> tuple[DescribedField, ...]:
    """The columns of rows, in the order in which they appear; they may be a stream."""
    columns: dict[str, _Seen] = {}
    for row in rows:
        for name, value in row.items():
            columns.setdefault(name, _Seen()).see(value)
    return tuple(seen.field(name) for name, seen in columns.items())


def croissant(data: DataSet) -> JsonObject:
    """The Croissant description of a data set, as JSON-LD: write it as `croissant.json`."""
    told: JsonObject = {
        "license": licence_page(data.licence),
        "url": data.url,
        "version": data.version,
        "datePublished": data.date,
        "creator": {"@type": "sc:Organization", "name": data.author} if data.author else "",
        "citeAs": data.citation,
        "isBasedOn": list(data.based_on),
    }
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": data.name,
        "description": data.description,
        **{name: value for name, value in told.items() if value},
        "distribution": [_file(file) for file in data.files],
        "recordSet": [_records(data, file, index) for index, file in enumerate(data.files)],
    }


def licence_page(licence: str) -> str:
    """The page of a single SPDX licence; an expression of several, or other text, as it is."""
    if not licence or " " in licence or licence.startswith("LicenseRef-"):
        return licence
    if ":" in licence or "/" in licence:
        return licence
    return _PAGES.get(licence, f"https://spdx.org/licenses/{licence}.html")


def _file(file: DescribedFile) -> JsonObject:
    ending = Path(file.name.lower()).suffix
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": file.name,
        "contentSize": f"{file.bytes} B",
        "encodingFormat": _ENCODINGS.get(ending, "text/plain"),
        "sha256": file.sha256,
    }


def _records(data: DataSet, file: DescribedFile, index: int) -> JsonObject:
    """The rows of a file; with several files, each has a record set of its own name."""
    name = "rows" if len(data.files) == 1 else f"rows-{index + 1}"
    out: JsonObject = {"@type": "cr:RecordSet", "@id": name, "name": name}
    untold = [
        path
        for field in data.fields
        for path in ([field.name] if not field.has_type else _untold_parts(field))
    ]
    if untold:
        out["description"] = f"Nested or mixed values, not described: {', '.join(untold)}"
    told = [field for field in data.fields if field.has_type]
    return {**out, "field": [_field(field, name, file.name) for field in told]}


def _untold_parts(field: DescribedField) -> list[str]:
    return [f"{field.name}.{part.name}" for part in field.parts if not part.has_type]


def _field(field: DescribedField, records: str, file: str) -> JsonObject:
    path = f"{records}/{field.name}"
    out = _plain(field, path)
    if not field.parts:
        return {**out, "source": _source(file, field.name)}
    parts: list[Json] = [
        {
            **_plain(part, f"{path}/{part.name}"),
            "source": {**_source(file, field.name), "transform": {"jsonPath": _key(part.name)}},
        }
        for part in field.parts
        if part.has_type
    ]
    return {**out, "subField": parts}


def _key(name: str) -> str:
    """A key in JSONPath: quoted where it is more than letters, digits and underscores."""
    return name if name.isidentifier() else "'" + name.replace("'", "\\'") + "'"


def _plain(field: DescribedField, path: str) -> JsonObject:
    out: JsonObject = {"@type": "cr:Field", "@id": path, "name": path}
    if not field.parts:
        out["dataType"] = field.type
    if field.repeated:
        out["repeated"] = True
    return out


def _source(file: str, column: str) -> JsonObject:
    return {"fileObject": {"@id": file}, "extract": {"column": column}}


class _Seen:
    """The kinds of value that a column had."""

    def __init__(self) -> None:
        self._types: set[DataType] = set()
        self._parts: dict[str, _Seen] = {}
        self._repeated = False
        self._deep = False

    def see(self, value: Json, *, inside: bool = False) -> None:
        match value:
            case None:
                return
            case bool():
                self._types.add("sc:Boolean")
            case int():
                self._types.add("sc:Integer")
            case float():
                self._types.add("sc:Float")
            case str():
                self._types.add("sc:Text")
            case list() | dict() if inside:
                self._deep = True
            case dict():
                self._keys(value)
            case list():
                self._repeated = True
                for entry in value:
                    if isinstance(entry, dict):
                        self._keys(entry)
                    else:
                        self.see(entry, inside=True)

    def _keys(self, value: JsonObject) -> None:
        for name, inner in value.items():
            self._parts.setdefault(name, _Seen()).see(inner, inside=True)

    def field(self, name: str) -> DescribedField:
        if self._parts and not self._types and not self._deep:
            parts = tuple(seen.field(key) for key, seen in self._parts.items())
            return DescribedField(name=name, type=None, repeated=self._repeated, parts=parts)
        untold = self._deep or bool(self._parts)
        return DescribedField(
            name=name, type=None if untold else self._type(), repeated=self._repeated
        )

    def _type(self) -> DataType:
        if self._types == {"sc:Integer", "sc:Float"}:
            return "sc:Float"
        return next(iter(self._types)) if len(self._types) == 1 else "sc:Text"
