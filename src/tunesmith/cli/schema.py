"""`tunesmith schema`: JSON Schemas, for editors that complete recipes and tools that read audits.

tunesmith schema > tunesmith.schema.json
# yaml-language-server: $schema=tunesmith.schema.json      (first line of a recipe)
"""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer


class Of(StrEnum):
    """What the schema describes."""

    RECIPE = "recipe"
    AUDIT = "audit"


What = Annotated[Of, typer.Argument(help="recipe, or audit for audit.json.", metavar="[WHAT]")]


def command(what: What = Of.RECIPE) -> None:
    """Print the JSON Schema of a recipe, or of audit.json."""
    from tunesmith.data.audit.schema import audit_schema
    from tunesmith.recipe.options import SCHEMA_FILE

    if what is Of.AUDIT:
        print(json.dumps(audit_schema(), indent=1, ensure_ascii=False))
        return
    sys.stdout.write(SCHEMA_FILE.read_text(encoding="utf-8"))
