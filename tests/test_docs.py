"""What the documentation says is true: commands and snippets run, rows parse, links lead on.

Commands run in order in one folder, shortened by overrides; what needs the hub or an
installation is checked without running it. The page of recipe keys is the generated one.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tunesmith import plugins
from tunesmith.bundled import bundled_path
from tunesmith.cli.main import VERBS
from tunesmith.cli.main import run as run_command
from tunesmith.contracts import Text
from tunesmith.data.audit.reference import build_rules
from tunesmith.recipe import Request, read_recipe
from tunesmith.recipe.parse import parse_value
from tunesmith.recipe.reference import build_reference

ROOT = Path(__file__).parents[1]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
README = ROOT / "README.md"
DATA_PAGE = ROOT / "docs" / "data.md"
AUDIT_PAGE = ROOT / "docs" / "audit.md"
RECIPES = sorted((ROOT / "recipes").glob("*.yaml"))
SHORT = (
    "train.steps=2",
    "train.epochs=",
    "train.rows_per_step=4",
    "train.eval_every=2",
    "train.save_every=2",
    "evaluate.max_rows=4",
    "evaluate.max_new_tokens=4",
    "evaluate.tasks=heldout",
    "data.held_out=4",
)
ROWS = 40


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    """The command lines of the README, in order."""
    lines = [line for block in blocks(README, "sh") for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line.strip()]


def write_rows(folder: Path) -> Path:
    """A data file as the README supposes it, from the bundled conversations."""
    lines = bundled_path("bundled:support/train.jsonl").read_text().splitlines()[:ROWS]
    file = folder / "conversations.jsonl"
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, with a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def do(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    """Run one command line of tunesmith; what it wrote on stdout."""
    capfd.readouterr()
    code = run_command(arguments)
    done = capfd.readouterr()
    assert code == 0, f"{arguments}\n{done.out}\n{done.err}"
    return done.out


def shortened(command: list[str]) -> list[str]:
    """The arguments of a command, with less work."""
    assert command[0].endswith("tunesmith"), f"{command} is not executed here"
    arguments = command[1:]
    if arguments[0] == "run" and "--resume" not in arguments:
        return [*arguments, *SHORT]
    if arguments[0] == "chat":
        return [*arguments, "--max-new-tokens", "4"]
    return arguments


def test_the_readme_is_done_as_written(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_rows(folder)
    every = [command for command in commands() if command[0] != "make"]
    # The demo is make's own; the run that the README makes next stands in for it.
    talks = [command for command in every if "runs/demo" in command]
    for command in [command for command in every if command not in talks]:
        do(shortened(command), capfd)
    for command in talks:
        stood_in = ["runs/mine" if word == "runs/demo" else word for word in command]
        assert do(shortened(stood_in), capfd).startswith("base:  ")
    ran = {command[1] for command in every}
    assert {"check", "run", "init", "export", "runs", "eval", "report", "doctor", "chat"} <= ran
    for name in ("runs/mine/report.html", "mine-merged/config.json", "runs/second/model"):
        assert (folder / name).exists(), name
    assert (folder / "mine-adapter" / "adapter_config.json").exists()


def test_the_guide_to_data_is_done_as_written(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_rows(folder)
    lines = [line for block in blocks(DATA_PAGE, "sh") for line in block.splitlines()]
    assert {line.split()[1] for line in lines} >= {"clean", "split", "convert"}
    for line in lines:
        command = shlex.split(line)
        written = Path(command[command.index("-o") + 1])
        assert do(command[1:], capfd).splitlines()[-1] == str(written)
        assert written.exists()


def test_the_guide_to_the_audit_is_done_as_written(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_rows(folder)
    for line in [line for block in blocks(AUDIT_PAGE, "sh") for line in block.splitlines()]:
        assert do(shlex.split(line)[1:], capfd), line
    assert {path.name for path in (folder / "audit").iterdir()} == {
        "audit.html",
        "audit.json",
        "audit.sarif",
    }


def test_the_python_example(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_rows(folder)
    (code,) = blocks(README, "python")
    assert len(code.splitlines()) <= 10
    call = 'output="runs/python")'
    assert call in code
    pairs = [item.split("=", 1) for item in SHORT]
    overrides = {key: parse_value(key, text) for key, text in pairs}
    exec(code.replace(call, f"{call[:-1]}, overrides={overrides!r})"), {})
    assert "heldout loss" in capfd.readouterr().out


def test_make_targets_that_are_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        match
        for page in PAGES
        for match in re.findall(r"(?:^|`|    )make ([a-z-]+)", page.read_text(), re.MULTILINE)
    }
    assert {"demo", "test", "setup", "schema"} <= named
    assert named <= targets
    assert "make test" in (ROOT / ".ci" / "run").read_text().splitlines()


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_commands_that_are_named_exist(page: Path) -> None:
    named = re.findall(r"(?:^|`|    |bin/)tunesmith ([a-z]{2,})", page.read_text(), re.MULTILINE)
    assert set(named) <= set(VERBS)


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target


def test_the_reference_of_keys_is_current() -> None:
    assert (ROOT / "docs" / "recipe.md").read_text() == build_reference(), "run: make schema"


def test_the_page_of_rules_is_current() -> None:
    assert (ROOT / "docs" / "rules.md").read_text() == build_rules(), "run: make schema"


def test_every_format_is_shown_with_a_row_that_it_reads() -> None:
    page = ROOT / "docs" / "data.md"
    sections = re.findall(r"^### (\w+)\n(.*?)(?=^#)", page.read_text(), re.MULTILINE | re.DOTALL)
    rows = {name: re.search(r"```json\n(.*?)```", text, re.DOTALL) for name, text in sections}
    assert set(rows) == set(plugins.names("formats"))
    for name, found in rows.items():
        assert found is not None, name
        values = json.loads(found.group(1))
        readers = [
            (plugin.PRIORITY, other)
            for other in plugins.names("formats")
            if (plugin := plugins.load("formats", other)).recognises(values)
        ]
        assert max(readers)[1] == name
        content = plugins.load("formats", name).parse(values)
        assert isinstance(content, Text) == (name == "text")


def test_the_templates_that_are_named_exist() -> None:
    page = (ROOT / "docs" / "data.md").read_text()
    folder = ROOT / "src" / "tunesmith" / "tokenizer" / "templates"
    for path in folder.glob("*.jinja"):
        assert f"`{path.stem}`" in page, path.stem


def test_the_recipe_of_the_readme_is_one(tmp_path: Path) -> None:
    (text,) = blocks(README, "yaml")
    write_rows(tmp_path)
    file = tmp_path / "recipe.yaml"
    file.write_text(text)
    recipe = read_recipe(Request(file=file))
    assert recipe.base.path == YAML(typ="safe").load(text)["base"]
    assert recipe.gates


@pytest.mark.parametrize("file", RECIPES, ids=shown)
def test_a_recipe_runs_shortened(
    file: Path, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    recipe = read_recipe(Request(file=file))
    arguments = ["run", str(file), "--output", "run", *SHORT, "gates=[]"]
    if recipe.method.name == "dpo":
        arguments.append("evaluate.tasks=preferences")
    if "/" in recipe.base.path:
        arguments += ["--base", "starter"]  # a model of the hub, which a test does not fetch
    if not recipe.data.sources[0].path.startswith("bundled:"):
        arguments += ["--data", str(write_rows(folder))]
    assert do(arguments, capfd).splitlines()[-1] == str(folder / "run")
    assert (folder / "run" / "report.html").exists()


def test_the_exit_codes_in_the_readme_are_those_of_the_guide() -> None:
    found = []
    for page in (README, ROOT / "docs" / "command-line.md"):
        table = re.findall(r"^\| (\d[\d, ]*) \|", page.read_text(), re.MULTILINE)
        found.append({code for row in table for code in row.replace(" ", "").split(",")})
    assert found[0] == found[1] == {"0", "1", "2", "3", "4", "5", "130", "143"}
