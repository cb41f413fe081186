"""The page of an audit: a verdict in words, rules with examples, distributions; nothing unsafe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.data.shops import data_of, qa
from tunesmith.contracts import Audit, Finding, JsonObject
from tunesmith.data import stage
from tunesmith.report.audit_page import audit_of_json, render_audit, show


def finding(rule: str, severity: str, line: int = 1, **more: str) -> Finding:
    assert severity in ("block", "warn", "info")
    file = "/data/rows.jsonl" if line else ""
    return Finding(
        rule=rule,
        severity=severity,  # type: ignore[arg-type]
        message=f"message of {rule}",
        fix=f"mend {rule}",
        file=file,
        line=line,
        **more,  # type: ignore[arg-type]
    )


def audit(
    *findings: Finding, verdict: str = "ready", statistics: JsonObject | None = None
) -> Audit:
    counts = {one.rule: 40 for one in findings}
    return Audit(
        rows=50,
        verdict=verdict,  # type: ignore[arg-type]
        counts=counts,
        findings=findings,
        statistics=statistics or {"train": 45, "held_out": 5},
        rules={rule: {"severity": "warn", "why": f"Why {rule}.", "fix": "x"} for rule in counts},
    )


@pytest.mark.parametrize(
    ("found", "verdict", "mood", "headline"),
    [
        ((), "ready", "good", "Ready: nothing was found that speaks against training"),
        (("warn",), "warnings", "mixed", "Usable, with 1 thing to look at first."),
        (("block", "warn"), "blocked", "bad", "Not ready: rule0 must be mended before training."),
    ],
)
def test_the_verdict_in_words(
    found: tuple[str, ...], verdict: str, mood: str, headline: str
) -> None:
    findings = [finding(f"rule{index}", severity) for index, severity in enumerate(found)]
    shown = show(audit(*findings, verdict=verdict))
    assert shown.mood == mood
    assert shown.headline.startswith(headline)
    assert shown.sentences[0] == (
        "50 rows were read: 45 to train on and 5 held out to measure with."
    )
    page = render_audit(audit(*findings, verdict=verdict))
    assert headline in page and f'class="verdict {mood}"' in page


def test_a_rule_shows_where_why_and_how() -> None:
    near = finding("near", "warn", 3, excerpt="so it goes", other="/data/rows.jsonl:9")
    page = render_audit(audit(near, finding("set", "info", 0), verdict="warnings"))
    for text in ("near", "40 rows", "rows.jsonl:3", "mend near"):
        assert text in page, text
    assert "rows.jsonl:9" in page and "so it goes" in page and "Why near." in page
    assert "/data/" not in page
    assert "message of set" in page and "mend set" not in page


def test_data_cannot_write_into_the_page() -> None:
    bad = "<script>alert(1)</script>\x1b[31m\u202e"
    page = render_audit(audit(finding("x", "warn", 2, excerpt=bad), verdict="warnings"))
    assert "<script" not in page and "\x1b" not in page and "\u202e" not in page
    assert "&lt;script&gt;" in page


def test_distributions_are_drawn() -> None:
    bins = [{"from": 1, "to": 1, "rows": 5}, {"from": 2, "to": 1200, "rows": 10}]
    statistics: JsonObject = {
        "checks": {
            "fitness": {
                "prompt_words": {"histogram": list(bins)},
                "openings": [{"text": "It is", "rows": 4}],
                "classes": {"rows": {"yes": 30, "no": 20}},
            }
        }
    }
    shown = show(audit(statistics=statistics))
    assert [one.title for one in shown.distributions] == [
        "Words of a prompt",
        "How answers begin",
        "Labels",
    ]
    assert shown.distributions[0].bars == (("1", 5, 50.0), ("2 to 1,200", 10, 100.0))
    assert "2 to 1,200" in render_audit(audit(statistics=statistics))


def test_a_real_audit_is_drawn_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*qa(40), *qa(2)]))
    made = stage.check(data_of(path), base=None, seed=0).audit
    again = audit_of_json(json.loads(json.dumps(made.as_json())))
    assert render_audit(again) == render_audit(made)
    assert "duplicate" in render_audit(made)
