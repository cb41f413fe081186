"""About how many rows there will be, so that progress can say how long it takes.

a file of one row a line: its lines        Parquet, workbooks, compressed files: not known
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tunesmith.data.provenance import StampedSource
from tunesmith.data.read import ending_of

_A_ROW_A_LINE = (".jsonl", ".ndjson", ".csv", ".tsv", ".tab")


def rows_expected(parts: Iterable[StampedSource]) -> int:
    """Lines of all files, or 0 where a file is of another kind."""
    lines = 0
    for part in parts:
        for stamp in part.files:
            path = Path(stamp.path)
            if ending_of(path) not in _A_ROW_A_LINE:
                return 0
            with path.open("rb") as file:
                while piece := file.read(2**20):
                    lines += piece.count(b"\n")
    return lines
