"""The model card: front matter that parses, honest sections, and nothing that breaks out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
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
    assert "| tickets.jsonl | training | 523 | unknown |  | `5a78f7ee7f47e418` |" in text
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


def card_with(tmp_path: Path, base: str, *sources: dict[str, object]) -> str:
    """The card of a run whose ledger has these licences and facts."""
    run = make_run(tmp_path / "run")
    path = run.path("data", "provenance.json")
    (plain,) = json.loads(path.read_text())["sources"]
    entries = [
        {**plain, "path": f"/somewhere/{index}.jsonl", **source}
        for index, source in enumerate(sources)
    ]
    body = {"sources": entries, "held_out": [plain], "base": {"licence_text": base}}
    path.write_text(json.dumps(body))
    return write_card(run).read_text()


@pytest.mark.parametrize(
    ("base", "licences", "expected", "name"),
    [
        ("apache-2.0", ["MIT", "CC-BY-4.0"], "apache-2.0", None),
        ("mit", ["own"], "mit", None),
        ("apache-2.0", ["CC-BY-SA-4.0", "MIT"], "cc-by-sa-4.0", None),
        ("apache-2.0", ["CC-BY-NC-4.0"], "cc-by-nc-4.0", None),
        ("apache-2.0", ["GPL-3.0-or-later"], "gpl-3.0", None),
        ("apache-2.0", ["ODbL-1.0"], "odbl", None),
        ("llama3.1", ["MIT"], "llama3.1", None),
        ("llama3.1", ["CC-BY-NC-4.0"], "other", "LicenseRef-llama AND CC-BY-NC-4.0"),
        ("apache-2.0", ["CC-BY-2.5-AU", "CC-BY-ND-3.0"], "other", "CC-BY-ND-3.0"),
        ("apache-2.0", ["MIT", ""], "unknown", None),
        ("", ["MIT"], "unknown", None),
        ("apache-2.0", ["CC-BY-SA-4.0", "CC-BY-NC-4.0"], "unknown", None),
    ],
)
def test_the_licence_is_what_base_and_data_allow(
    tmp_path: Path, base: str, licences: list[str], expected: str, name: str | None
) -> None:
    matter = front_matter(card_with(tmp_path, base, *({"licence": one} for one in licences)))
    assert matter["license"] == expected
    assert matter.get("license_name") == name


def test_duties_and_origin_stand_in_the_card(tmp_path: Path) -> None:
    text = card_with(
        tmp_path,
        "apache-2.0",
        {"licence": "CC-BY-4.0", "author": "Ada", "hub": "own/shops", "revision": "b" * 40},
        {"licence": "CC-BY-SA-4.0", "url": "https://example.org/a", "citation": "Bo, 2025"},
        {"licence": "LicenseRef-own", "origin": "our desk"},
    )
    assert front_matter(text)["datasets"] == ["own/shops"]
    table = text.split("## Training data")[1].split("## Evaluation")[0]
    assert "| 0.jsonl | training | 523 | CC-BY-4.0 | own/shops@bbbbbbbbbbbb | `5a78" in table
    assert "| 1.jsonl | training | 523 | CC-BY-SA-4.0 | https://example.org/a | `5a78" in table
    assert "| LicenseRef-own | our desk |" in table
    assert "| tickets.jsonl | held out |" in table
    assert "1.jsonl: Bo, 2025" in table
    licence = text.split("## Licence")[1].split("## Training data")[0]
    assert (
        "- Name the authors and the licence: the base (Apache-2.0), 0.jsonl (Ada, CC-BY-4.0)"
        in licence
    )
    assert "- Pass on under the same licence (share-alike): 1.jsonl (CC-BY-SA-4.0)." in licence
    assert "commercial" not in licence
    assert "/somewhere" not in text


def test_limits_and_conflicts_are_told(tmp_path: Path) -> None:
    text = card_with(tmp_path, "gemma", {"licence": "CC-BY-NC-SA-4.0"})
    assert "cannot be kept together" in text
    assert "- No commercial use: 0.jsonl (CC-BY-NC-SA-4.0)." in text
    assert "- the base (LicenseRef-gemma): a list of forbidden uses" in text


def test_a_ledger_cannot_break_out(tmp_path: Path) -> None:
    hostile = "a|b](http://x) <script>\n# Title\x1b[31m"
    keys = ("licence", "author", "hub", "origin", "citation", "url")
    text = card_with(tmp_path, hostile, dict.fromkeys(keys, hostile))
    front_matter(text)
    assert "<script>" not in text
    assert "\n# Title" not in text
    assert "\x1b" not in text
