"""JSON Lines: one object a line, blank lines ignored.

{"question": "Is it open on Sunday?", "answer": "Yes, from 10."}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from tunesmith.contracts import RawRow
from tunesmith.data.columns import kind_of
from tunesmith.data.lines import text_lines
from tunesmith.data.strict_json import JsonFault, decode
from tunesmith.errors import DataError, Place


def rows(path: Path, notice: Callable[[str], None]) -> Iterator[RawRow]:
    """The objects of a file, each with its line.

    Raises:
        DataError: a line that is not exactly one JSON object.
    """
    for number, line in text_lines(path):
        if not line.strip():
            continue
        yield _row(path, number, line)


def _row(path: Path, number: int, line: str) -> RawRow:
    start = len(line) - len(line.lstrip())
    try:
        value, end = decode(line, start)
    except json.JSONDecodeError as error:
        cut_off = not line.endswith("\n") and number > 1
        raise DataError(
            f"not JSON: {error.msg}" + ("; the last line is cut off" if cut_off else ""),
            hint=_syntax_hint(line, number, cut_off=cut_off),
            place=Place(file=path, line=number, column=error.colno),
        ) from None
    except JsonFault as fault:
        raise DataError(fault.what, hint=fault.hint, place=Place(file=path, line=number)) from None
    rest = line[end:].strip()
    if not isinstance(value, dict):
        raise DataError(
            f"the line is {kind_of(value)}; an object is expected",
            hint="a JSON array belongs into a .json file; .jsonl has one {...} a line",
            place=Place(file=path, line=number),
        )
    if rest:
        raise DataError(
            "more than one value on the line",
            hint="put each object on a line of its own",
            place=Place(file=path, line=number, column=line.index(rest, end) + 1),
        )
    return RawRow(values=value, place=Place(file=path, line=number))


def _syntax_hint(line: str, number: int, *, cut_off: bool) -> str:
    if cut_off:
        return "the file was not written to its end; copy it again, or delete the last line"
    if number == 1 and line.strip() in ("{", "["):
        return "this looks like indented JSON over several lines: rename the file to .json"
    if "'" in line and '"' not in line:
        return "JSON needs double quotes; write the file with json.dumps"
    return "one complete {...} a line, as json.dumps writes it"
