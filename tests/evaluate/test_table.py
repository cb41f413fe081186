"""The table in the terminal: readable at 80 and 120 columns, and without colour."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.evaluate.records import make_record
from tunesmith.contracts import Result
from tunesmith.evaluate.table import show_table
from tunesmith.evaluate.wording import interval, metric_name, number, signed, verdict
from tunesmith.runs.documents import write_json


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_broken_or_cut(tmp_path: Path, width: int) -> None:
    path = tmp_path / "evaluation.json"
    write_json(path, make_record().as_json())
    out = io.StringIO()
    show_table(path, Console(file=out, width=width, color_system=None))
    text = out.getvalue()
    lines = text.splitlines()
    assert all(len(line) <= width for line in lines)
    assert "…" not in text and "\x1b" not in text
    (rouge,) = [line.split() for line in lines if "ROUGE-L" in line]
    assert rouge == ["ROUGE-L", "0.050", "0.710", "+0.660", "+0.600", "to", "+0.710", "better"]
    (stories,) = [line.split() for line in lines if line.strip().startswith("stories")]
    assert stories[-1] == "same"
    assert any(line.split() == ["general", "text", "n", "=", "83"] for line in lines)
    assert all(len(line.split("  ")) > 2 for line in lines if line.startswith("  "))
    assert any("must be at most 0.05: failed" in line for line in lines)


def result(low: float | None, high: float | None, higher: bool = True) -> Result:
    return Result(
        task="t", version=1, metric="m", unit="u", higher_is_better=higher, slice="all", n=5,
        groups=5, base=1.0, tuned=1.0, difference=0.0, low=low, high=high, p_value=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("low", "high", "higher", "word"),
    [
        (0.1, 0.2, True, "better"),
        (0.1, 0.2, False, "worse"),
        (-0.2, -0.1, True, "worse"),
        (-0.2, -0.1, False, "better"),
        (-0.1, 0.1, True, "same"),
        (0.0, 0.1, True, "same"),
        (None, None, True, "-"),
    ],
)
def test_the_word_for_a_difference(
    low: float | None, high: float | None, higher: bool, word: str
) -> None:
    assert verdict(result(low, high, higher)) == word


def test_numbers_for_people() -> None:
    values = [None, 0.0, 0.05, 9.999, 14.171, 276.21, 12345.6, 3.2e9, -0.5]
    assert [number(value) for value in values] == [
        "-", "0.000", "0.050", "9.999", "14.17", "276.2", "12,346", "3.2e+09", "-0.500",
    ]  # fmt: skip
    assert [signed(value) for value in (0.5, -0.5, -0.00001, 0.0, None)] == [
        "+0.500", "-0.500", "0.000", "0.000", "-",
    ]  # fmt: skip
    assert interval(result(-0.1, 0.25)) == "-0.100 to +0.250"
    assert metric_name("rouge_l") == "ROUGE-L" and metric_name("token_accuracy") == "token accuracy"
