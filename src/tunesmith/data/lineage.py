"""The record beside rows that we made of others: licence, consent and origin go along.

    clean.jsonl.provenance.json   {"licence": "CC-BY-4.0", "origin": "https://example.org",
                                   "made": {"by": "tunesmith clean 0.1.0", "file": "clean.jsonl",
                                            "sha256": "90ab...",
                                            "from": [{"file": "t.jsonl", "sha256": "5c1f..."}]}}

It is a side file as `origin_documents` reads it.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from tunesmith.contracts import JsonObject
from tunesmith.data.croissant import DescribedFile, describe_file
from tunesmith.data.origin_documents import KEYS, MADE, SIDE_FILE
from tunesmith.data.provenance import StampedSource
from tunesmith.runs.documents import write_json


def made_by(verb: str) -> str:
    """Who made the rows: `tunesmith clean 0.1.0`."""
    return f"tunesmith {verb} {version('tunesmith')}"


def side_file_of(path: Path) -> Path:
    """Where the record of a file stands."""
    return path.with_name(f"{path.name}.{SIDE_FILE}")


def is_known(read: StampedSource) -> bool:
    """Whether anything is told of where a source comes from."""
    origin = read.origin
    return bool(origin.licence.text or origin.facts or origin.made)


def described(name: Path, written: Path) -> DescribedFile:
    """Digest and size of a file under the name that it will have."""
    return replace(describe_file(written), name=name.name)


def write_record(
    path: Path, read: StampedSource, file: DescribedFile, *, verb: str, settings: JsonObject
) -> None:
    """Write the record of a file that was made of a source.

    Args:
        path: where it is written.
        read: the source.
        file: what was made.
        verb: by which command.
        settings: what else is worth knowing of how it was made.
    """
    told = read.origin.as_json()
    told["licence"] = told["licence"] or told["licence_text"]
    made: JsonObject = {
        "by": made_by(verb),
        "file": file.name,
        "sha256": file.sha256,
        "from": [
            {"file": Path(stamp.path).name, "sha256": stamp.sha256, "bytes": stamp.bytes}
            for stamp in read.files
        ],
        **settings,
    }
    if read.origin.made:
        made["before"] = read.origin.made
    write_json(path, {**{key: told[key] for key in KEYS if told[key]}, MADE: made})
