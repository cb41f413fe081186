"""The ledger of a run's data: each source with its files, rows, licence and origin.

    provenance.json   {"sources": [{"path": "tickets.jsonl", "licence": "CC-BY-4.0", "rows": 415,
                       "rows_sha256": "90ab...", "files": [{"sha256": "5c1f...", ...}], ...}],
                       "base": {"licence": "Apache-2.0", ...}, ...}
    left_out.jsonl    {"digest": "77cd...", "source": 0, "file": "tickets.jsonl", "line": 9,
                       "why": "overlong"}

`rows_sha256` is the sha256 over the sha256 of the rows, in order: equal for the same rows in
another format. Runs from before a key was there have it empty.

Shapes: E examples, R rows of tokens of one part.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.contracts import Json, JsonObject
from tunesmith.data.encoded import EncodedSource
from tunesmith.data.fit import Fit
from tunesmith.data.licences import Licence, licence_of
from tunesmith.data.origin import licence_beside
from tunesmith.data.origin_documents import KEYS
from tunesmith.data.summary import Summary
from tunesmith.errors import DataError, Place
from tunesmith.runs.durable import full_disk_named

FILE = "provenance.json"
LEFT_OUT = "left_out.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A source in the ledger."""

    path: str
    held_out: bool
    """A file of its own to measure with; a share that is held out belongs to its source."""
    files: tuple[tuple[str, str], ...]
    """Path and sha256 of each."""
    rows: int | None
    rows_sha256: str
    format: str | None
    columns: dict[str, str]
    licence: Licence
    facts: dict[str, str]
    """By key of `origin_documents.KEYS`; without those that are not known."""
    made: JsonObject = field(default_factory=dict)
    """How `tunesmith clean` made the rows, and from which files; empty for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What a run's data was made from."""

    date: str
    """When it was prepared, UTC."""
    digest: str
    entries: tuple[Entry, ...]
    """The sources in order, and the held-out file last, as rows count them."""
    base_licence: Licence


def entries_of(summary: Summary) -> list[JsonObject]:
    """Each part for provenance.json."""
    parts = zip(summary.stamps.parts, summary.surveys, summary.encoded, strict=True)
    return [
        {
            **stamped.as_json(),
            **_rows(stamped.as_json()["files"], encoded),
            "unusable": len(survey.faulty_R),
            "formats": list(survey.formats),
        }
        for stamped, survey, encoded in parts
    ]


def base_entry(folder: Path) -> JsonObject:
    """The licence that a base's folder names."""
    licence = licence_beside(folder)
    return {"licence": licence.expression, "licence_text": licence.text}


def write_left_out(path: Path, summary: Summary) -> None:
    """Write which rows are neither trained nor held out, and why.

    Raises:
        ResourceError: the disk is full.
    """
    with full_disk_named(path), path.open("w", encoding="utf-8", newline="\n") as file:
        for part, (encoded, fitted) in enumerate(zip(summary.encoded, summary.fits, strict=True)):
            for line in _left_out(encoded, fitted):
                file.write(json.dumps({"source": part, **line}, ensure_ascii=False) + "\n")


def read_ledger(run_folder: Path) -> Ledger:
    """The ledger of a run.

    Raises:
        DataError: the run's data was not prepared, or the record is damaged.
    """
    path = run_folder / "data" / FILE
    place = Place(file=path)
    try:
        body = json.loads(path.read_bytes())
        held_out = len(body["sources"])
        return Ledger(
            date=body["date"],
            digest=body["digest"],
            entries=tuple(
                _entry(entry, held_out=index >= held_out)
                for index, entry in enumerate([*body["sources"], *body["held_out"]])
            ),
            base_licence=_licence(body.get("base", {})),
        )
    except FileNotFoundError:
        raise DataError(
            "the run's data is not prepared yet", hint="resume the run", place=place
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"the record is damaged ({type(error).__name__}: {error})",
            hint="restore it, or start a new run",
            place=place,
        ) from None


def _entry(body: JsonObject, *, held_out: bool) -> Entry:
    files, columns, rows = body["files"], body["columns"], body.get("rows")
    if not isinstance(files, list) or not isinstance(columns, dict):
        raise TypeError("a source without files or columns")
    stamps = [(str(file["path"]), str(file["sha256"])) for file in files if isinstance(file, dict)]
    told = {key: str(body.get(key) or "") for key in KEYS if key != "licence"}
    made = body.get("made")
    return Entry(
        path=str(body["path"]),
        held_out=held_out,
        files=tuple(stamps),
        rows=rows if isinstance(rows, int) else None,
        rows_sha256=str(body.get("rows_sha256", "")),
        format=str(body["format"]) if body["format"] is not None else None,
        columns={name: str(column) for name, column in columns.items()},
        licence=_licence(body),
        facts={key: value for key, value in told.items() if value},
        made=made if isinstance(made, dict) else {},
    )


def _licence(body: JsonObject) -> Licence:
    return licence_of(str(body.get("licence") or body.get("licence_text") or ""))


def _rows(files: Json, encoded: EncodedSource) -> JsonObject:
    """How many rows a part and each of its files have, and the digest over theirs."""
    packed = encoded.packed
    assert isinstance(files, list), "as_json writes a list"
    first_E = np.unique(packed.example_of, return_index=True)[1]
    file_E = packed.records_R["file"][first_E]
    digest_E = np.ascontiguousarray(packed.records_R["digest"][first_E])
    numbers = {name: number for number, name in enumerate(packed.files)}
    counted: list[Json] = []
    for file in files:
        assert isinstance(file, dict), "as_json writes objects"
        own = digest_E[file_E == numbers.get(str(file["path"]), -1)]
        digest = sha256(own.tobytes()).hexdigest()
        counted.append({**file, "rows": len(own), "rows_sha256": digest})
    return {
        "files": counted,
        "rows": len(digest_E),
        "rows_sha256": sha256(digest_E.tobytes()).hexdigest(),
    }


def _left_out(encoded: EncodedSource, fitted: Fit) -> Iterator[JsonObject]:
    """The examples of which no row is kept, each once."""
    packed, example_R = encoded.packed, encoded.example_R
    kept_E = np.zeros(int(example_R.max(initial=-1)) + 1, dtype=bool)
    kept_E[example_R[fitted.kept]] = True
    overlong_E = np.zeros(len(kept_E), dtype=bool)
    overlong_E[example_R[fitted.overlong_R]] = True
    first_E: NDArray[np.int64] = np.unique(example_R, return_index=True)[1]
    for example in np.flatnonzero(~kept_E).tolist():
        row = int(first_E[example])
        place = packed.place(row)
        yield {
            "digest": packed.records_R[row]["digest"].tobytes().hex(),
            "file": str(place.file),
            "line": place.line,
            "why": "overlong" if overlong_E[example] else "nothing_to_train",
        }
