"""Rows into tables, CSV and Parquet, where every row has every column.

    {"question": "Open?", "answer": "Yes."}, {"question": "When?", "answer": "Now.", "n": 1}
        ->  question,answer,n
            Open?,Yes.,
            When?,Now.,1

What a table cannot hold as it is, lists and objects above all, stands in it as JSON in text,
which the formats read.
"""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from tunesmith.contracts import Json, JsonObject
from tunesmith.errors import DataError
from tunesmith.runs.durable import full_disk_named

_BATCH_ROWS = 1024


class WaitingRows:
    """Rows in a temporary file, and the columns that they have, in order of appearance."""

    def __init__(self) -> None:
        """Begin empty."""
        self._file = tempfile.TemporaryFile(buffering=2**20)  # noqa: SIM115  # closed by __exit__
        self.columns: dict[str, None] = {}

    def __enter__(self) -> WaitingRows:
        """Itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Forget the rows."""
        self._file.close()

    def add(self, row: JsonObject) -> None:
        """Keep a row."""
        self.columns.update(dict.fromkeys(row))
        with full_disk_named(Path(tempfile.gettempdir())):
            self._file.write(json.dumps(row).encode() + b"\n")

    def __iter__(self) -> Iterator[JsonObject]:
        """All rows so far."""
        self._file.seek(0)
        for line in self._file:
            yield json.loads(line)


def write_delimited(file: TextIO, rows: WaitingRows, delimiter: str) -> None:
    """Write rows as CSV; null and absent are empty cells."""
    table = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
    table.writerow(rows.columns)
    for row in rows:
        table.writerow([cell(row.get(name)) for name in rows.columns])


def cell(value: Json) -> str:
    """A value as the text of a cell."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def write_parquet(path: Path, rows: WaitingRows) -> None:
    """Write rows as Parquet; columns whose values have no common type are JSON in text.

    Raises:
        DataError: there are no columns.
    """
    if not rows.columns:
        raise DataError("there are no rows to write", hint="nothing was left of the data")
    types = _types(rows)
    while True:
        faulty = _write(path, rows, types)
        if not faulty:
            return
        types.update(dict.fromkeys(faulty, pa.string()))


def _types(rows: WaitingRows) -> dict[str, pa.DataType]:
    """One type a column, that of text where Arrow finds none for all of its values."""
    types: dict[str, pa.DataType] = dict.fromkeys(rows.columns, pa.null())
    for batch in _batches(rows):
        for name, known in types.items():
            try:
                found = pa.infer_type([row.get(name) for row in batch])
                schemas = [pa.schema([(name, known)]), pa.schema([(name, found)])]
                types[name] = pa.unify_schemas(schemas, promote_options="permissive").field(0).type
            except pa.ArrowException:
                types[name] = pa.string()
    return {name: pa.string() if pa.types.is_null(kind) else kind for name, kind in types.items()}


def _write(path: Path, rows: WaitingRows, types: dict[str, pa.DataType]) -> list[str]:
    """Write all rows; the columns that would not read back as they are, then nothing is right."""
    with pq.ParquetWriter(path, pa.schema(list(types.items()))) as file:
        for batch in _batches(rows):
            arrays, faulty = [], []
            for name, kind in types.items():
                values = [_as_held(row.get(name), kind) for row in batch]
                try:
                    array = pa.array(values, type=kind)
                except pa.ArrowException:
                    faulty.append(name)
                    continue
                if array.to_pylist() != values:
                    faulty.append(name)
                arrays.append(array)
            if faulty:
                return faulty
            file.write_batch(pa.RecordBatch.from_arrays(arrays, schema=file.schema))
    return []


def _as_held(value: Json, kind: pa.DataType) -> Json:
    return cell(value) if pa.types.is_string(kind) and value is not None else value


def _batches(rows: WaitingRows) -> Iterator[list[JsonObject]]:
    stream = iter(rows)
    while batch := list(islice(stream, _BATCH_ROWS)):
        yield batch
