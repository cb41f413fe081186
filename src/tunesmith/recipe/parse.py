"""YAML into plain data that still knows where it came from.

YAML 1.2 through ruamel.yaml: `1e-4` is a number, `no` is the word, a duplicate key is an
error; tags make no objects, and aliases cannot unfold to an enormous size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import ConstructorError, DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from tunesmith.errors import Place, RecipeError

MAX_BYTES = 1_000_000
MAX_NODES = 20_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the values came from, to give errors a place."""

    file: Path | None
    document: Any
    overridden: frozenset[tuple[str, ...]]

    def place(self, path: tuple[str | int, ...]) -> Place | None:
        """The line and column of a key, or None for values from the command line."""
        keys = tuple(str(part) for part in path)
        if any(keys[: len(key)] == key for key in self.overridden):
            return Place(file="command line")
        if self.file is None:
            return None
        node, line, column = self.document, 0, 0
        for part in path:
            if isinstance(node, CommentedMap) and part in node:
                line, column = node.lc.key(part)
            elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
                line, column = node.lc.item(part)
            else:
                break
            node = node[part]
        return Place(file=self.file, line=line + 1, column=column + 1)


def parse_file(file: Path) -> Any:
    """The document of a recipe file, with positions; RecipeError where it is not YAML."""
    if not file.is_file():
        raise RecipeError(f"there is no recipe file {file}", hint="tunesmith init writes one")
    if file.stat().st_size > MAX_BYTES:
        raise RecipeError(f"{file} is larger than a recipe can be", hint="is it the data file?")
    yaml = YAML(typ="rt", pure=True)
    try:
        text = file.read_text(encoding="utf-8")
        document = yaml.load(text)
    except UnicodeDecodeError as error:
        raise RecipeError(
            f"the recipe is not UTF-8 text ({error.reason} at byte {error.start})",
            hint="save it as UTF-8",
            place=Place(file=file),
        ) from None
    except (MarkedYAMLError, DuplicateKeyError, ConstructorError) as error:
        mark = error.problem_mark
        what = (error.problem or "not valid YAML").split("\n")[0]
        if isinstance(error, DuplicateKeyError):
            what = what.split(" with value")[0]
        place = Place(file=file, line=mark.line + 1, column=mark.column + 1) if mark else None
        raise RecipeError(f"YAML: {what}", hint="correct this line", place=place) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise RecipeError(f"not valid YAML: {error}", place=Place(file=file)) from None
    if document is None:
        return CommentedMap()
    if not isinstance(document, CommentedMap):
        raise RecipeError(
            "a recipe is a mapping of sections",
            hint="start with `base:` and `data:`; tunesmith init writes an example",
            place=Place(file=file, line=1),
        )
    return document


def _plain(node: Any, origin: Origin, path: tuple[str | int, ...], budget: list[int]) -> Any:
    """Plain Python data; refuses alias bombs, tags, and numbers that JSON does not have."""
    budget[0] -= 1
    if budget[0] < 0:
        raise RecipeError(
            "the recipe unfolds to an enormous size",
            hint="remove the YAML aliases",
            place=origin.place(path[:1]),
        )
    if isinstance(node, dict):
        return {
            str(key): _plain(value, origin, (*path, key), budget) for key, value in node.items()
        }
    if isinstance(node, list):
        return [_plain(value, origin, (*path, i), budget) for i, value in enumerate(node)]
    if isinstance(node, bool) or node is None:
        return node
    if isinstance(node, int):
        return int(node)
    if isinstance(node, float):
        if not math.isfinite(node):
            raise RecipeError(
                f"{float(node)} is not a number that a recipe can use",
                hint="write a finite number",
                place=origin.place(path),
            )
        return float(node)
    return str(node)


def plain(document: Any, file: Path | None) -> Any:
    """Plain Python data of a document; RecipeError for bombs and numbers JSON lacks."""
    return _plain(document, Origin(file, document, frozenset()), (), [MAX_NODES])


def parse_value(key: str, text: str) -> Any:
    """The value of an override, read as YAML; what is not YAML is text."""
    if not text.strip():
        return None
    try:
        parsed = YAML(typ="rt", pure=True).load(text)
    except YAMLError:
        return text
    return _plain(parsed, Origin(None, None, frozenset({()})), tuple(key.split(".")), [MAX_NODES])
