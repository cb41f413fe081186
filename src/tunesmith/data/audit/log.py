"""What the checks found, gathered into the record that `audit.json` holds.

    {"rows": 3, "verdict": "warnings", "counts": {"email": 1},
     "findings": [{"rule": "email", "severity": "warn", "file": "t.jsonl", "line": 2, ...}],
     "rules": {"email": {"severity": "warn", "why": "...", "fix": "..."}}}

Every finding is counted; the list keeps the first ones of each rule. What is quoted of the
data is masked first: an audit must not spread what it warns of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tunesmith.contracts import Audit, Finding, JsonObject, Severity
from tunesmith.data.audit.contracts import Found, Rule
from tunesmith.data.columns import printable
from tunesmith.data.personal.masking import mask
from tunesmith.errors import Place

LONGEST_EXCERPT = 120
_ORDER: tuple[Severity, ...] = ("block", "warn", "info")


class FindingLog:
    """Findings as they come; what it holds is bounded by the number of rules."""

    def __init__(
        self, rules: Mapping[str, Rule], severities: Mapping[str, str], listed: int
    ) -> None:
        """Begin empty.

        Args:
            rules: those that are looked for; what others find is not kept.
            severities: the recipe's, by rule; `off` leaves a rule's findings out.
            listed: findings of a rule and severity that are listed; all are counted.
        """
        self._rules = rules
        self._severities = severities
        self._listed = listed
        self._counts: Counter[str] = Counter()
        self._in_list: Counter[tuple[str, Severity]] = Counter()
        self._worst: set[Severity] = set()
        self._findings: list[Finding] = []

    def add(
        self, found: Found, *, place: Place | None, row_hash: str = "", other: Place | None = None
    ) -> None:
        """Judge, count and list what was found."""
        rule = self._rules.get(found.rule)
        severity = self._severities.get(found.rule)
        if rule is None or severity == "off":
            return
        judged: Severity = found.severity or rule.severity
        if severity in _ORDER:
            judged = severity
        self._counts[found.rule] += found.rows
        self._worst.add(judged)
        # By severity too: what blocks is listed, however much else the rule has found before.
        if self._in_list[found.rule, judged] >= self._listed:
            return
        self._in_list[found.rule, judged] += 1
        self._findings.append(
            Finding(
                rule=found.rule,
                severity=judged,
                message=mask(found.message),
                fix=found.fix or rule.fix,
                file=str(place.file) if place else "",
                line=place.line if place else 0,
                row_hash=row_hash,
                excerpt=printable(mask(found.excerpt), LONGEST_EXCERPT),
                other=str(other) if other else "",
            )
        )

    def looks_for(self, rule: str) -> bool:
        """Whether what this rule finds is kept."""
        return rule in self._rules

    def merge(self, other: FindingLog) -> None:
        """Take what another log of the same rules holds; no rule has findings in both."""
        self._counts.update(other._counts)
        self._in_list.update(other._in_list)
        self._worst |= other._worst
        self._findings += other._findings

    def audit(self, *, rows: int, statistics: JsonObject) -> Audit:
        """The record: blocked where a finding blocks, warnings where one warns, else ready."""
        findings = sorted(
            self._findings,
            key=lambda one: (_ORDER.index(one.severity), one.rule, one.file, one.line),
        )
        return Audit(
            rows=rows,
            verdict="blocked"
            if "block" in self._worst
            else "warnings"
            if "warn" in self._worst
            else "ready",
            counts=dict(sorted(self._counts.items())),
            findings=tuple(findings),
            statistics=statistics,
            rules={
                name: {
                    "severity": self._severities.get(name, rule.severity),
                    "why": rule.why,
                    "fix": rule.fix,
                }
                for name, rule in sorted(self._rules.items())
                if name in self._counts
            },
        )
