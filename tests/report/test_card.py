"""The model card: front matter that parses, honest sections, and nothing that breaks out."""

from __future__ import annotations

import re
from pathlib import Path

from ruamel.yaml import YAML

from tests.report.fake_run import make_run, with_hostile_text
from tunesmith.report.card import write_card
from tunesmith.runs import create_run
from tunesmith.runs.documents import write_text


def front_matter(text: str) -> dict[str, object]:
    assert text.startswith("---\n")
    loaded: dict[str, object] = YAML(typ="safe").load(text.split("---\n")[1])
    return loaded


def test_the_card_says_what_the_run_measured(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    text = write_card(run).read_text()
    matter = front_matter(text)
    assert matter["base_model"] == "tiny/base" and matter["library_name"] == "peft"
    assert matter["license"] == "unknown" and "rouge_l" in matter["metrics"]  # type: ignore[operator]
    line = (
        "| generated answers | ROUGE-L | 83 | 0.050 | 0.710 | +0.660 | +0.600 to +0.710 | better |"
    )
    assert line in text
    for heading in (
        "Intended use",
        "Licence",
        "Training data",
        "Evaluation",
        "Limits",
        "How to use",
    ):
        assert f"## {heading}" in text
    assert "| tickets.jsonl | training | 523 | `5a78f7ee7f47e418` |" in text
    assert "/home/somebody" not in text
    assert 'base = "tiny/base"' in text
    compile(re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0], "card", "exec")


def test_a_local_base_is_not_named_as_a_model_of_the_hub(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (tmp_path / "weights").mkdir()
    write_text(
        run.path("recipe.yaml"),
        f"base: {tmp_path / 'weights'}\ndata: rows.jsonl\nadapter: full\n",
    )
    text = write_card(run).read_text()
    matter = front_matter(text)
    assert "base_model" not in matter and matter["library_name"] == "transformers"
    assert str(tmp_path) not in text and "AutoModelForCausalLM.from_pretrained(folder)" in text


def test_names_and_labels_cannot_break_out(tmp_path: Path) -> None:
    hostile = "a|b](http://x) <script>\n# Title\x1b[31m"
    run = make_run(tmp_path / "run | x<b>", record=with_hostile_text(hostile))
    text = write_card(run).read_text()
    front_matter(text)
    assert "<script>" not in text and "\n# Title" not in text and "\x1b" not in text
    assert "# run \\| x\\<b\\>" in text


def test_a_run_without_anything_has_a_card(tmp_path: Path) -> None:
    text = write_card(create_run(tmp_path / "run")).read_text()
    assert "Not measured yet." in text and "Not recorded." in text
    front_matter(text)
