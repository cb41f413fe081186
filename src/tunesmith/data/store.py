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

import contextlib
import itertools
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tunesmith.contracts import JsonObject, TokenRow
from tunesmith.data.manifest import (
    check_file,
    read_manifest,
    stamp_file,
    write_manifest,
)
from tunesmith.errors import Place
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
_BLOCK = 256
"""Rows that are written at once."""


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

    def read(
        self, span: slice
    ) -> tuple[NDArray[np.int32], NDArray[np.uint8] | NDArray[np.float32]]:
        """Ids and weights of a stretch of tokens, read and not mapped: nothing of it stays."""
        count = span.stop - span.start

        def part(name: str, kind: np.dtype[Scalar]) -> NDArray[Scalar]:
            offset = span.start * kind.itemsize
            return np.fromfile(self.folder / name, dtype=kind, count=count, offset=offset)

        ids_T = part("ids.i32", np.dtype("<i4"))
        if self.weights.dtype == np.uint8:
            return ids_T, part("weights.u8", np.dtype("u1"))
        return ids_T, part("weights.f32", np.dtype("<f4"))

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
        rows: taken a block at a time; nothing of them stays in memory.
        extra: kept in the manifest; read after the last row was taken, so that whoever makes
            the rows may fill it on the way.
        rows_per_example: how many rows each example has, one after the other; with 1 an
            example may also have several rows that do not belong together.

    Raises:
        ResourceError: the disk is full.
    """
    with writing(folder, rows_per_example) as writer:
        taken = _whole(rows, rows_per_example)
        while block := list(itertools.islice(taken, _BLOCK)):
            _add(writer, block)
        writer.finish(extra if extra is not None else {})
    return open_packed(folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRecords:
    """What is known of each row without its tokens."""

    records_R: NDArray[np.void]
    files: tuple[str, ...]
    """Names that the records' `file` counts into."""

    def place(self, index: int) -> Place:
        """File and line of a row."""
        record = self.records_R[index]
        return Place(file=self.files[int(record["file"])], line=int(record["line"]))


def read_records(folder: Path) -> RowRecords:
    """The records of what `write_packed` wrote; the tokens are neither read nor checked.

    Raises:
        DataError: the records are missing, cut, or altered.
    """
    manifest = read_manifest(folder)
    check_file(folder / "rows.bin", manifest.files["rows.bin"])
    return RowRecords(records_R=np.fromfile(folder / "rows.bin", dtype=ROW), files=manifest.names)


def open_packed(folder: Path) -> PackedRows:
    """Open what `write_packed` wrote, after checking every byte.

    Raises:
        DataError: something is missing, cut, or altered.
    """
    manifest = read_manifest(folder)
    for name, expected in manifest.files.items():
        check_file(folder / name, expected)
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


class PackedWriter:
    """Writes blocks of rows into a folder that is being made; `finish` completes it."""

    def __init__(self, folder: Path, rows_per_example: int) -> None:
        """Begin in an existing, empty folder."""
        self._folder = folder
        self._rows_per_example = rows_per_example
        self._ids = (folder / "ids.i32").open("wb")
        self._weights = (folder / "weights.u8").open("wb")
        self._records = (folder / "rows.bin").open("wb")
        self._fractional = False
        self._begin = 0
        self._numbers: dict[str, int] = {}

    def number_of(self, file: str) -> int:
        """What a record's `file` says for a file: names are numbered as they come."""
        return self._numbers.setdefault(file, len(self._numbers))

    def add(
        self,
        ids_T: NDArray[np.int32],
        weights_T: NDArray[np.uint8] | NDArray[np.float32],
        records_R: NDArray[np.void],
    ) -> None:
        """Write rows that follow one another.

        Args:
            ids_T: of all rows.
            weights_T: ditto.
            records_R: of each row; `begin` and `trained` are filled in here.
        """
        ends_R = np.cumsum(records_R["length"], dtype=np.int64)
        begins_R = ends_R - records_R["length"]
        trained_T = np.concatenate([[0], np.cumsum(weights_T != 0)])
        records_R["begin"] = begins_R + self._begin
        records_R["trained"] = trained_T[ends_R] - trained_T[begins_R]
        if not self._fractional and weights_T.dtype != np.uint8:
            self._fractional = not bool(((weights_T == 0) | (weights_T == 1)).all())
            if self._fractional:
                self._widen()
        kind = "<f4" if self._fractional else "u1"
        ids_T.astype("<i4", copy=False).tofile(self._ids)
        weights_T.astype(kind, copy=False).tofile(self._weights)
        records_R.tofile(self._records)
        self._begin += len(ids_T)

    def finish(self, extra: JsonObject) -> None:
        """Sync all files and write the manifest."""
        self.close()
        names = ["ids.i32", "weights.f32" if self._fractional else "weights.u8", "rows.bin"]
        stamps = {name: stamp_file(self._folder / name, sync=True) for name in names}
        write_manifest(
            self._folder,
            stamps,
            {
                "names": list(self._numbers),
                "extra": extra,
                "rows_per_example": self._rows_per_example,
            },
        )

    def close(self) -> None:
        """Close the files, complete or not."""
        for file in (self._ids, self._weights, self._records):
            file.close()

    def _widen(self) -> None:
        """Weights that are not all 0 or 1 need four bytes, those before them too."""
        self._weights.close()
        narrow, wide = self._folder / "weights.u8", self._folder / "weights.f32"
        self._weights = wide.open("wb")
        with narrow.open("rb") as file:
            while piece := file.read(2**20):
                np.frombuffer(piece, dtype=np.uint8).astype("<f4").tofile(self._weights)
        narrow.unlink()


@contextlib.contextmanager
def writing(folder: Path, rows_per_example: int) -> Iterator[PackedWriter]:
    """A writer whose rows appear as `folder` after the block, which must end with `finish`.

    Raises:
        ResourceError: the disk is full.
    """
    temporary = folder.with_name(f".writing-{folder.name}-{uuid.uuid4().hex[:12]}")
    with full_disk_named(folder):
        temporary.mkdir(parents=True)
        writer = PackedWriter(temporary, rows_per_example)
        try:
            yield writer
            replace_folder(temporary, folder)
        finally:
            writer.close()
            shutil.rmtree(temporary, ignore_errors=True)


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


def _add(writer: PackedWriter, block: Sequence[PackedRow]) -> None:
    records_R = np.zeros(len(block), dtype=ROW)
    rows = [packed.row for packed in block]
    records_R["length"] = [len(row.ids_T) for row in rows]
    records_R["source"] = [packed.source for packed in block]
    records_R["example"] = [packed.example for packed in block]
    records_R["group"] = [packed.group for packed in block]
    records_R["file"] = [writer.number_of(str(row.place.file)) for row in rows]
    records_R["line"] = [row.place.line for row in rows]
    digests = bytes.fromhex("".join(row.digest for row in rows))
    records_R["digest"] = np.frombuffer(digests, dtype="V32")
    writer.add(
        np.concatenate([row.ids_T for row in rows]),
        np.concatenate([row.weights_T for row in rows]),
        records_R,
    )


def _mapped(path: Path, kind: np.dtype[Scalar]) -> NDArray[Scalar]:
    if path.stat().st_size == 0:
        return np.empty(0, dtype=kind)
    return np.memmap(path, dtype=kind, mode="r")
