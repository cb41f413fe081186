"""Where the data came from, by content: what a run may be resumed on, and what it may not.

    {"path": "tickets.jsonl", "sha256": "5c1f...", "bytes": 40312,
     "modified": "2026-01-05T10:00:00+00:00"}

The *preparation digest* covers everything that decides the training rows. Paths and dates
are kept for people and are not part of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from tunesmith.contracts import JsonObject
from tunesmith.data.content import canonical
from tunesmith.data.origin import Origin, origin_of
from tunesmith.data.read import files_of
from tunesmith.errors import DataError, Place
from tunesmith.recipe import Data, Source

VERSION = 4
"""Raised when the same files and options give other tokens than before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStamp:
    """One file as it was when it was read."""

    path: str
    sha256: str
    bytes: int
    modified: str
    """Date of the last change, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StampedSource:
    """A source with its files."""

    source: Source
    files: tuple[FileStamp, ...]
    origin: Origin = field(default_factory=Origin)
    """Where it comes from, and its licence; this decides no row."""

    def as_json(self) -> JsonObject:
        """For provenance.json."""
        return {
            "path": self.source.path,
            "weight": self.source.weight,
            "format": self.source.format,
            "columns": dict(self.source.columns),
            "files": [asdict(stamp) for stamp in self.files],
            **self.origin.as_json(),
        }

    def deciding(self) -> JsonObject:
        """What of it decides the rows."""
        return {
            "format": self.source.format,
            "columns": dict(self.source.columns),
            "files": [[Path(stamp.path).name, stamp.sha256] for stamp in self.files],
        }


def stamped(source: Source) -> StampedSource:
    """The files of a source, hashed, and where they come from.

    Raises:
        DataError: one of them cannot be read.
    """
    files = files_of(source.path)
    return StampedSource(
        source=source,
        files=tuple(_file_stamp(path) for path in files),
        origin=origin_of(source, files),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """All files that a recipe's data names."""

    sources: tuple[StampedSource, ...]
    held_out: StampedSource | None
    """The file of `held_out`, read as the first source is; None for a share or a number."""

    @property
    def parts(self) -> tuple[StampedSource, ...]:
        """The sources, and the held-out file last where there is one."""
        return (*self.sources, self.held_out) if self.held_out else self.sources


def stamp(data: Data) -> Stamps:
    """Hash every file.

    Raises:
        DataError: one cannot be read, or the held-out file is also a training file.
    """
    sources = tuple(stamped(source) for source in data.sources)
    if not isinstance(data.held_out, str):
        return Stamps(sources=sources, held_out=None)
    first = data.sources[0]
    held_out = stamped(Source(path=data.held_out, format=first.format, columns=first.columns))
    trained = {file.sha256: file.path for source in sources for file in source.files}
    for file in held_out.files:
        if file.sha256 in trained:
            raise DataError(
                f"the held-out file is also trained on (as {trained[file.sha256]})",
                hint="give data.held_out another file, or a share such as 0.1",
                place=Place(file=file.path),
            )
    return Stamps(sources=sources, held_out=held_out)


def check_still(stamped_source: StampedSource) -> None:
    """Notice a file that changed while it was read.

    Raises:
        DataError: one did.
    """
    for stamp in stamped_source.files:
        path = Path(stamp.path)
        status = path.stat()
        if (status.st_size, _modified(path)) != (stamp.bytes, stamp.modified):
            raise DataError(
                "the file changed while it was read",
                hint="wait until it is written to its end, and start again",
                place=Place(file=path),
            )


def preparation_digest(stamps: Stamps, data: Data, seed: int, coding: JsonObject) -> str:
    """sha256 over everything that decides the training rows, and their order."""
    decided: JsonObject = {
        "version": VERSION,
        "sources": [{**part.deciding(), "weight": part.source.weight} for part in stamps.sources],
        "held_out": stamps.held_out.deciding() if stamps.held_out else data.held_out,
        "max_length": data.max_length,
        "overlong": data.overlong,
        "shuffle": data.shuffle,
        "seed": seed,
        "coding": coding,
    }
    return sha256(canonical(decided).encode()).hexdigest()


def _file_stamp(path: Path) -> FileStamp:
    digest = sha256()
    modified = _modified(path)
    size = 0
    with path.open("rb") as file:
        while piece := file.read(2**20):
            digest.update(piece)
            size += len(piece)
    return FileStamp(path=str(path), sha256=digest.hexdigest(), bytes=size, modified=modified)


def _modified(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()
