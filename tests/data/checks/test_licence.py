"""What the licences of the sources ask, and whether they agree."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.data.shops import qa
from tunesmith.contracts import Audit, Finding
from tunesmith.data import stage
from tunesmith.data.audit.inspection import Inspection
from tunesmith.data.checks.licence import RULES
from tunesmith.data.licence_terms import duties
from tunesmith.data.licences import licence_of
from tunesmith.recipe import AuditRules, Data, Source

LICENCES = Inspection(rules=AuditRules(rules=tuple(RULES)))


def write(path: Path, start: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in qa(20, start=start)))
    return path


def audited(tmp_path: Path, *licences: str | None, **options: Any) -> Audit:
    sources = tuple(
        Source(path=str(write(tmp_path / f"{index}.jsonl", 100 * index)), licence=licence)
        for index, licence in enumerate(licences)
    )
    data = Data(sources=sources, **options)
    return stage.check(data, base=None, seed=0, inspection=LICENCES).audit


def rules(audit: Audit) -> list[str]:
    return sorted(finding.rule for finding in audit.findings)


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("MIT", []),
        ("CC-BY-4.0", []),
        ("own", []),
        ("MIT OR GPL-3.0-only", []),
        (None, ["unknown_licence"]),
        ("ask Cy", ["unknown_licence"]),
        ("LicenseRef-acme", ["unknown_licence"]),
        ("Sleepycat", ["unknown_licence"]),
        ("CC-BY-NC-4.0", ["non_commercial"]),
        ("research only", ["non_commercial"]),
        ("model output", ["non_commercial"]),
        ("CC-BY-SA-4.0", ["share_alike"]),
        ("CC-BY-ND-4.0", ["no_derivatives"]),
        ("CC-BY-NC-SA-4.0", ["non_commercial", "share_alike"]),
        ("CC-BY-NC-ND-4.0", ["no_derivatives", "non_commercial"]),
        ("all rights reserved", ["no_derivatives", "non_commercial"]),
    ],
)
def test_one_source(tmp_path: Path, licence: str | None, expected: list[str]) -> None:
    audit = audited(tmp_path, licence)
    assert rules(audit) == expected
    assert audit.verdict == ("warnings" if expected else "ready")
    for finding in audit.findings:
        assert finding.file == str(tmp_path / "0.jsonl")
        assert finding.fix


def test_limits_are_told_as_what_they_are(tmp_path: Path) -> None:
    def message(licence: str) -> str:
        return audited(tmp_path, licence).findings[0].message

    assert "non-commercial" in message("CC-BY-NC-4.0")
    assert "research use only" in message("for research purposes only")
    assert "compete" in message("OpenAI terms")
    assert "non-commercial" not in message("OpenAI terms")
    assert "forbidden uses" in message("bigscience-openrail-m")


def test_an_unknown_licence_is_quoted_and_not_put_into_the_message(tmp_path: Path) -> None:
    (finding,) = audited(tmp_path, "ask Cy in room 4").findings
    assert finding.excerpt == "ask Cy in room 4"
    assert "Cy" not in finding.message


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("CC-BY-SA-4.0", "CC-BY-NC-4.0", False),
        ("CC-BY-SA-4.0", "ODbL-1.0", False),
        ("GPL-2.0-only", "Apache-2.0 AND GPL-3.0-only", False),
        ("CC-BY-SA-4.0", "MIT", True),
        ("CC-BY-SA-3.0", "CC-BY-SA-4.0", True),
    ],
)
def test_two_sources(tmp_path: Path, one: str, other: str, agree: bool) -> None:
    audit = audited(tmp_path, one, other)
    found = [finding for finding in audit.findings if finding.rule == "licence_conflict"]
    assert (found == []) == agree
    if found:
        assert found[0].file == str(tmp_path / "0.jsonl")
        assert found[0].other == str(tmp_path / "1.jsonl")


def test_a_conflict_of_many_sources_is_told_once(tmp_path: Path) -> None:
    audit = audited(tmp_path, "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0")
    assert audit.counts["licence_conflict"] == 1


def test_the_held_out_file_is_not_judged(tmp_path: Path) -> None:
    held_out = write(tmp_path / "held" / "out.jsonl", 900)
    audit = audited(tmp_path, "MIT", held_out=str(held_out))
    assert audit.findings == ()


def test_duties_stand_in_the_statistics(tmp_path: Path) -> None:
    checks = audited(tmp_path, "MIT", "CC-BY-SA-4.0", None).statistics["checks"]
    assert isinstance(checks, dict)
    assert checks["licence"] == {
        "sources": [
            {"path": str(tmp_path / "0.jsonl"), "licence": "MIT", "duties": ["attribution"]},
            {
                "path": str(tmp_path / "1.jsonl"),
                "licence": "CC-BY-SA-4.0",
                "duties": ["attribution", "share-alike"],
            },
            {"path": str(tmp_path / "2.jsonl"), "licence": "unknown", "duties": ["unknown"]},
        ]
    }
    assert duties(licence_of("CC0").terms) == ()


def only(audit: Audit, rule: str) -> Finding:
    (finding,) = [finding for finding in audit.findings if finding.rule == rule]
    return finding


def test_the_fix_names_the_key_of_the_source(tmp_path: Path) -> None:
    fix = only(audited(tmp_path, "MIT", None), "unknown_licence").fix
    assert "data.sources.1.licence=CC-BY-4.0" in fix


def test_a_licence_file_beside_the_data_is_only_pointed_at(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text("MIT")
    assert "LICENSE" in only(audited(tmp_path, None), "unknown_licence").fix


def test_two_documents_that_disagree(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")
    finding = only(audited(tmp_path, "MIT"), "licence_contradiction")
    assert "README.md" in finding.message
    assert finding.excerpt == "CC-BY-NC-4.0 / MIT"
    assert rules(audited(tmp_path, "CC BY-NC 4.0")) == ["non_commercial"]


def test_a_file_that_is_not_the_one_described(tmp_path: Path) -> None:
    file = write(tmp_path / "0.jsonl", 0)

    def describe(digest: str) -> None:
        described = {
            "@type": "sc:Dataset",
            "license": "MIT",
            "distribution": [
                {"@type": "cr:FileObject", "contentUrl": "data/0.jsonl", "sha256": digest}
            ],
        }
        (tmp_path / "croissant.json").write_text(json.dumps(described))

    describe(hashlib.sha256(file.read_bytes()).hexdigest())
    assert rules(audited(tmp_path, None)) == []
    describe("0" * 64)
    assert only(audited(tmp_path, None), "not_as_described").file == str(file)
