"""What people rely on changes on purpose only: public names, options, recipe keys, exit codes.

`python tests/test_surface.py` writes `surface.json` anew; the difference is for the review.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

import tunesmith
from tunesmith import errors, plugins
from tunesmith.cli.main import VERBS
from tunesmith.recipe.options import SECTIONS, schema
from tunesmith.recipe.sections import Recipe

FILE = Path(__file__).with_name("surface.json")


def surface() -> dict[str, Any]:
    """Everything public, as plain sorted data."""
    return {
        "python": sorted(tunesmith.__all__),
        "command line": {verb: options_of(verb) for verb in VERBS},
        "exit codes": exit_codes(errors.TunesmithError),
        "plugins": {kind: list(plugins.names(kind)) for kind in plugins.FOLDERS if kind != "verbs"},
        "recipe": recipe_keys(),
    }


def options_of(verb: str) -> list[str]:
    application = typer.Typer(add_completion=False)
    application.command(name=verb)(plugins.load("verbs", verb).command)
    command = typer.main.get_command(application)
    found = []
    for param in command.params:
        if param.param_type_name == "argument":
            name = str(param.metavar or param.name)
            found.append(f"{name} (required)" if param.required else name)
        else:
            required = " (required)" if param.required else ""
            found.append("/".join(param.opts) + required)
    return sorted(found)


def exit_codes(root: type[errors.TunesmithError]) -> dict[str, int]:
    codes = {root.__name__: root.exit_code}
    for child in root.__subclasses__():
        codes.update(exit_codes(child))
    return dict(sorted(codes.items()))


def recipe_keys() -> dict[str, Any]:
    """Dotted keys and their defaults; `required` where there is none."""
    keys: dict[str, Any] = {}
    definitions = schema()["$defs"]
    properties = schema()["properties"]
    names = {section: definition_of(properties[section]) for section in Recipe.model_fields}
    names["data.sources"] = "Source"
    for section, name in names.items():
        if section in SECTIONS:
            prefix = f"{SECTIONS[section]}."
            plugs = {key: key.removeprefix(prefix) for key in definitions if key.startswith(prefix)}
        elif name is None:
            keys[section] = properties[section]["default"]
            continue
        else:
            plugs = {name: ""}
        for definition, plug in plugs.items():
            for key, prop in definitions[definition]["properties"].items():
                if "const" in prop and key == "name":
                    continue
                path = ".".join(part for part in (section, plug, key) if part)
                required = key in definitions[definition].get("required", ())
                keys[path] = "required" if required else prop.get("default")
    return keys


def definition_of(prop: dict[str, Any]) -> str | None:
    for part in (prop, *prop.get("anyOf", ()), prop.get("items", {})):
        if "$ref" in part:
            return str(part["$ref"]).rsplit("/", 1)[-1]
    return None


def as_text(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def test_the_surface_is_the_recorded_one() -> None:
    assert as_text(surface()) == FILE.read_text(encoding="utf-8"), (
        "the public surface changed; if on purpose: python tests/test_surface.py"
    )


def test_public_names_load() -> None:
    for name in tunesmith.__all__:
        assert vars(tunesmith).get(name) or tunesmith.__getattr__(name), name


if __name__ == "__main__":
    FILE.write_text(as_text(surface()), encoding="utf-8")
