"""Generate `schema.json`, the JSON Schema of a recipe: `python -m tunesmith.recipe.generate`.

It lists the options of every built-in plugin, so this is the one place of the light half
that imports them all (and with them torch). A test compares the file with a fresh one.
"""

from __future__ import annotations

import json
from typing import Any

from tunesmith import plugins
from tunesmith.recipe.options import SCHEMA_FILE, SECTIONS
from tunesmith.recipe.sections import Recipe


def build_schema() -> dict[str, Any]:
    """The schema: sections from the recipe, and one definition a plugin."""
    document = Recipe.model_json_schema()
    definitions = document["$defs"]
    del definitions["PluginChoice"]
    for section, kind in SECTIONS.items():
        names = plugins.names(kind)
        for name in names:
            definition = plugins.load(kind, name).Config.model_json_schema()
            definition["properties"] = {
                "name": {"const": name, "type": "string"},
                **definition.get("properties", {}),
            }
            definition["required"] = ["name", *definition.get("required", [])]
            definition["additionalProperties"] = False
            if kind == "methods":
                definition["consumes"] = plugins.load(kind, name).CONSUMES
            definitions[f"{kind}.{name}"] = definition
        short = list(names) + (["qlora"] if section == "adapter" else [])
        described = document["properties"][section]["description"]
        document["properties"][section] = {
            "description": described,
            "anyOf": [
                {"type": "string", "enum": short},
                *({"$ref": f"#/$defs/{kind}.{name}"} for name in names),
            ],
        }
    document["properties"]["base"]["anyOf"] = [{"$ref": "#/$defs/Base"}, {"type": "string"}]
    document["properties"]["data"]["anyOf"] = [{"$ref": "#/$defs/Data"}, {"type": "string"}]
    for section in ("base", "data"):
        document["properties"][section].pop("$ref", None)
    for definition, key in (
        ("Data", "sources"),
        ("AuditRules", "rules"),
        ("AuditRules", "benchmarks"),
        ("Evaluate", "tasks"),
        ("Train", "report_to"),
    ):
        _also_one(definitions[definition]["properties"][key])
    _also_one(document["properties"]["export"])
    document["required"] = []
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    document["title"] = "Tunesmith recipe"
    return document


def _also_one(prop: dict[str, Any]) -> None:
    """Let a list of names be written as a name alone, and its entries as names."""
    lists = prop.pop("anyOf", None) or [
        {key: prop.pop(key) for key in ("type", "items", "minItems") if key in prop}
    ]
    for entry in lists:
        if "$ref" in entry.get("items", {}):
            entry["items"] = {"anyOf": [entry["items"], {"type": "string"}]}
    prop["anyOf"] = [*lists, {"type": "string"}]


def write_schema() -> None:
    """Write `schema.json` beside this file."""
    text = json.dumps(build_schema(), indent=1, ensure_ascii=False) + "\n"
    SCHEMA_FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_schema()
