"""The house's own rules: sizes, names, layers, one importlib call, a light half without torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from tunesmith import plugins

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "tunesmith"
SOURCES = sorted(PACKAGE.rglob("*.py"))
CODE = sorted(
    path
    for folder in ("src", "tests", "benchmarks", "starter")
    for path in (ROOT / folder).rglob("*.py")
)
LIGHT = (
    "errors",
    "contracts",
    "plugins",
    "recipe",
    "runs",
    "tokenizer",
    "data",
    "report",
    "plan",
    "cli",
    "bundled",
)
DRAWERS = {"utils", "util", "common", "misc", "helpers", "helper", "legacy", "v2", "old", "new"}
MAY_LOAD_STAGES = {"cli", "pipeline.py", "__init__.py"}
GENERATES_FROM_ALL_PLUGINS = "tunesmith.recipe.generate"


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported_modules(node: ast.AST) -> Iterator[str]:
    """Dotted names that the import statements below `node` may load."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            yield from (alias.name for alias in inner.names)
        elif isinstance(inner, ast.ImportFrom) and inner.module:
            yield inner.module
            yield from (f"{inner.module}.{alias.name}" for alias in inner.names)


@pytest.mark.parametrize("path", CODE, ids=shown)
def test_a_file_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", CODE, ids=shown)
def test_functions_are_short_and_take_few_parameters(path: Path) -> None:
    is_source = path.is_relative_to(PACKAGE)
    for function in functions(tree_of(path)):
        assert function.end_lineno is not None
        lines = function.end_lineno - function.lineno + 1
        assert lines <= 60, f"{function.name} has {lines} lines"
        every = function.args
        count = len(every.posonlyargs) + len(every.args) + len(every.kwonlyargs)
        first = [argument.arg for argument in every.args[:1]]
        count -= first in (["self"], ["cls"])
        if is_source and not is_verb(path, function):
            assert count <= 6, f"{function.name} has {count} parameters"


def is_verb(path: Path, function: ast.AST) -> bool:
    """A verb's options are its function's parameters: the surface test holds those."""
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    return path.parent == PACKAGE / "cli" and function.name == "command"


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_no_drawers(path: Path) -> None:
    for part in path.relative_to(PACKAGE).with_suffix("").parts:
        assert not DRAWERS & set(part.split("_")), f"{part} says nothing about what is inside"


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_a_file_opens_with_its_docstring_and_the_future_import(path: Path) -> None:
    tree = tree_of(path)
    assert ast.get_docstring(tree), "the module docstring says what and why"
    if len(tree.body) > 1:
        first = tree.body[1]
        assert isinstance(first, ast.ImportFrom)
        assert first.module == "__future__"


def test_importlib_is_called_once() -> None:
    calls = [
        f"{shown(path)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"importlib.import_module", "import_module", "__import__"}
    ]
    assert len(calls) == 1, calls
    assert calls[0].startswith("src/tunesmith/plugins.py")


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_stages_are_imported_at_the_top(path: Path) -> None:
    top = path.relative_to(PACKAGE).parts[0]
    if top in MAY_LOAD_STAGES and (len(path.relative_to(PACKAGE).parts) == 1 or top == "cli"):
        return
    for function in functions(tree_of(path)):
        ours = [name for name in imported_modules(function) if name.startswith("tunesmith")]
        assert not ours, f"{function.name} imports {ours[0]} where it runs"


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_nothing_is_swallowed_or_guessed(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            broad = caught in {"everything", "Exception", "BaseException"}
            outermost = path == PACKAGE / "cli" / "main.py"
            raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            assert not broad or outermost or raises, f"line {node.lineno} catches {caught}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"hasattr", "getattr"}, f"line {node.lineno} guesses"


def plugin_files() -> list[Path]:
    return [
        path
        for kind, folder in plugins.FOLDERS.items()
        if kind != "verbs"
        for path in sorted((PACKAGE / folder).glob("[!_]*.py"))
    ]


@pytest.mark.parametrize("path", plugin_files(), ids=shown)
def test_a_plugin_imports_no_other_plugin(path: Path) -> None:
    others = {module_of(other) for other in plugin_files()} - {module_of(path)}
    assert not others & set(imported_modules(tree_of(path)))


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("[!_]*.py")), ids=shown)
def test_main_knows_no_verb_by_import(path: Path) -> None:
    verbs = {f"tunesmith.cli.{name}" for name in verb_names()}
    assert not verbs & set(imported_modules(tree_of(path)))


def verb_names() -> list[str]:
    return [
        path.stem
        for path in sorted((PACKAGE / "cli").glob("[!_]*.py"))
        if any(
            node.name == "command"
            for node in tree_of(path).body
            if isinstance(node, ast.FunctionDef)
        )
    ]


def test_layers_point_down(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None)
    assert status == 0, capsys.readouterr().out


BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "transformers", "peft", "bitsandbytes"}:
            raise AssertionError(f"{name} is loaded")
sys.meta_path.insert(0, Blocked())
"""


def run_blocked(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", BLOCKED + code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_light_half_loads_without_torch() -> None:
    modules = [
        module_of(path)
        for path in SOURCES
        if path.relative_to(PACKAGE).with_suffix("").parts[0] in LIGHT
        and module_of(path) != GENERATES_FROM_ALL_PLUGINS
    ]
    assert len(modules) > 30
    done = run_blocked("import importlib\n" + "".join(f"import {name}\n" for name in modules))
    assert done.returncode == 0, done.stderr


def test_help_needs_no_torch() -> None:
    calls = [["--help"], *([verb, "--help"] for verb in verb_names())]
    done = run_blocked(
        "from tunesmith.cli.main import run\n"
        f"for arguments in {calls!r}:\n"
        "    assert run(arguments) == 0, arguments\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Usage") == len(calls)


def test_the_block_itself_works() -> None:
    assert run_blocked("import torch").returncode == 1
