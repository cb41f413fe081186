"""The commented recipe of `tunesmith init`, and the schema that ships."""

from __future__ import annotations

from pathlib import Path

from tunesmith import plugins
from tunesmith.recipe import Recipe, Request, read_recipe
from tunesmith.recipe.generate import build_schema
from tunesmith.recipe.options import SECTIONS, complete, schema
from tunesmith.recipe.write import commented


def test_commented_recipe_is_valid_and_names_every_key(tmp_path: Path) -> None:
    text = commented("starter", "rows.jsonl")
    file = tmp_path / "recipe.yaml"
    file.write_text(text, encoding="utf-8")
    assert read_recipe(Request(file=file)) == read_recipe(
        Request(base="starter", data="rows.jsonl")
    )
    for section, field in Recipe.model_fields.items():
        assert f"{section}:" in text
        for key in getattr(field.annotation, "model_fields", {}):
            assert f"{key}:" in text


def test_uncommenting_every_default_changes_nothing(tmp_path: Path) -> None:
    lines = commented("starter", "rows.jsonl").splitlines()
    sections = [
        line[2:] for line in lines if line.startswith("# train:") or line.startswith("#   ")
    ]
    start = sections.index("train:")
    inner = [line for line in sections[start + 1 :] if line.startswith("  ")][:5]
    text = "base: starter\ndata: rows.jsonl\ntrain:\n" + "\n".join(inner) + "\n"
    file = tmp_path / "recipe.yaml"
    file.write_text(text, encoding="utf-8")
    assert read_recipe(Request(file=file)).train == Recipe.model_fields["train"].default


def test_shipped_schema_is_current() -> None:
    assert schema() == build_schema(), "run: python -m tunesmith.recipe.generate"


def test_options_from_the_schema_equal_the_plugin_own_defaults() -> None:
    for section, kind in SECTIONS.items():
        for name in plugins.names(kind):
            own = plugins.load(kind, name).Config().model_dump(mode="json")
            assert complete(section, name, {}) == own


def test_every_key_has_its_help() -> None:
    document = schema()
    for name, definition in document["$defs"].items():
        for key, value in definition.get("properties", {}).items():
            if key != "name":
                assert value.get("description"), f"{name}.{key} has no docstring"
