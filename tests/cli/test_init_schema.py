"""`init` writes a recipe that reads back, key for key; `schema` prints the shipped schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tunesmith.cli import init, schema
from tunesmith.errors import RecipeError
from tunesmith.recipe import Request, read_recipe
from tunesmith.recipe.options import SCHEMA_FILE


def test_what_init_writes_is_a_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tmp_path / "my rows: 1.jsonl"
    rows.write_text("{}\n")
    file = tmp_path / "recipe.yaml"
    init.command(base="owner/name # 2", data=str(rows), output=file)
    assert capsys.readouterr().out == f"{file}\n"
    recipe = read_recipe(Request(file=file))
    assert recipe.base.path == "owner/name # 2"
    assert recipe.data.sources[0].path == str(rows)


def test_its_commented_defaults_are_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    init.command(base="starter", data="rows.jsonl", output=file)
    plain = read_recipe(Request(file=file))
    lines = []
    for line in file.read_text().splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        key = line.lstrip().removeprefix("#")
        is_key = key.strip().split(":")[0].replace("_", "").isalnum() and ":" in key
        lines.append(
            indent + key.removeprefix(" ") if line.lstrip().startswith("#") and is_key else line
        )
    live = tmp_path / "live.yaml"
    live.write_text("\n".join(lines))
    assert len([line for line in lines if line.startswith("  ") and ":" in line]) > 30
    assert read_recipe(Request(file=live)) == plain


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text("mine")
    with pytest.raises(RecipeError, match="not overwritten"):
        init.command(output=file)
    assert file.read_text() == "mine"
    with pytest.raises(RecipeError, match="no folder"):
        init.command(output=tmp_path / "nowhere" / "recipe.yaml")


def test_schema_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    schema.command()
    assert json.loads(capsys.readouterr().out) == json.loads(SCHEMA_FILE.read_text())
