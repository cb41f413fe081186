"""Which rules are looked for, how they are judged, and what an audit says in the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.data.shops import data_of, qa
from tunesmith.contracts import Audit, Severity
from tunesmith.data import stage
from tunesmith.data.audit.compared import benchmark_texts
from tunesmith.data.audit.contracts import Found, Rule
from tunesmith.data.audit.inspection import UNUSABLE, Inspection, all_rules, choose
from tunesmith.data.audit.log import LONGEST_EXCERPT, FindingLog
from tunesmith.data.prepared import refuse_blocked
from tunesmith.errors import DataError, Place, RecipeError, Refused
from tunesmith.recipe import AuditRules

Write = Callable[[str, Iterable[object]], Path]
RULES = {
    "loud": Rule(severity="block", why="It is loud.", fix="turn it down"),
    "quiet": Rule(severity="info", why="It is quiet.", fix="turn it up", limit=3),
}
HERE = Place(file="t.jsonl", line=7)


def audit_of(path: Path, rules: AuditRules) -> Audit:
    inspection = Inspection(rules=rules)
    return stage.check(data_of(path), base=None, seed=0, inspection=inspection).audit


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (AuditRules(rules=("duplicat",)), "did you mean duplicate"),
        (AuditRules(severities={"emial": "off"}), "did you mean email"),
        (AuditRules(limits={"email": 3}), "the rule email has no limit"),
    ],
)
def test_what_does_not_exist_is_refused_with_the_nearest(rules: AuditRules, says: str) -> None:
    with pytest.raises(RecipeError) as caught:
        choose(rules)
    assert says in str(caught.value)


def test_rules_are_looked_for_alone_and_limits_are_complete() -> None:
    chosen = choose(AuditRules(rules=("email", "duplicate"), limits={"few_rows": 7}))
    assert set(chosen.rules) == {"email", "duplicate", UNUSABLE}
    assert set(chosen.checks) == {"personal", "duplicates", "structure"}
    having = {name for name, rule in all_rules().items() if rule.limit is not None}
    assert set(chosen.limits) == having
    assert chosen.limits["few_rows"] == 7


@pytest.mark.parametrize(
    ("severity", "verdict", "listed"),
    [("block", "blocked", 3), ("warn", "warnings", 3), ("info", "ready", 3), ("off", "ready", 0)],
)
def test_the_recipe_decides_how_grave_a_rule_is(
    write_lines: Write, severity: str, verdict: str, listed: int
) -> None:
    path = write_lines("rows.jsonl", [*qa(40), *qa(3)])
    settings = {"rules": ["duplicate"], "severities": {"duplicate": severity}}
    audit = audit_of(path, AuditRules.model_validate_json(json.dumps(settings)))
    assert (audit.verdict, audit.counts.get("duplicate", 0)) == (verdict, listed)
    assert {one.severity for one in audit.findings} == ({severity} if listed else set())


def test_a_log_counts_all_and_lists_the_first() -> None:
    log = FindingLog(RULES, {}, listed=2)
    for line in range(5):
        log.add(Found(rule="loud", message="loud"), place=Place(file="t", line=line))
    log.add(Found(rule="quiet", message="quiet", rows=9), place=None)
    log.add(Found(rule="unknown", message="not asked for"), place=HERE)
    audit = log.audit(rows=5, statistics={})
    assert audit.counts == {"loud": 5, "quiet": 9}
    assert [(one.rule, one.line) for one in audit.findings] == [
        ("loud", 0),
        ("loud", 1),
        ("quiet", 0),
    ]
    assert (audit.verdict, audit.findings[2].file) == ("blocked", "")
    assert set(audit.rules) == {"loud", "quiet"}


def test_a_log_masks_and_cuts_what_it_quotes() -> None:
    log = FindingLog(RULES, {}, listed=9)
    excerpt = f"write to jane.doe@mail-of-mine.org now {'x' * 200}"
    log.add(Found(rule="loud", message="loud", excerpt=excerpt), place=HERE)
    (finding,) = log.audit(rows=1, statistics={}).findings
    assert "jane.doe" not in finding.excerpt and "write to j***@" in finding.excerpt
    assert len(finding.excerpt) <= LONGEST_EXCERPT + 3


def test_two_logs_become_one() -> None:
    one, other = FindingLog(RULES, {}, listed=2), FindingLog(RULES, {}, listed=2)
    one.add(Found(rule="quiet", message="quiet"), place=HERE)
    other.add(Found(rule="loud", message="loud"), place=HERE)
    one.merge(other)
    audit = one.audit(rows=1, statistics={})
    assert audit.counts == {"loud": 1, "quiet": 1}
    assert audit.verdict == "blocked"


def test_benchmarks_are_read_with_any_columns(write_lines: Write, tmp_path: Path) -> None:
    rows = [{"q": "Who?", "choices": ["A", {"text": "B"}], "n": 3}, {"anything": "else"}]
    path = write_lines("exam.jsonl", rows)
    texts = benchmark_texts([str(path)])
    assert [(one.name, one.text, one.place.line) for one in texts] == [
        ("exam.jsonl", "Who?\nA\nB", 1),
        ("exam.jsonl", "else", 2),
    ]
    with pytest.raises(DataError, match="no such file"):
        benchmark_texts([str(tmp_path / "none.jsonl")])


def test_rows_that_cannot_be_used_are_named_whatever_is_asked_for(write_lines: Write) -> None:
    path = write_lines("rows.jsonl", [*qa(40), {"question": "x", "answer": ""}])
    audit = audit_of(path, AuditRules(rules=("email",)))
    assert [(one.rule, one.line) for one in audit.findings] == [(UNUSABLE, 41)]


def test_what_blocks_is_listed_after_any_number_of_warnings() -> None:
    log = FindingLog(RULES, {"quiet": "warn"}, listed=1)
    severities: tuple[Severity, ...] = ("warn", "warn", "block")
    for severity in severities:
        log.add(Found(rule="loud", message=severity, severity=severity), place=HERE)
    log.add(Found(rule="quiet", message="quiet"), place=HERE)
    audit = log.audit(rows=4, statistics={})
    assert [(one.rule, one.severity) for one in audit.findings] == [
        ("loud", "block"),
        ("loud", "warn"),
        ("quiet", "warn"),
    ]
    with pytest.raises(Refused, match="loud"):
        refuse_blocked(audit)
    quiet = audit.rules["quiet"]
    assert isinstance(quiet, dict)
    assert quiet["severity"] == "warn"
