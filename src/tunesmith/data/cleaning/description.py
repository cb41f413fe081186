"""The Croissant description of cleaned rows.

clean.jsonl.croissant.json    {"@type": "sc:Dataset", "license": "https://...", ...}
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tunesmith.contracts import JsonObject
from tunesmith.data.croissant import DataSet, DescribedField, DescribedFile, croissant
from tunesmith.data.lineage import made_by
from tunesmith.data.provenance import StampedSource


def description(
    read: StampedSource, file: DescribedFile, fields: Sequence[DescribedField], rows: int
) -> JsonObject:
    """What is told of the file that was made of a source."""
    origin = read.origin
    facts = origin.facts
    names = ", ".join(Path(stamp.path).name for stamp in read.files)
    based_on = facts.get("url") or facts.get("hub") or facts.get("name") or names
    data = DataSet(
        name=file.name.split(".")[0],
        description=f"{rows:,} rows of {names}, made by {made_by('clean')}.",
        files=(file,),
        fields=tuple(fields),
        licence=origin.licence.expression or origin.licence.text,
        author=facts.get("author", ""),
        citation=facts.get("citation", ""),
        based_on=(based_on,),
    )
    return croissant(data)
