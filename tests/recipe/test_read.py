"""Recipes: short forms, overrides, paths, and every fault with its place and its fix."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.errors import RecipeError
from tunesmith.recipe import Recipe, Request, as_yaml, read_recipe

HEAD = "base: x\ndata: y.jsonl\n"


def read(folder: Path, text: str, *overrides: str, **options: str) -> Recipe:
    file = folder / "recipe.yaml"
    file.write_text(text, encoding="utf-8")
    return read_recipe(Request(file=file, overrides=overrides, **options))


def test_short_forms_are_written_out(tmp_path: Path) -> None:
    recipe = read(
        tmp_path,
        "base: x\ndata: {sources: [a.jsonl, {path: b.jsonl, weight: 2}]}\nadapter: lora\n"
        "export: merged\ntrain: {report_to: tensorboard}\n",
    )
    assert [source.path for source in recipe.data.sources] == ["a.jsonl", "b.jsonl"]
    assert recipe.data.sources[1].weight == 2
    assert recipe.adapter.name == "lora"
    assert recipe.adapter.options["rank"] == 16
    assert recipe.export == ("merged",)
    assert recipe.train.report_to == ("tensorboard",)


def test_qlora_is_an_nf4_base_with_lora(tmp_path: Path) -> None:
    recipe = read(tmp_path, HEAD + "adapter: {name: qlora, rank: 4}\n")
    assert recipe.base.quantize == "nf4"
    assert (recipe.adapter.name, recipe.adapter.options["rank"]) == ("lora", 4)


def test_command_line_wins_and_needs_no_file() -> None:
    recipe = read_recipe(
        Request(
            base="b",
            data="d.csv",
            output="runs/x",
            overrides=("train.learning_rate=1e-4", "adapter.rank=4", "data.sources.0.weight=3"),
        )
    )
    assert recipe.train.learning_rate == 1e-4
    assert recipe.adapter.options["rank"] == 4
    assert recipe.data.sources[0].weight == 3
    assert recipe.output == "runs/x"


def test_numbers_and_words_mean_what_they_say(tmp_path: Path) -> None:
    recipe = read(tmp_path, "base: no\ndata: on\ntrain:\n  learning_rate: 1e-4\n  epochs: 2\n")
    assert (recipe.base.path, recipe.data.sources[0].path) == ("no", "on")
    assert recipe.train.learning_rate == 1e-4
    assert recipe.train.epochs == 2.0


def test_written_recipe_reads_back_equal(tmp_path: Path) -> None:
    recipe = read(tmp_path, HEAD + "seed: 7\ntrain: {betas: [0.8, 0.9]}\nadapter: full\n")
    assert read(tmp_path, as_yaml(recipe)) == recipe


def test_a_link_keeps_its_name_and_a_licence_is_words(tmp_path: Path) -> None:
    # A hub's cache keeps files under their digest, without the ending that says what they are.
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "1f0c").write_text("{}\n")
    (tmp_path / "rows.jsonl").symlink_to(tmp_path / "blobs" / "1f0c")
    recipe = read(
        tmp_path,
        "base: x\ndata: {sources: [{path: rows.jsonl, licence: CC BY 4.0, origin: a/b, "
        "consent: asked}]}\n",
    )
    (source,) = recipe.data.sources
    assert source.path == str(tmp_path.resolve() / "rows.jsonl")
    assert (source.licence, source.origin, source.consent) == ("CC BY 4.0", "a/b", "asked")
    with pytest.raises(RecipeError, match="license") as caught:
        read(tmp_path, "base: x\ndata: {sources: [{path: rows.jsonl, license: MIT}]}\n")
    assert "licence" in caught.value.hint


def test_paths_are_found_beside_the_recipe_and_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "y.jsonl").write_text("{}")
    (tmp_path / "x").mkdir()
    monkeypatch.chdir(tmp_path)
    recipe = read(tmp_path / "deep", HEAD)
    assert recipe.data.sources[0].path == str(tmp_path / "deep" / "y.jsonl")
    assert recipe.base.path == str(tmp_path / "x")


@pytest.mark.parametrize(
    ("text", "place", "what", "fix"),
    [
        (HEAD + "trian: {}\n", "3:1", "unknown key trian", "train"),
        (HEAD + "train:\n  lerning_rate: 1\n", "4:3", "lerning_rate", "learning_rate"),
        (HEAD + "learning_rate: 1\n", "3:1", "learning_rate", "train.learning_rate"),
        (HEAD + "rank: 1\n", "3:1", "rank", "adapter.rank"),
        (HEAD + "adapter: {name: lora, rnk: 1}\n", "3:23", "adapter.rnk", "rank"),
        (HEAD + "adapter: {name: lora, rank: 0}\n", "3:23", "adapter.rank", ""),
        (HEAD + "adapter: {name: lora, alpha: .nan}\n", "3:23", "nan", "finite"),
        (HEAD + "adapter: lroa\n", "3:1", "no adapter called lroa", "did you mean lora"),
        (HEAD + "method: {rank: 3}\n", "3:10", "unknown key method.rank", "adapter.rank"),
        (HEAD + "method: [sft]\n", "3:1", "method", "sft"),
        (HEAD + "seed: no\n", "3:1", "seed", ""),
        (HEAD + "seed: -1\n", "3:1", "seed", ""),
        (HEAD + "seed: 99999999999999999999999\n", "3:1", "seed", ""),
        (HEAD + "train:\n  learning_rate: .nan\n", "4:3", "nan", "finite"),
        (HEAD + "train:\n  learning_rate: .inf\n", "4:3", "inf", "finite"),
        (HEAD + "train:\n  learning_rate: true\n", "4:3", "train.learning_rate", ""),
        (HEAD + "train:\n  learning_rate: '1e-4'\n", "4:3", "train.learning_rate", ""),
        (HEAD + "train:\n  learning_rate: 0\n", "4:3", "train.learning_rate", ""),
        (HEAD + "train:\n  learning_rate: 2\n", "4:3", "train.learning_rate", ""),
        (HEAD + "train:\n  rows_per_step: 0\n", "4:3", "train.rows_per_step", ""),
        (HEAD + "train:\n  rows_per_step: 1000000000\n", "4:3", "train.rows_per_step", ""),
        (HEAD + "train: {epochs: 1, steps: 3}\n", "3:1", "not both", ""),
        (HEAD + "train: {betas: [0.9, 1.0]}\n", "3:1", "betas", ""),
        (HEAD + "train: 3\n", "3:1", "train", ""),
        (HEAD + "train: {report_to: wandbb}\n", "3:9", "wandbb", "wandb"),
        (HEAD + "export: [mergd]\n", "3:1", "mergd", "merged"),
        (HEAD + "evaluate: {tasks: [anwsers]}\n", "3:12", "anwsers", "answers"),
        (HEAD + "gates: [{task: t, metric: m}]\n", "3:9", "min, max", ""),
        (HEAD + "seed: 1\nseed: 2\n", "4:1", "duplicate key", ""),
        (HEAD + "  bad: [\n", "3:6", "YAML", ""),
        ("base: x\ndata: {sources: []}\n", "", "no data", "--data"),
        ("base: x\n", "", "no data is named", "--data"),
        ("data: x\n", "", "no base model is named", "--base"),
        ("- 1\n", ":1", "mapping", "tunesmith init"),
        ("base: x\ndata: {sources: [{path: x, weight: 0}]}\n", "2:28", "weight", ""),
        ("base: x\ndata: {sources: [x], held_out: 1.5}\n", "2:", "share", ""),
        ("base: x\ndata: {sources: [x], held_out: true}\n", "2:", "held_out", ""),
        (
            "base: {path: x, quantize: nf4}\ndata: y\nadapter: full\n",
            "1:1",
            "use adapter: lora",
            "",
        ),
        ("base: {path: x, quantize: none}\ndata: y\nadapter: qlora\n", "", "qlora", "lora"),
        ("base: x\ndata: !!python/object/apply:os.system [ls]\n", "2:", "data", ""),
    ],
)
def test_faults_name_place_and_fix(
    tmp_path: Path, text: str, place: str, what: str, fix: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert what in message
    assert place in message
    assert fix in caught.value.hint
    assert caught.value.exit_code == 2


def test_override_faults_name_the_key(tmp_path: Path) -> None:
    for override, what in [
        ("train.epochs=abc", "train.epochs"),
        ("train.foo=1", "unknown key train.foo"),
        ("foo", "cannot read 'foo'"),
        ("data.sources.7.weight=1", "data.sources.7.weight"),
        ("train.learning_rate=.inf", "inf"),
    ]:
        with pytest.raises(RecipeError, match=what.replace(".", r"\.")):
            read(tmp_path, HEAD, override)


def test_alias_bomb_is_refused_quickly(tmp_path: Path) -> None:
    lines = ["a: &a [1,1,1,1,1,1,1,1,1,1]"]
    lines += [
        f"{k}: &{k} [{','.join(['*' + p] * 10)}]" for p, k in zip("abcdefg", "bcdefgh", strict=True)
    ]
    with pytest.raises(RecipeError, match="enormous"):
        read(tmp_path, "\n".join(lines))


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_bytes(b"base: \xff\xfe\n")
    with pytest.raises(RecipeError, match="UTF-8"):
        read_recipe(Request(file=file))
    with pytest.raises(RecipeError, match="no recipe file"):
        read_recipe(Request(file=tmp_path / "absent.yaml"))
    file.write_bytes(b"# " + b"x" * 2_000_000)
    with pytest.raises(RecipeError, match="larger"):
        read_recipe(Request(file=file))


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_any_text_is_a_recipe_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    file = tmp_path_factory.mktemp("fuzz") / "recipe.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError):
        read_recipe(Request(file=file))
