"""The report: whole in one file, safe with any text, and there when parts are missing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.evaluate.records import make_record
from tests.report.fake_run import make_run, with_hostile_text
from tunesmith.errors import RunError
from tunesmith.report.page import duration, write_report
from tunesmith.runs import create_run

VOID = {"meta", "br", "hr", "img", "input", "link"}
HOSTILE = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}{% raw %}"
    "\x1b[31mred\x1b[0m\x00\u202egnp.exe</style></textarea><!--"
)


class Checker(HTMLParser):
    """Every element is closed, and nothing is loaded or run."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert tag not in {"script", "iframe", "object", "embed", "link", "base", "form", "img"}
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name not in {"src", "href", "srcset", "action", "xlink:href"}, (tag, name)
            assert "url(" not in (value or ""), value
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, (tag, self.open)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def checked(html: str) -> Checker:
    checker = Checker()
    checker.feed(html)
    checker.close()
    return checker


def parsed(html: str) -> Checker:
    checker = checked(html)
    optional = {"tr", "td", "th", "p", "html", "body"}
    assert not set(checker.open) - optional, checker.open
    return checker


def test_everything_is_on_the_page(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    path = write_report(run)
    assert path == run.path("report.html")
    html = path.read_text()
    text = " ".join("".join(parsed(html).text).split())
    for expected in (
        "On 83 held-out rows the tuned model names the right label far better",
        "General text: 4.1 % worse (2.700 → 2.810 bits per byte, 95 % interval 3.3 % to 4.8 %)",
        "It knows its training rows better",
        "ROUGE-L",
        "How do I get a refund for the months",
        "chosen: step 210",
        "tickets.jsonl",
        "the same as line 4",
        "a small model stands a high rate <really>",
        "learning_rate: 1e-3",
        "packages.torch2.13.0",
        "must be at most 0.05",
        "1 of 2 gates failed",
        "bias (not in this release)",
    ):
        assert expected in text, expected
    assert "/home/somebody" not in html.split("recipe.yaml</summary>")[0]
    assert "http://" not in html and "https://" not in html and "@import" not in html
    assert "default-src 'none'" in html


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", record=with_hostile_text(HOSTILE))
    html = write_report(run).read_text()
    checker = parsed(html)
    text = "".join(checker.text)
    assert text.count("<script>alert(1)</script>") >= 6
    assert "{{ 7 * 7 }}" in text and "49" not in re.findall(r"\b49\b", text)
    assert "\x1b" not in html and "\x00" not in html and "\u202e" not in html
    assert "␛[31mred" in text and "⟨U+202E⟩" in text


@pytest.mark.parametrize(
    "missing",
    [
        ("evaluation.json",),
        ("metrics.jsonl", "events.jsonl"),
        ("data",),
        ("environment.json", "recipe.yaml"),
        ("evaluation.json", "metrics.jsonl", "events.jsonl", "data", "environment.json",
         "recipe.yaml"),
    ],
)  # fmt: skip
def test_what_is_missing_is_left_out(tmp_path: Path, missing: tuple[str, ...]) -> None:
    run = make_run(tmp_path / "run")
    for name in missing:
        path = run.path(name)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    parsed(write_report(run).read_text())


def test_a_run_that_just_began_has_a_page(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run")
    text = "".join(parsed(write_report(run).read_text()).text)
    assert "This run is not finished." in text


def test_without_held_out_rows_only_forgetting_is_told(tmp_path: Path) -> None:
    record = make_record()
    retained = tuple(one for one in record.results if one.task == "retention")
    record = replace(
        record, results=retained, intervals=(), gates=(), generations=(), confusion=None
    )
    run = make_run(tmp_path / "run", record=record)
    text = "".join(parsed(write_report(run).read_text()).text)
    assert "no rows were held out" in text and "General text: 4.1 % worse" in text
    assert "Answers side by side" not in text


def test_a_damaged_evaluation_is_named(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    run.path("evaluation.json").write_text('{"format": 1')
    with pytest.raises(RunError):
        write_report(run)
    assert not run.path("report.html").exists()


def test_the_same_run_gives_the_same_page(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    assert write_report(run).read_bytes() == write_report(run).read_bytes()


def test_a_long_training_does_not_make_a_large_page(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", steps=3000)
    assert write_report(run).stat().st_size < 120_000


def test_no_torch_and_no_plotting_library_is_loaded() -> None:
    code = (
        "import sys, tunesmith.report.page, tunesmith.report.card\n"
        "heavy = {'torch', 'transformers', 'peft', 'matplotlib', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("seconds", "text"), [(41.2, "41 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_what_was_computed_is_told(tmp_path: Path) -> None:
    html = write_report(make_run(tmp_path)).read_text()
    text = " ".join(checked(html).text)
    assert "Computed tokens" in text
    assert "common beginnings, computed once" in text


def test_sources_have_licence_and_origin(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    path = run.path("data", "provenance.json")
    body = json.loads(path.read_text())
    body["sources"][0] |= {"licence": "CC-BY-SA-4.0", "hub": "own/shops", "url": "https://x.org"}
    path.write_text(json.dumps(body))
    text = " ".join(checked(write_report(run).read_text()).text)
    assert "CC-BY-SA-4.0" in text
    assert "own/shops" in text
