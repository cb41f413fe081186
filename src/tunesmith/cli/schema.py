"""`tunesmith schema`: the JSON Schema of a recipe, for editors that complete and check YAML.

tunesmith schema > tunesmith.schema.json
# yaml-language-server: $schema=tunesmith.schema.json      (first line of a recipe)
"""

from __future__ import annotations

import sys


def command() -> None:
    """Print the JSON Schema of a recipe, for editors."""
    from tunesmith.recipe.options import SCHEMA_FILE

    sys.stdout.write(SCHEMA_FILE.read_text(encoding="utf-8"))
