"""The options of plugins, checked without importing the plugins.

`schema.json` beside this file is generated from every plugin's Config (a test compares
them); from it the options of a section such as `adapter: {name: lora, rank: 16}` are
checked and completed without loading torch. A plugin from outside is imported instead.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from types import GenericAlias
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from tunesmith import plugins
from tunesmith.contracts import Config, Consumes, Json

SCHEMA_FILE = Path(__file__).with_name("schema.json")
SECTIONS = {"method": "methods", "adapter": "adapters"}
_TYPES: dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool}
_BOUNDS = {"minimum": "ge", "exclusiveMinimum": "gt", "maximum": "le", "exclusiveMaximum": "lt"}


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema of a recipe, as shipped."""
    document: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return document


@cache
def options_model(section: str, name: str) -> type[BaseModel]:
    """The checked form of a plugin's options.

    Raises:
        RecipeError: there is no plugin of that name.
    """
    kind = SECTIONS[section]
    definition = schema()["$defs"].get(f"{kind}.{name}")
    if definition is None:
        config = plugins.load(kind, name).Config
        assert isinstance(config, type) and issubclass(config, BaseModel)
        return config
    fields = {
        key: _field(value) for key, value in definition["properties"].items() if key != "name"
    }
    made: type[BaseModel] = create_model(f"{name}Options", __base__=Config, **fields)
    return made


def complete(section: str, name: str, options: dict[str, Json]) -> dict[str, Json]:
    """All options of a plugin, checked, defaults filled in; pydantic's error where one is bad."""
    model = options_model(section, name).model_validate_json(json.dumps(options))
    completed: dict[str, Json] = model.model_dump(mode="json")
    return completed


@cache
def consumed_by(method: str) -> Consumes:
    """The kind of rows that a method learns from.

    Raises:
        RecipeError: there is no method of that name.
    """
    definition = schema()["$defs"].get(f"methods.{method}")
    kind: Consumes = (
        plugins.load("methods", method).CONSUMES if definition is None else definition["consumes"]
    )
    return kind


def _field(definition: dict[str, Any]) -> Any:
    bounds: dict[str, Any] = {}
    annotation = _annotation(definition, bounds)
    default = definition.get("default", ...)
    if isinstance(default, list):
        default = tuple(default)
    return (annotation, Field(default=default, **bounds))


def _annotation(definition: dict[str, Any], bounds: dict[str, Any]) -> Any:
    for key, name in _BOUNDS.items():
        if key in definition:
            bounds[name] = definition[key]
    if "anyOf" in definition:
        union: Any = None
        for part in definition["anyOf"]:
            union = _annotation(part, bounds) | union if union else _annotation(part, bounds)
        return union
    if "enum" in definition:
        return Literal[tuple(definition["enum"])]
    if "const" in definition:
        return Literal[definition["const"]]
    if definition.get("type") == "array":
        return GenericAlias(tuple, (_annotation(definition["items"], {}), ...))
    if definition.get("type") == "null":
        return type(None)
    return _TYPES[definition["type"]]
