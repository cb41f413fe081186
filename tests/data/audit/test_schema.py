"""audit.json is what its schema says, field by field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path

import jsonschema

from tests.data.shops import data_of, qa
from tunesmith.contracts import Audit, Finding
from tunesmith.data import stage
from tunesmith.data.audit.sarif import sarif_of
from tunesmith.data.audit.schema import audit_schema

Write = Callable[[str, Iterable[object]], Path]


def audit_of_bad_rows(write_lines: Write) -> Audit:
    rows = [*qa(30), *qa(2), {"question": "x", "answer": ""}]
    path = write_lines("rows of shops.jsonl", rows)
    return stage.check(data_of(path), base=None, seed=0).audit


def test_the_schema_has_every_field_and_no_other() -> None:
    schema = json.loads(json.dumps(audit_schema()))
    assert list(schema["properties"]) == [field.name for field in fields(Audit)]
    found = schema["$defs"]["Finding"]["properties"]
    assert set(found) == {field.name for field in fields(Finding)}


def test_an_audit_is_valid(write_lines: Write) -> None:
    audit = audit_of_bad_rows(write_lines)
    assert audit.verdict == "blocked"
    written = json.loads(json.dumps(audit.as_json()))
    jsonschema.validate(written, audit_schema())
    assert set(written["rules"]) == set(written["counts"])


def test_sarif_names_rules_lines_and_levels(write_lines: Write) -> None:
    audit = audit_of_bad_rows(write_lines)
    log = json.loads(json.dumps(sarif_of(audit)))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == set(audit.counts)
    assert len(run["results"]) == len(audit.findings)
    copy = next(one for one in run["results"] if one["ruleId"] == "duplicate")
    place = copy["locations"][0]["physicalLocation"]
    assert place["region"]["startLine"] == 31
    assert place["artifactLocation"]["uri"].startswith("file:///")
    assert place["artifactLocation"]["uri"].endswith("/rows%20of%20shops.jsonl")
    related = copy["relatedLocations"][0]["physicalLocation"]
    assert related["region"]["startLine"] == 1
    levels = {one["ruleId"]: one["level"] for one in run["results"]}
    assert levels["duplicate"] == "warning"
    assert "error" in levels.values()
