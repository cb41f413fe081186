"""Read a recipe from YAML and command-line overrides; every error names its line or key.

YAML 1.2 through ruamel.yaml: `1e-4` is a number, `no` is the word, a duplicate key is an
error. Overrides such as `train.learning_rate=1e-4` are applied before anything is checked.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import ConstructorError, DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from tunesmith import plugins
from tunesmith.errors import Place, RecipeError
from tunesmith.recipe.options import SECTIONS, complete, options_model, schema
from tunesmith.recipe.sections import Recipe

MAX_BYTES = 1_000_000
MAX_NODES = 20_000
NAMED = {"evaluate.tasks": "tasks", "export": "exporters", "train.report_to": "trackers"}


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


def read_recipe(
    file: Path | None,
    overrides: Sequence[str] = (),
    *,
    base: str | None = None,
    data: str | None = None,
    output: str | None = None,
    needs_base: bool = True,
) -> Recipe:
    """The recipe of a file, with overrides (`key.key=value`) and the three common options.

    Paths in a file are looked up beside the file and in the current folder; they come out
    absolute. Without `needs_base` a missing base leaves `base.path` empty.

    Raises:
        RecipeError: with file, line and column or the key, and the nearest valid name.
    """
    document = _parse(file) if file else CommentedMap()
    values = _plain(document, Origin(file, document, frozenset()), (), [MAX_NODES])
    _expand(values)
    changed = set()
    for key, value in (("base.path", base), ("output", output)):
        if value is not None:
            changed.add(_assign(values, key, value))
    if data is not None:
        values["data"] = {**values.get("data", {}), "sources": [{"path": data}]}
        changed.add(("data", "sources"))
    for override in overrides:
        changed.add(_override(values, override))
    _expand(values)
    origin = Origin(file, document, frozenset(changed))
    _require(values, needs_base=needs_base)
    _complete_plugins(values, origin)
    try:
        recipe = Recipe.model_validate_json(json.dumps(values))
    except ValidationError as error:
        raise _explain(error, origin) from None
    _check_names(recipe, origin)
    return _with_paths(recipe, file)


def _parse(file: Path) -> Any:
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
    for section, key in (("evaluate", "tasks"), ("train", "report_to")):
        inner = values.get(section)
        if isinstance(inner, dict) and isinstance(inner.get(key), str):
            inner[key] = [inner[key]]


def _override(values: dict[str, Any], override: str) -> tuple[str, ...]:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise RecipeError(
            f"cannot read {override!r}", hint="overrides look like train.learning_rate=1e-4"
        )
    return _assign(values, key, _value(key, text))


def _value(key: str, text: str) -> Any:
    if not text.strip():
        return None
    try:
        parsed = YAML(typ="rt", pure=True).load(text)
    except YAMLError:
        return text
    return _plain(parsed, Origin(None, None, frozenset({()})), tuple(key.split(".")), [MAX_NODES])


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
        choice = values.get(section, {"name": Recipe.model_fields[section].default.name})
        if not isinstance(choice, dict) or not isinstance(choice.get("name"), str):
            raise RecipeError(
                f"{section} is a name, or a mapping with a name",
                hint=f"there are: {', '.join(plugins.names(kind))}",
                place=origin.place((section,)),
            )
        name = choice["name"]
        given = {key: value for key, value in choice.items() if key != "name"}
        if f"{kind}.{name}" not in schema()["$defs"] and name not in plugins.names(kind):
            raise _unknown_name(kind, name, origin.place((section,)))
        try:
            values[section] = {"name": name, **complete(section, name, given)}
        except ValidationError as error:
            known = tuple(options_model(section, name).model_fields)
            raise _explain(error, origin, prefix=(section,), known=known) from None


def _explain(
    error: ValidationError,
    origin: Origin,
    *,
    prefix: tuple[str, ...] = (),
    known: tuple[str, ...] | None = None,
) -> RecipeError:
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
        if isinstance(inner, type) and word in getattr(inner, "model_fields", {}):
            return f"did you mean {section}.{word}?"
    for section, kind in SECTIONS.items():
        for name in plugins.names(kind):
            definition = schema()["$defs"].get(f"{kind}.{name}", {})
            if word in definition.get("properties", {}):
                return f"did you mean {section}.{word}?"
    near = difflib.get_close_matches(word, candidates, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(candidates)}"


def _unknown_name(kind: str, name: str, place: Place | None) -> RecipeError:
    available = plugins.names(kind)
    near = difflib.get_close_matches(name, available, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return RecipeError(
        f"there is no {kind.removesuffix('s')} called {name}",
        hint=f"{hint}there are: {', '.join(available)}",
        place=place,
    )


def _check_names(recipe: Recipe, origin: Origin) -> None:
    given = {
        "evaluate.tasks": recipe.evaluate.tasks or (),
        "export": recipe.export,
        "train.report_to": recipe.train.report_to,
    }
    for key, kind in NAMED.items():
        for name in given[key]:
            if name not in plugins.names(kind):
                raise _unknown_name(kind, name, origin.place(tuple(key.split("."))))


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
    base: dict[str, Any] = {"path": _located(recipe.base.path, folder)}
    if recipe.base.adapter:
        base["adapter"] = _located(recipe.base.adapter, folder)
    return recipe.model_copy(
        update={
            "data": recipe.data.model_copy(update=data),
            "base": recipe.base.model_copy(update=base),
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
        if candidate.exists():
            return str(candidate.resolve())
    return path
