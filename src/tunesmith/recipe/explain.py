"""Errors of the schema, told to people: the key, its place, the nearest valid name."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from pydantic import BaseModel, ValidationError

from tunesmith import plugins
from tunesmith.errors import Place, RecipeError
from tunesmith.recipe.options import SECTIONS, schema
from tunesmith.recipe.parse import Origin
from tunesmith.recipe.sections import Recipe


def explain(
    error: ValidationError,
    origin: Origin,
    *,
    prefix: tuple[str, ...] = (),
    known: tuple[str, ...] | None = None,
) -> RecipeError:
    """The first error of a validation as a RecipeError; `prefix` is where the data stood."""
    first = error.errors()[0]
    path = prefix + tuple(
        part for part in first["loc"] if not (isinstance(part, str) and part in _UNION_MEMBERS)
    )
    key = ".".join(str(part) for part in path) or "recipe"
    place = origin.place(path)
    if first["type"] == "extra_forbidden":
        candidates = known if known is not None else _known_keys(path[:-1])
        return RecipeError(
            f"unknown key {key}", hint=_nearest(str(path[-1]), candidates), place=place
        )
    message = str(first["msg"]).removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    shown = "" if first["type"] in {"missing", "value_error"} else f", not {first['input']!r}"[:80]
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return RecipeError(f"{key}: {message}{shown}{more}", hint="correct this value", place=place)


_UNION_MEMBERS = frozenset({"float", "int", "str", "bool"})


def _known_keys(path: tuple[str | int, ...]) -> tuple[str, ...]:
    node = Recipe.model_json_schema()
    root = node
    for part in path:
        node = node.get("items", node) if isinstance(part, int) else node["properties"][part]
        if "items" in node and "properties" not in node:
            node = node["items"]
        if "$ref" in node:
            node = root["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return tuple(node.get("properties", {}))


def _nearest(word: str, candidates: Sequence[str]) -> str:
    for section, field in Recipe.model_fields.items():
        inner = field.annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            continue
        if word in inner.model_fields:
            return f"did you mean {section}.{word}?"
    for section, kind in SECTIONS.items():
        for name in plugins.names(kind):
            definition = schema()["$defs"].get(f"{kind}.{name}", {})
            if word in definition.get("properties", {}):
                return f"did you mean {section}.{word}?"
    near = difflib.get_close_matches(word, candidates, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(candidates)}"


def unknown_name(kind: str, name: str, place: Place | None) -> RecipeError:
    """The error for a plugin that does not exist."""
    available = plugins.names(kind)
    near = difflib.get_close_matches(name, available, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return RecipeError(
        f"there is no {kind.removesuffix('s')} called {name}",
        hint=f"{hint}there are: {', '.join(available)}",
        place=place,
    )
