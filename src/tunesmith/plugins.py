"""Plugins by name: the file name is the registry.

`names("formats")` lists a folder without importing it; `load("formats", "alpaca")` imports
one file. Packages outside plug in through an entry point of the group `tunesmith.<kind>`
whose value is a module with the same names. This holds the project's only importlib call.
"""

from __future__ import annotations

import difflib
import importlib
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from tunesmith.errors import RecipeError

FOLDERS = {
    "checks": "data/checks",
    "formats": "data/formats",
    "methods": "methods",
    "adapters": "models/adapters",
    "heads": "models/heads",
    "tasks": "evaluate/tasks",
    "scorers": "evaluate/scorers",
    "exporters": "export/formats",
    "trackers": "train/trackers",
    "verbs": "cli",
}
_ROOT = Path(__file__).parent


@cache
def names(kind: str) -> tuple[str, ...]:
    """The plugins of a kind, sorted; built in and from entry points."""
    folder = _ROOT / FOLDERS[kind]
    built_in = {path.stem for path in folder.glob("[!_]*.py")}
    return tuple(sorted(built_in | {entry.name for entry in entry_points(group=_group(kind))}))


@cache
def load(kind: str, name: str) -> ModuleType:
    """Import the plugin `name` of `kind`.

    Raises:
        RecipeError: there is none of that name; the nearest is suggested.
    """
    if name not in names(kind):
        near = difflib.get_close_matches(name, names(kind), n=1)
        suggestion = f"did you mean {near[0]}? " if near else ""
        raise RecipeError(
            f"there is no {kind.removesuffix('s')} called {name}",
            hint=f"{suggestion}there are: {', '.join(names(kind))}",
        )
    if (_ROOT / FOLDERS[kind] / f"{name}.py").exists():
        return importlib.import_module(f"tunesmith.{FOLDERS[kind].replace('/', '.')}.{name}")
    (entry,) = entry_points(group=_group(kind), name=name)
    module = entry.load()
    assert isinstance(module, ModuleType), f"{entry.value} is not a module"
    return module


def _group(kind: str) -> str:
    return f"tunesmith.{kind}"
