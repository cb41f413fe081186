"""Write a recipe: resolved for a run's directory, or commented as a start for people."""

from __future__ import annotations

import io
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML

from tunesmith.recipe.options import SECTIONS, schema
from tunesmith.recipe.sections import Recipe

_STARTING_POINT = {"base": "starter", "data": "conversations.jsonl"}


def as_yaml(recipe: Recipe) -> str:
    """Every key with its value, as YAML that `read_recipe` reads back to an equal recipe."""
    return _dump(recipe.model_dump(mode="json"))


def commented(base: str | None = None, data: str | None = None) -> str:
    """A recipe in which every key stands with its help, optional ones commented out."""
    given = {
        ("base", "path"): base or _STARTING_POINT["base"],
        ("data", "sources"): [data or _STARTING_POINT["data"]],
    }
    lines = [
        "# A Tunesmith recipe. Commented keys show their defaults; an empty one is decided",
        "# from the data and the hardware when the run starts, and printed with its reason.",
        "",
    ]
    for section, field in Recipe.model_fields.items():
        lines.append(f"# {field.description}")
        if section in SECTIONS:
            lines += _plugin_lines(section, field.default.name)
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            lines += _section_lines(section, field.annotation, given)
        else:
            lines.append(f"# {section}: {_scalar(field.default)}".rstrip())
        lines.append("")
    return "\n".join(lines)


def _section_lines(
    section: str, model: type[BaseModel], given: dict[tuple[str, str], Any]
) -> list[str]:
    """A section with a given value is live, with its other keys commented out."""
    live = any(key == section for key, _ in given)
    lines = [f"{section}:" if live else f"# {section}:"]
    for key, field in model.model_fields.items():
        if (section, key) in given:
            lines.append(_key_line("  ", key, given[section, key], field.description))
        else:
            margin = "  # " if live else "#   "
            lines.append(_key_line(margin, key, field.default, field.description))
    return lines


def _plugin_lines(section: str, name: str) -> list[str]:
    lines = [f"# {section}:", f"#   name: {name}"]
    properties = schema()["$defs"].get(f"{SECTIONS[section]}.{name}", {}).get("properties", {})
    for key, definition in properties.items():
        if key != "name":
            help_text = definition.get("description", "").split("\n")[0]
            lines.append(_key_line("#   ", key, definition.get("default"), help_text))
    return lines


def _key_line(margin: str, key: str, value: Any, description: str | None) -> str:
    shown = f"{margin}{key}: {_scalar(value)}".rstrip()
    return f"{shown:<36}  # {' '.join(description.split())}" if description else shown


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        value = list(value)
    return _dump(value, flow=True).strip().removesuffix("...").strip()


def _dump(value: Any, *, flow: bool = False) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = flow
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 4096
    yaml.allow_unicode = True
    stream = io.StringIO()
    yaml.dump(value, stream)
    return stream.getvalue()
