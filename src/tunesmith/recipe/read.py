"""Read a recipe from YAML and command-line overrides; every error names its line or key.

YAML 1.2 through ruamel.yaml: `1e-4` is a number, `no` is the word, a duplicate key is an
error. Overrides such as `train.learning_rate=1e-4` are applied before anything is checked.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml.comments import CommentedMap

from tunesmith import plugins
from tunesmith.bundled import STARTER
from tunesmith.errors import RecipeError
from tunesmith.recipe.explain import explain, unknown_name
from tunesmith.recipe.options import SECTIONS, complete, options_model, schema
from tunesmith.recipe.parse import Origin, parse_file, parse_value, plain
from tunesmith.recipe.request import Request
from tunesmith.recipe.sections import Recipe

_LISTS = (
    ("audit", "rules"),
    ("audit", "benchmarks"),
    ("evaluate", "tasks"),
    ("train", "report_to"),
)
"""Lists that may be written as one name alone."""
NAMED = {"evaluate.tasks": "tasks", "export": "exporters", "train.report_to": "trackers"}


def read_recipe(request: Request, *, needs_base: bool = True) -> Recipe:
    """The recipe of a file, with overrides (`key.key=value`) and the three common options.

    Paths in a file are looked up beside the file and in the current folder; they come out
    absolute. Without `needs_base` a missing base leaves `base.path` empty.

    Raises:
        RecipeError: with file, line and column or the key, and the nearest valid name.
    """
    file = request.file
    document = parse_file(file) if file else CommentedMap()
    values = plain(document, file)
    _expand(values)
    changed = set()
    for key, value in (("base.path", request.base), ("output", request.output)):
        if value is not None:
            changed.add(_assign(values, key, value))
    if request.data is not None:
        values["data"] = {**values.get("data", {}), "sources": [{"path": request.data}]}
        changed.add(("data", "sources"))
    for override in request.overrides:
        changed.add(_override(values, override))
    _expand(values)
    origin = Origin(file, document, frozenset(changed))
    _require(values, needs_base=needs_base)
    _complete_plugins(values, origin)
    try:
        recipe = Recipe.model_validate_json(json.dumps(values))
    except ValidationError as error:
        raise explain(error, origin) from None
    _check_names(recipe, origin)
    return _with_paths(recipe, file)


def _expand(values: dict[str, Any]) -> None:
    """Write the short forms out."""
    if isinstance(values.get("base"), str):
        values["base"] = {"path": values["base"]}
    data = values.get("data")
    if isinstance(data, str):
        values["data"] = data = {"sources": [{"path": data}]}
    if isinstance(data, dict):
        if isinstance(data.get("sources"), str | dict):
            data["sources"] = [data["sources"]]
        if isinstance(data.get("sources"), list):
            data["sources"] = [
                {"path": source} if isinstance(source, str) else source
                for source in data["sources"]
            ]
    for section in SECTIONS:
        if isinstance(values.get(section), str):
            values[section] = {"name": values[section]}
    adapter = values.get("adapter")
    if isinstance(adapter, dict) and adapter.get("name") == "qlora":
        base = values.setdefault("base", {})
        if isinstance(base, dict):
            if base.get("quantize", "nf4") != "nf4":
                raise RecipeError(
                    f"adapter: qlora needs base.quantize: nf4, not {base['quantize']}",
                    hint="write adapter: lora for a base that is not quantized",
                )
            base["quantize"] = "nf4"
        adapter["name"] = "lora"
    if isinstance(values.get("export"), str):
        values["export"] = [values["export"]]
    for section, key in _LISTS:
        inner = values.get(section)
        if isinstance(inner, dict) and isinstance(inner.get(key), str):
            inner[key] = [inner[key]]


def _override(values: dict[str, Any], override: str) -> tuple[str, ...]:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise RecipeError(
            f"cannot read {override!r}", hint="overrides look like train.learning_rate=1e-4"
        )
    return _assign(values, key, parse_value(key, text))


def _assign(values: dict[str, Any], key: str, value: Any) -> tuple[str, ...]:
    parts = tuple(key.split("."))
    node: Any = values
    for position, part in enumerate(parts[:-1]):
        if isinstance(node, list):
            index = _index(node, part, key)
            node = node[index]
            continue
        inner = node.get(part)
        if isinstance(inner, str) and part in SECTIONS and position == 0:
            node[part] = inner = {"name": inner}
        if isinstance(inner, str) and part == "base" and position == 0:
            node[part] = inner = {"path": inner}
        if not isinstance(inner, dict | list):
            inner = {}
            node[part] = inner
        node = inner
    if isinstance(node, list):
        node[_index(node, parts[-1], key)] = value
    else:
        node[parts[-1]] = value
    return parts


def _index(node: list[Any], part: str, key: str) -> int:
    if not part.isdigit() or int(part) >= len(node):
        raise RecipeError(
            f"{key}: {part} is not one of the {len(node)} entries", hint="entries count from 0"
        )
    return int(part)


def _require(values: dict[str, Any], *, needs_base: bool) -> None:
    data = values.get("data")
    if data is None or (isinstance(data, dict) and not data.get("sources")):
        raise RecipeError("no data is named", hint="give --data FILE, or data: in the recipe")
    base = values.setdefault("base", {})
    if isinstance(base, dict) and not base.get("path"):
        if needs_base:
            raise RecipeError(
                "no base model is named",
                hint="give --base FOLDER or --base starter, or base: in the recipe",
            )
        base["path"] = ""


def _complete_plugins(values: dict[str, Any], origin: Origin) -> None:
    for section, kind in SECTIONS.items():
        choice = values.get(section, {})
        if isinstance(choice, dict):
            choice = {"name": Recipe.model_fields[section].default.name, **choice}
        if not isinstance(choice, dict) or not isinstance(choice.get("name"), str):
            raise RecipeError(
                f"{section} is a name, or a mapping with a name",
                hint=f"there are: {', '.join(plugins.names(kind))}",
                place=origin.place((section,)),
            )
        name = choice["name"]
        given = {key: value for key, value in choice.items() if key != "name"}
        if f"{kind}.{name}" not in schema()["$defs"] and name not in plugins.names(kind):
            raise unknown_name(kind, name, origin.place((section,)))
        try:
            values[section] = {"name": name, **complete(section, name, given)}
        except ValidationError as error:
            known = tuple(options_model(section, name).model_fields)
            raise explain(error, origin, prefix=(section,), known=known) from None


def _check_names(recipe: Recipe, origin: Origin) -> None:
    given = {
        "evaluate.tasks": recipe.evaluate.tasks or (),
        "export": recipe.export,
        "train.report_to": recipe.train.report_to,
    }
    for key, kind in NAMED.items():
        for name in given[key]:
            if name not in plugins.names(kind):
                raise unknown_name(kind, name, origin.place(tuple(key.split("."))))


def _with_paths(recipe: Recipe, file: Path | None) -> Recipe:
    folder = file.parent if file else Path()
    sources = tuple(
        source.model_copy(update={"path": _located(source.path, folder)})
        for source in recipe.data.sources
    )
    held_out = recipe.data.held_out
    data: dict[str, Any] = {"sources": sources}
    if isinstance(held_out, str):
        data["held_out"] = _located(held_out, folder)
    if recipe.data.template and recipe.data.template.endswith(".jinja"):
        data["template"] = _located(recipe.data.template, folder)
    base: dict[str, Any] = {}
    if recipe.base.path != STARTER:
        base["path"] = _located(recipe.base.path, folder)
    if recipe.base.adapter:
        base["adapter"] = _located(recipe.base.adapter, folder)
    return recipe.model_copy(
        update={
            "data": recipe.data.model_copy(update=data),
            "base": recipe.base.model_copy(update=base),
            "evaluate": recipe.evaluate.model_copy(
                update={"retention": _located(recipe.evaluate.retention, folder)}
            ),
        }
    )


def _located(path: str, folder: Path) -> str:
    """An absolute path where one exists beside the recipe or here; otherwise as written."""
    if not path or path.startswith("bundled:"):
        return path
    if "\0" in path or len(path) > 4096:
        raise RecipeError("a path in the recipe is not a usable path", hint="shorten or correct it")
    plain = Path(path).expanduser()
    for candidate in (folder / plain, plain):
        if candidate.is_file():  # a link keeps its own name: the ending says what is in it
            return str(candidate.parent.resolve() / candidate.name)
        if candidate.exists():
            return str(candidate.resolve())
    return path
