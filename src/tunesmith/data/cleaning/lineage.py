"""What stands beside cleaned rows: where they come from, and their Croissant description.

    clean.jsonl.provenance.json   {"licence": "CC-BY-4.0", "origin": "https://example.org",
                                   "made": {"by": "tunesmith clean 0.1.0", "sha256": "90ab...",
                                            "from": [{"file": "t.jsonl", "sha256": "5c1f..."}]}}
    clean.jsonl.croissant.json    {"@type": "sc:Dataset", "license": "https://...", ...}

Licence, consent and origin of the source hold for what is made of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from tunesmith.contracts import JsonObject
from tunesmith.data.croissant import (
    DataSet,
    DescribedField,
    DescribedFile,
    croissant,
    describe_file,
)
from tunesmith.data.origin_documents import KEYS, MADE
from tunesmith.data.provenance import StampedSource

BY = f"tunesmith clean {version('tunesmith')}"


def described(name: Path, written: Path) -> DescribedFile:
    """Digest and size of a file under the name that it will have."""
    return replace(describe_file(written), name=name.name)


def side_file(read: StampedSource, file: DescribedFile, settings: JsonObject) -> JsonObject:
    """The record beside the rows; licence and consent are read from it when they are used."""
    told = read.origin.as_json()
    told["licence"] = told["licence"] or told["licence_text"]
    made: JsonObject = {
        "by": BY,
        "file": file.name,
        "sha256": file.sha256,
        "from": [
            {"file": Path(stamp.path).name, "sha256": stamp.sha256, "bytes": stamp.bytes}
            for stamp in read.files
        ],
        **settings,
    }
    return {**{key: told[key] for key in KEYS if told[key]}, MADE: made}


def description(
    read: StampedSource, file: DescribedFile, fields: Sequence[DescribedField], rows: int
) -> JsonObject:
    """The Croissant description of the rows."""
    origin = read.origin
    facts = origin.facts
    names = ", ".join(Path(stamp.path).name for stamp in read.files)
    based_on = facts.get("url") or facts.get("hub") or facts.get("name") or names
    data = DataSet(
        name=file.name.split(".")[0],
        description=f"{rows:,} rows of {names}, cleaned by {BY}.",
        files=(file,),
        fields=tuple(fields),
        licence=origin.licence.expression or origin.licence.text,
        author=facts.get("author", ""),
        citation=facts.get("citation", ""),
        based_on=(based_on,),
    )
    return croissant(data)
