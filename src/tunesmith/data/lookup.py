"""Was this row in this run? Asked by its digest, or by the row itself.

    find(run, "5c1f09ab")   ->   trained, tickets.jsonl:17, CC-BY-4.0

The digest is that of the row's content (`content.digest_of`), the same in every format and as
`row_hash` in audit.json; it stands in the records of run/data, which hold no words.

Shapes: R rows of tokens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tunesmith.contracts import JsonObject, RawRow
from tunesmith.data.columns import kind_of
from tunesmith.data.content import digest_of
from tunesmith.data.ledger import LEFT_OUT, Entry, Ledger
from tunesmith.data.readers import json_lines
from tunesmith.data.recognise import recognise
from tunesmith.data.store import read_records
from tunesmith.data.strict_json import JsonFault, decode
from tunesmith.errors import DataError, InputError, Place
from tunesmith.recipe import Source

Where = Literal["trained", "held out", "left out"]
MIN_DIGITS = 8
_DIGITS = re.compile(r"[0-9a-f]+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A row of the run's data that has the digest."""

    where: Where
    digest: str
    place: Place
    entry: Entry
    """Its source."""
    why: str = ""
    """Of a row that was left out: the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a run's data says about a row."""

    asked: tuple[str, ...]
    """The digests or their beginnings."""
    matches: tuple[Match, ...]
    """Trained ones first; as many as there are copies."""
    left_out_known: bool
    """Whether the run records the rows that it left out."""

    @property
    def where(self) -> Where | Literal["not there"]:
        """The strongest of all matches."""
        return self.matches[0].where if self.matches else "not there"


def find(run_folder: Path, ledger: Ledger, *digests: str) -> Answer:
    """Look for rows by their digests, whole or the first 8 digits or more of them.

    Raises:
        InputError: that is no digest.
        DataError: the run's data is missing or damaged.
    """
    wanted = tuple(_checked(digest) for digest in digests)
    folder = run_folder / "data"
    matches = _packed(folder / "train", "trained", ledger, wanted)
    if (folder / "heldout").exists():
        matches += _packed(folder / "heldout", "held out", ledger, wanted)
    left_out = folder / LEFT_OUT
    if left_out.exists():
        matches += _left_out(left_out, ledger, wanted)
    return Answer(asked=wanted, matches=tuple(matches), left_out_known=left_out.exists())


def digests_of(text: str, ledger: Ledger, name: str) -> tuple[str, ...]:
    """The digests that a row, given as JSON, has under the formats and columns of the sources.

    Args:
        text: one JSON object.
        ledger: the sources that it may have come from.
        name: of the file that holds the text, for errors.

    Raises:
        DataError: it is no row that any of them could have read.
    """
    row = RawRow(values=_object(text, name), place=Place(file=name))
    digests: dict[str, None] = {}
    faults: list[DataError] = []
    for entry in ledger.entries:
        source = Source(path=entry.path, format=entry.format, columns=entry.columns)
        try:
            digests[digest_of(recognise([row], source).parse(row))] = None
        except DataError as fault:
            faults.append(fault)
    if not digests:
        raise faults[0]
    return tuple(digests)


def _checked(digest: str) -> str:
    folded = digest.strip().lower()
    if not _DIGITS.match(folded) or not MIN_DIGITS <= len(folded) <= 64:
        raise InputError(
            f"{digest[:80]!r} is not the digest of a row",
            hint=f"give {MIN_DIGITS} to 64 hexadecimal digits, as row_hash in audit.json, "
            "or the row itself with --text FILE",
        )
    return folded


def _packed(folder: Path, where: Where, ledger: Ledger, wanted: tuple[str, ...]) -> list[Match]:
    rows = read_records(folder)
    digests_R = np.ascontiguousarray(rows.records_R["digest"])
    found: dict[tuple[int, int], Match] = {}
    for row in _candidates(digests_R, wanted):
        record = rows.records_R[row]
        part = int(record["source"])
        match = Match(
            where=where,
            digest=digests_R[row].tobytes().hex(),
            place=rows.place(row),
            entry=ledger.entries[part],
        )
        found.setdefault((part, int(record["example"])), match)
    return list(found.values())


def _candidates(digests_R: NDArray[np.void], wanted: tuple[str, ...]) -> list[int]:
    """Rows whose digest begins as one of the wanted, in order; numbers first, then all digits."""
    starts_R = digests_R.view(">u8").reshape(-1, 4)[:, 0].astype(np.uint64)
    near_R = np.zeros(len(starts_R), dtype=bool)
    for digest in wanted:
        low, high = (int(digest[:16].ljust(16, filler), 16) for filler in "0f")
        near_R |= (starts_R >= np.uint64(low)) & (starts_R <= np.uint64(high))
    return [
        row
        for row in np.flatnonzero(near_R).tolist()
        if digests_R[row].tobytes().hex().startswith(wanted)
    ]


def _left_out(path: Path, ledger: Ledger, wanted: tuple[str, ...]) -> Iterator[Match]:
    for row in json_lines.rows(path, lambda _: None):
        values = row.values
        try:
            if str(values["digest"]).startswith(wanted):
                yield Match(
                    where="left out",
                    digest=str(values["digest"]),
                    place=Place(file=str(values["file"]), line=int(str(values["line"]))),
                    entry=ledger.entries[int(str(values["source"]))],
                    why=str(values["why"]),
                )
        except (KeyError, ValueError, IndexError):
            raise DataError(
                "the record is damaged", hint="prepare the data again", place=row.place
            ) from None


def _object(text: str, name: str) -> JsonObject:
    place = Place(file=name)
    hint = 'give one row as a JSON object, e.g. {"question": "...", "answer": "..."}'
    stripped = text.removeprefix("\ufeff").strip()
    try:
        value, end = decode(stripped)
    except json.JSONDecodeError as error:
        raise DataError(f"not JSON: {error.msg}", hint=hint, place=place) from None
    except JsonFault as fault:
        raise DataError(fault.what, hint=fault.hint, place=place) from None
    if stripped[end:].strip():
        raise DataError("more than one value", hint=hint, place=place)
    if not isinstance(value, dict):
        raise DataError(f"this is {kind_of(value)}; an object is expected", hint=hint, place=place)
    return value
