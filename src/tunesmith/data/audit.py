"""What the audit noticed, gathered into the record that `audit.json` holds.

    {"rows": 3, "verdict": "warnings", "counts": {"special_token": 1},
     "findings": [{"rule": "special_token", "severity": "warn", "file": "t.jsonl", "line": 2}]}

Every finding is counted; the list keeps the first ones of each rule.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tunesmith.contracts import Audit, Finding, JsonObject

MAX_LISTED = 50
"""Findings of one rule that are listed; all of them are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLog:
    """Findings as they come; what it holds grows, and stays small."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding, rows: int = 1) -> None:
        """Count a finding that stands for so many rows, and list it where there is room."""
        if sum(other.rule == finding.rule for other in self.findings) < MAX_LISTED:
            self.findings.append(finding)
        self.counts[finding.rule] += rows

    def merge(self, counts: dict[str, int], findings: tuple[Finding, ...]) -> None:
        """Add what another log held."""
        for finding in findings:
            self.add(finding, rows=0)
        self.counts.update(counts)


def audit_of(log: FindingLog, *, rows: int, statistics: JsonObject) -> Audit:
    """The record: blocked where a finding blocks, warnings where one warns, else ready."""
    severities = {finding.severity for finding in log.findings}
    return Audit(
        rows=rows,
        verdict="blocked"
        if "block" in severities
        else "warnings"
        if "warn" in severities
        else "ready",
        counts=dict(sorted(log.counts.items())),
        findings=tuple(log.findings),
        statistics=statistics,
    )
