"""Parquet: read in batches of a few hundred rows, so that memory does not grow with the file.

    {"question": "Is it open on Sunday?", "answer": "Yes, from 10."}   row 1

A row's line number is its position from 1. Columns that hold no JSON (binary, dates as
numbers) are dates in ISO form or left out with a notice. NaN and null are both null; an
infinite number is refused, as it is in JSON.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tunesmith.contracts import Json, RawRow
from tunesmith.data.columns import listed, printable
from tunesmith.data.lines import MAX_ROW_BYTES, too_long
from tunesmith.errors import DataError, Place

_BATCH_ROWS = 256
MIN_BOMB_ROWS = 1_000_000
MIN_BOMB_BYTES = 2**30
MAX_RATIO = 1000


def rows(path: Path, notice: Callable[[str], None]) -> Iterator[RawRow]:
    """The rows of a file.

    Raises:
        DataError: damaged, encrypted, or unpacking to far more than it should.
    """
    try:
        with pq.ParquetFile(path, buffer_size=2**20, pre_buffer=False) as file:
            _check_size(path, file.metadata)
            columns = _readable(path, file.schema_arrow, notice)
            yield from _batches(path, file, columns)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"the Parquet file is damaged or encrypted ({_first_sentence(error)})",
            hint="copy or write the file again",
            place=Place(file=path),
        ) from None


def _batches(path: Path, file: pq.ParquetFile, columns: list[str]) -> Iterator[RawRow]:
    number = 0
    for batch in file.iter_batches(_BATCH_ROWS, columns=columns, use_threads=False):
        batch.validate(full=True)
        if batch.nbytes > _BATCH_ROWS * MAX_ROW_BYTES:
            raise too_long(Place(file=path, line=number + 1))
        for values in batch.to_pylist():
            number += 1
            place = Place(file=path, line=number)
            try:
                plain = {name: _plain(value) for name, value in values.items()}
            except OverflowError as error:
                raise DataError(
                    str(error), hint="write null, a number, or leave the column out", place=place
                ) from None
            yield RawRow(values=plain, place=place)


def _check_size(path: Path, metadata: pq.FileMetaData) -> None:
    size = path.stat().st_size
    unpacked = sum(
        metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups)
    )
    too_many = metadata.num_rows > max(MIN_BOMB_ROWS, size)
    if too_many or unpacked > max(MIN_BOMB_BYTES, MAX_RATIO * size):
        raise DataError(
            f"{size:,} bytes claim to hold {metadata.num_rows:,} rows, {unpacked:,} bytes unpacked",
            hint="data to learn from does not pack like that; write the file again",
            place=Place(file=path),
        )


def _readable(path: Path, schema: pa.Schema, notice: Callable[[str], None]) -> list[str]:
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if twice:
        raise DataError(
            f"two columns are called {printable(twice[0])}",
            hint="rename or remove one of them",
            place=Place(file=path),
        )
    columns = [field.name for field in schema if _is_json(field.type)]
    left_out = [name for name in schema.names if name not in columns]
    if left_out:
        notice(f"{path.name}: columns without text or numbers are not read: {listed(left_out)}")
    return columns


def _is_json(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_json(kind.value_type)
    if pa.types.is_struct(kind):
        return all(_is_json(kind.field(index).type) for index in range(kind.num_fields))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _is_json(kind.value_type)
    return any(
        test(kind)
        for test in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_string_view,
            pa.types.is_integer,
            pa.types.is_floating,
            pa.types.is_boolean,
            pa.types.is_null,
            pa.types.is_decimal,
            pa.types.is_temporal,
        )
    )


def _plain(value: Any) -> Json:  # noqa: ANN401  # what Arrow hands out has no narrower type
    match value:
        case float():
            if math.isinf(value):
                raise OverflowError(f"the number {value} is infinite")
            return None if math.isnan(value) else value
        case None | bool() | int() | str():
            return value
        case dict():
            return {key: _plain(entry) for key, entry in value.items()}
        case list():
            return [_plain(entry) for entry in value]
        case Decimal():
            return float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _first_sentence(error: Exception) -> str:
    return str(error).strip().splitlines()[0].split(". ")[0][:160] or type(error).__name__
