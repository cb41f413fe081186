"""Rows of tokens on disk: written once, memory-mapped ever after, every byte accounted for.

    train/
      ids.i32  weights.u8 (or .f32)      the tokens of all rows, one after the other
      rows.bin                           one ROW record a row: where it begins and ends, ...
      manifest.json                      size and sha256 of each file, and of itself

A folder appears complete or not at all. Opening it checks every digest: a cut or flipped
file is a DataError, and whoever can make the folder again does so.

Shapes: R rows, T tokens of one row.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tunesmith.contracts import JsonObject, TokenRow
from tunesmith.data.content import canonical
from tunesmith.errors import DataError, Place
from tunesmith.runs.durable import full_disk_named, replace_folder

Scalar = TypeVar("Scalar", bound=np.generic)

VERSION = 2
ROW = np.dtype(
    [
        ("begin", "<i8"),
        ("length", "<i4"),
        ("trained", "<i4"),
        ("source", "<i4"),
        ("file", "<i4"),
        ("line", "<i8"),
        ("example", "<i8"),
        ("group", "<u8"),
        ("digest", "V32"),
    ]
)
_HINT = "prepare the data again"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedRow:
    """A row and where it belongs."""

    row: TokenRow
    source: int = 0
    """Index of the recipe's source."""
    example: int = 0
    """Index of the example within its source; several rows may come from one."""
    group: int = 0
    """The example's group as a number; 0 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedRows:
    """An opened folder; sliced without reading what is not asked for."""

    folder: Path
    ids: NDArray[np.int32]
    weights: NDArray[np.uint8] | NDArray[np.float32]
    records_R: NDArray[np.void]
    files: tuple[str, ...]
    """Names that the records' `file` counts into."""
    digest: str
    """sha256 over everything in the folder."""
    extra: JsonObject = field(default_factory=dict)
    """What the writer put beside the rows."""
    rows_per_example: int = 1
    """Rows that follow one another and belong together: 2 for pairs, chosen before rejected."""

    def __len__(self) -> int:
        return len(self.records_R)

    @property
    def lengths(self) -> NDArray[np.int32]:
        """Tokens of each row."""
        return self.records_R["length"].astype(np.int32)

    @property
    def trained(self) -> NDArray[np.int32]:
        """Trained tokens of each row."""
        return self.records_R["trained"].astype(np.int32)

    @property
    def source_of(self) -> NDArray[np.int32]:
        """Source of each row."""
        return self.records_R["source"].astype(np.int32)

    @property
    def example_of(self) -> NDArray[np.int64]:
        """Example of each row, within its source."""
        return self.records_R["example"].astype(np.int64)

    def row(self, index: int) -> TokenRow:
        """The tokens of a row; a view on the file, not to be written to."""
        record = self.records_R[index]
        begin, end = int(record["begin"]), int(record["begin"]) + int(record["length"])
        return TokenRow(
            ids_T=self.ids[begin:end],
            weights_T=self.weights[begin:end].astype(np.float32),
            place=self.place(index),
            digest=record["digest"].tobytes().hex(),
        )

    def packed(self, index: int) -> PackedRow:
        """A row with what belongs to it, for writing it elsewhere."""
        record = self.records_R[index]
        return PackedRow(
            row=self.row(index),
            source=int(record["source"]),
            example=int(record["example"]),
            group=int(record["group"]),
        )

    def place(self, index: int) -> Place:
        """File and line of a row."""
        record = self.records_R[index]
        return Place(file=self.files[int(record["file"])], line=int(record["line"]))


def write_packed(
    folder: Path,
    rows: Iterable[PackedRow],
    extra: JsonObject | None = None,
    *,
    rows_per_example: int = 1,
) -> PackedRows:
    """Write rows into `folder`, which appears when it is complete, and open it.

    Args:
        folder: replaced where it exists.
        rows: taken one at a time; only 80 bytes a row stay in memory.
        extra: kept in the manifest; read after the last row was taken, so that whoever makes
            the rows may fill it on the way.
        rows_per_example: how many rows each example has, one after the other; with 1 an
            example may also have several rows that do not belong together.

    Raises:
        ResourceError: the disk is full.
    """
    temporary = folder.with_name(f".writing-{folder.name}-{uuid.uuid4().hex[:12]}")
    with full_disk_named(folder):
        temporary.mkdir(parents=True)
        try:
            _write(temporary, rows, extra if extra is not None else {}, rows_per_example)
            replace_folder(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return open_packed(folder)


def open_packed(folder: Path) -> PackedRows:
    """Open what `write_packed` wrote, after checking every byte.

    Raises:
        DataError: something is missing, cut, or altered.
    """
    manifest = _manifest(folder)
    for name, expected in manifest.files.items():
        _check(folder / name, expected)
    weights = "weights.f32" if "weights.f32" in manifest.files else "weights.u8"
    return PackedRows(
        folder=folder,
        ids=_mapped(folder / "ids.i32", np.dtype("<i4")),
        weights=_mapped(folder / weights, np.dtype("<f4" if weights.endswith("f32") else "u1")),
        records_R=np.fromfile(folder / "rows.bin", dtype=ROW),
        files=manifest.names,
        digest=manifest.digest,
        extra=manifest.extra,
        rows_per_example=manifest.rows_per_example,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stamp:
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manifest:
    files: dict[str, _Stamp]
    names: tuple[str, ...]
    extra: JsonObject
    rows_per_example: int
    digest: str


def _write(
    folder: Path, rows: Iterable[PackedRow], extra: JsonObject, rows_per_example: int
) -> None:
    numbers: dict[str, int] = {}
    fractional = False
    with (
        (folder / "ids.i32").open("wb") as ids,
        (folder / "weights.f32").open("wb") as weights,
        (folder / "rows.bin").open("wb") as records,
    ):
        for record in _records(_whole(rows, rows_per_example), numbers):
            packed, described = record
            packed.row.ids_T.astype("<i4", copy=False).tofile(ids)
            weights_T = packed.row.weights_T.astype("<f4", copy=False)
            weights_T.tofile(weights)
            fractional = fractional or not bool(np.isin(weights_T, (0.0, 1.0)).all())
            described.tofile(records)
    if not fractional:
        _narrow(folder)
    names = ["ids.i32", "weights.f32" if fractional else "weights.u8", "rows.bin"]
    stamps = {name: _stamp(folder / name, sync=True) for name in names}
    body: JsonObject = {
        "version": VERSION,
        "files": {
            name: {"bytes": stamp.size, "sha256": stamp.sha256} for name, stamp in stamps.items()
        },
        "names": list(numbers),
        "extra": extra,
        "rows_per_example": rows_per_example,
    }
    body["digest"] = sha256(canonical(body).encode()).hexdigest()
    with (folder / "manifest.json").open("w", encoding="utf-8") as file:
        file.write(canonical(body))
        file.flush()
        os.fsync(file.fileno())


def _whole(rows: Iterable[PackedRow], rows_per_example: int) -> Iterator[PackedRow]:
    """The rows as they come; those of an example must be complete."""
    if rows_per_example == 1:
        yield from rows
        return
    coming = iter(rows)
    while example := tuple(itertools.islice(coming, rows_per_example)):
        names = {(row.source, row.example) for row in example}
        assert len(example) == rows_per_example and len(names) == 1, "an example is torn apart"
        yield from example


def _records(
    rows: Iterable[PackedRow], numbers: dict[str, int]
) -> Iterator[tuple[PackedRow, NDArray[np.void]]]:
    begin = 0
    for packed in rows:
        row = packed.row
        name = str(row.place.file)
        length = len(row.ids_T)
        record = np.zeros(1, dtype=ROW)
        record["begin"], record["length"] = begin, length
        record["trained"] = int(np.count_nonzero(row.weights_T))
        record["source"], record["example"] = packed.source, packed.example
        record["file"], record["line"] = numbers.setdefault(name, len(numbers)), row.place.line
        record["group"] = packed.group
        record["digest"] = np.frombuffer(bytes.fromhex(row.digest), dtype="V32")
        begin += length
        yield packed, record


def _narrow(folder: Path) -> None:
    """Weights that are all 0 or 1 need one byte, not four."""
    with (folder / "weights.f32").open("rb") as wide, (folder / "weights.u8").open("wb") as narrow:
        while piece := wide.read(2**22):
            np.frombuffer(piece, dtype="<f4").astype(np.uint8).tofile(narrow)
    (folder / "weights.f32").unlink()


def _stamp(path: Path, *, sync: bool = False) -> _Stamp:
    digest = sha256()
    size = 0
    with path.open("rb") as file:
        while piece := file.read(2**20):
            digest.update(piece)
            size += len(piece)
        if sync:
            os.fsync(file.fileno())
    return _Stamp(size=size, sha256=digest.hexdigest())


def _check(path: Path, expected: _Stamp) -> None:
    try:
        found = _stamp(path)
    except FileNotFoundError:
        raise DataError("the file is missing", hint=_HINT, place=Place(file=path)) from None
    if found.size != expected.size:
        raise DataError(
            f"{found.size:,} bytes where {expected.size:,} were written",
            hint=_HINT,
            place=Place(file=path),
        )
    if found.sha256 != expected.sha256:
        raise DataError(
            "the file was altered after it was written", hint=_HINT, place=Place(file=path)
        )


def _manifest(folder: Path) -> _Manifest:
    path = folder / "manifest.json"
    try:
        body = json.loads(path.read_bytes())
        digest = body.pop("digest")
        if body["version"] != VERSION or digest != sha256(canonical(body).encode()).hexdigest():
            raise ValueError("it does not match its own digest")
        return _Manifest(
            files={
                name: _Stamp(size=stamp["bytes"], sha256=stamp["sha256"])
                for name, stamp in body["files"].items()
            },
            names=tuple(body["names"]),
            extra=body["extra"],
            rows_per_example=body["rows_per_example"],
            digest=digest,
        )
    except FileNotFoundError:
        raise DataError("the file is missing", hint=_HINT, place=Place(file=path)) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"the manifest is damaged ({error})", hint=_HINT, place=Place(file=path)
        ) from None


def _mapped(path: Path, kind: np.dtype[Scalar]) -> NDArray[Scalar]:
    if path.stat().st_size == 0:
        return np.empty(0, dtype=kind)
    return np.memmap(path, dtype=kind, mode="r")
