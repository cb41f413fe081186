"""evaluation.json is read back as it was written, and refused where it is damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.evaluate.records import make_record
from tunesmith.errors import RunError
from tunesmith.evaluate.record import find, read_record
from tunesmith.runs.documents import write_json

KEYS = {
    "task", "version", "metric", "unit", "higher_is_better", "slice", "n", "groups", "base",
    "tuned", "difference", "low", "high", "p_value",
}  # fmt: skip


def test_round_trip(tmp_path: Path) -> None:
    record = make_record()
    path = tmp_path / "evaluation.json"
    write_json(path, record.as_json())
    assert read_record(path) == record
    document = json.loads(path.read_text())
    assert all(set(result) == KEYS for result in document["results"])
    assert document["format"] == 1
    assert document["gates"][0]["passed"] is False and "failed" in document["gates"][0]["reason"]


def test_results_are_found_by_name() -> None:
    record = make_record()
    found = find(record.results, "retention", "bits_per_byte", "code")
    assert found is not None and found.slice == "code"
    assert find(record.results, "retention", "bits_per_byte", "poems") is None


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", "null", '{"format": 2}', '{"format": 1}',
        '{"format": 1, "settings": {}, "results": [{"task": 1}], "intervals": [], "gates": [],'
        ' "generations": [], "confusion": null, "details": {}, "skipped": {}, "seconds": 1}',
    ],
)  # fmt: skip
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text(text)
    with pytest.raises(RunError) as error:
        read_record(path)
    assert error.value.place is not None and error.value.place.file == path
    assert error.value.hint
