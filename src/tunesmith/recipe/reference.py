"""The reference of all recipe keys, as Markdown: `python -m tunesmith.recipe.reference`.

It is made from `schema.json`, so that the help of a key stands once, under its field.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from tunesmith.recipe.options import SECTIONS, schema
from tunesmith.recipe.sections import Recipe

INTRODUCTION = """# Every key of a recipe

<!-- Generated: make schema -->

A recipe is a YAML file; each key can also be given on the command line, as in
`tunesmith run recipe.yaml train.learning_rate=1e-4`. A default that reads *decided* is made
from the data and the hardware when the run starts, printed with its reason, and written into
the run's own `recipe.yaml`. `tunesmith init` writes a recipe with all keys in comments;
`tunesmith schema` prints the JSON Schema with which editors complete and check recipes.

The short forms: `base: PATH`, `data: FILE`, `adapter: lora`, `adapter: qlora` (an NF4 base with
LoRA), `export: merged`; a file name in `sources` stands for `{path: FILE}`.
"""
DECIDED = {
    "base": ("revision", "precision"),
    "data": ("max_length",),
    "train": (
        "epochs",
        "rows_per_step",
        "learning_rate",
        "eval_every",
        "save_every",
        "tokens_per_forest",
        "recompute_layers",
        "activation_offloading",
    ),
    "evaluate": ("tasks",),
}


def build_reference() -> str:
    """The whole page."""
    definitions = schema()["$defs"]
    parts = [INTRODUCTION]
    for section, field in Recipe.model_fields.items():
        prop = schema()["properties"][section]
        parts.append(f"## {section}\n\n{_sentence(field.description)}\n")
        if section in SECTIONS:
            parts += [
                f"### {section}: {key.partition('.')[2]}\n\n"
                f"{_sentence(definition.get('description'))}\n\n{_table(section, definition)}"
                for key, definition in definitions.items()
                if key.startswith(f"{SECTIONS[section]}.")
            ]
            continue
        target = _target(prop)
        if target is None:
            parts.append(
                f"{_kind(prop).capitalize()}; default {_default(section, section, prop)}.\n"
            )
            continue
        parts.append(_table(section, definitions[target]))
        if section == "data":
            parts.append(f"### data.sources\n\n{_table('sources', definitions['Source'])}")
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _target(prop: dict[str, Any]) -> str | None:
    """The definition that a section refers to, directly, by its long form, or for its items."""
    for part in (prop, *prop.get("anyOf", ()), prop.get("items", {})):
        if "$ref" in part:
            return str(part["$ref"]).rsplit("/", 1)[-1]
    return None


def _table(section: str, definition: dict[str, Any]) -> str:
    rows = ["| key | value | default | |", "| --- | --- | --- | --- |"]
    required = definition.get("required", [])
    for key, prop in definition["properties"].items():
        if key == "name" and "const" in prop:
            continue
        default = "required" if key in required else _default(section, key, prop)
        text = _sentence(prop.get("description")).replace("|", "\\|")
        rows.append(f"| `{key}` | {_kind(prop)} | {default} | {text} |")
    return "\n".join(rows) + "\n" if len(rows) > 2 else ""


def _kind(prop: dict[str, Any]) -> str:
    if "anyOf" in prop:
        kinds = [_kind(part) for part in prop["anyOf"] if part.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in prop:
        return ", ".join(f"`{value}`" for value in prop["enum"])
    if "const" in prop:
        return f"`{prop['const']}`"
    if "$ref" in prop:
        return "mapping"
    if prop.get("type") == "array":
        items = prop.get("items") or prop["prefixItems"][0]
        return f"list of {_kind(items)}"
    named = {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "true or false",
        "object": "mapping",
    }
    return named[prop["type"]] + _bounds(prop)


def _bounds(prop: dict[str, Any]) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    found = [f"{sign} {prop[key]:,}" for key, sign in signs.items() if key in prop]
    return f" {', '.join(found)}" if found else ""


def _default(section: str, key: str, prop: dict[str, Any]) -> str:
    if key in DECIDED.get(section, ()):
        return "*decided*"
    default = prop.get("default")
    return "none" if default is None else f"`{json.dumps(default)}`".replace('"', "")


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split()).replace("<", "&lt;")


if __name__ == "__main__":
    sys.stdout.write(build_reference())
