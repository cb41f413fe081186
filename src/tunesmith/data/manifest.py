"""The manifest of a packed folder: what is in it, and that nothing of it was altered since.

    {"version": 1, "files": {"ids.i32": {"bytes": 4096, "sha256": "5c1f..."}, ...},
     "names": ["tickets.jsonl"], "rows_per_example": 1, "extra": {...}, "digest": "77ab..."}

`digest` is the sha256 of all the rest.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tunesmith.contracts import JsonObject
from tunesmith.data.content import canonical
from tunesmith.errors import DataError, Place

VERSION = 1
HINT = "prepare the data again"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStamp:
    """A file as it was written."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a folder holds."""

    files: dict[str, FileStamp]
    names: tuple[str, ...]
    extra: JsonObject
    rows_per_example: int
    digest: str


def write_manifest(folder: Path, stamps: Mapping[str, FileStamp], body: JsonObject) -> None:
    """Write it, last of all files, and wait until it is on the disk."""
    body = {
        "version": VERSION,
        "files": {
            name: {"bytes": stamp.size, "sha256": stamp.sha256} for name, stamp in stamps.items()
        },
        **body,
    }
    body["digest"] = sha256(canonical(body).encode()).hexdigest()
    with (folder / "manifest.json").open("w", encoding="utf-8") as file:
        file.write(canonical(body))
        file.flush()
        os.fsync(file.fileno())


def stamp_file(path: Path, *, sync: bool = False) -> FileStamp:
    """Size and digest of a file; with `sync` it is on the disk afterwards."""
    digest = sha256()
    size = 0
    with path.open("rb") as file:
        while piece := file.read(2**20):
            digest.update(piece)
            size += len(piece)
        if sync:
            os.fsync(file.fileno())
    return FileStamp(size=size, sha256=digest.hexdigest())


def check_file(path: Path, expected: FileStamp) -> None:
    """Compare a file with what was written.

    Raises:
        DataError: it is missing, cut or altered.
    """
    try:
        found = stamp_file(path)
    except FileNotFoundError:
        raise DataError("the file is missing", hint=HINT, place=Place(file=path)) from None
    if found.size != expected.size:
        raise DataError(
            f"{found.size:,} bytes where {expected.size:,} were written",
            hint=HINT,
            place=Place(file=path),
        )
    if found.sha256 != expected.sha256:
        raise DataError(
            "the file was altered after it was written", hint=HINT, place=Place(file=path)
        )


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest of a folder.

    Raises:
        DataError: it is missing or damaged.
    """
    path = folder / "manifest.json"
    try:
        body = json.loads(path.read_bytes())
        digest = body.pop("digest")
        if body["version"] != VERSION or digest != sha256(canonical(body).encode()).hexdigest():
            raise ValueError("it does not match its own digest")
        return Manifest(
            files={
                name: FileStamp(size=stamp["bytes"], sha256=stamp["sha256"])
                for name, stamp in body["files"].items()
            },
            names=tuple(body["names"]),
            extra=body["extra"],
            rows_per_example=body["rows_per_example"],
            digest=digest,
        )
    except FileNotFoundError:
        raise DataError("the file is missing", hint=HINT, place=Place(file=path)) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"the manifest is damaged ({error})", hint=HINT, place=Place(file=path)
        ) from None
