"""The audit for people: a verdict in words, what was found by rule with examples, distributions.

It is a page of its own (audit.html, from `check --output`) and a section of a run's report.
What it quotes was masked by the audit: no personal data is spread by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from tunesmith.contracts import Audit, Finding, Json, JsonObject, Severity
from tunesmith.report.text import visible

EXAMPLES = 5
"""Findings of a rule that are shown."""
_FOLDER = Path(__file__).parent / "templates"
_MOODS: dict[str, str] = {"blocked": "bad", "warnings": "mixed", "ready": "good"}
_WORDS: dict[Severity, str] = {"block": "worse", "warn": "mixed", "info": "same"}
_MOST_LABELS = 30
_LENGTHS = (("prompt_words", "Words of a prompt"), ("answer_words", "Words of an answer"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleShown:
    """What one rule found."""

    rule: str
    severity: Severity
    word: str
    """Class of its colour."""
    rows: int
    """0 for remarks about the whole set."""
    messages: tuple[str, ...]
    why: str
    fix: str
    examples: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A distribution, as bars of a share of the largest."""

    title: str
    bars: tuple[tuple[str, int, float], ...]
    """Label, count, percent of the largest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditShown:
    """An audit, ready to be drawn."""

    mood: str
    headline: str
    sentences: tuple[str, ...]
    rules: tuple[RuleShown, ...]
    distributions: tuple[Bars, ...]
    counts: tuple[tuple[str, str], ...]


def render_audit(audit: Audit) -> str:
    """The page of an audit; the same audit gives the same page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(visible=visible, grouped=lambda value: f"{value:,}")
    return environment.get_template("audit.html").render(shown=show(audit), rows=audit.rows)


def show(audit: Audit) -> AuditShown:
    """The parts of the page."""
    rules = tuple(_rules(audit))
    return AuditShown(
        mood=_MOODS[audit.verdict],
        headline=_headline(audit, rules),
        sentences=tuple(_sentences(audit, rules)),
        rules=rules,
        distributions=tuple(one for one in _distributions(audit.statistics) if one.bars),
        counts=tuple(_counts(audit)),
    )


def _rules(audit: Audit) -> Iterator[RuleShown]:
    grouped: dict[tuple[Severity, str], list[Finding]] = {}
    for finding in audit.findings:
        grouped.setdefault((finding.severity, finding.rule), []).append(finding)
    for (severity, rule), findings in grouped.items():
        alone = sum(1 for _, other in grouped if other == rule) == 1
        placed = any(one.file for one in findings)
        described = audit.rules.get(rule)
        yield RuleShown(
            rule=rule,
            severity=severity,
            word=_WORDS[severity],
            rows=(audit.counts[rule] if alone else len(findings)) if placed else 0,
            messages=tuple(dict.fromkeys(one.message for one in findings))[:EXAMPLES],
            why=str(described["why"]) if isinstance(described, dict) else "",
            fix=findings[0].fix,
            examples=tuple(one for one in findings if one.file)[:EXAMPLES],
        )


def _headline(audit: Audit, rules: tuple[RuleShown, ...]) -> str:
    blocking = [one for one in rules if one.severity == "block"]
    if blocking:
        return f"Not ready: {_listed(one.rule for one in blocking)} must be mended before training."
    if audit.verdict == "warnings":
        warning = [one for one in rules if one.severity == "warn"]
        return f"Usable, with {len(warning)} thing{'s' * (len(warning) > 1)} to look at first."
    return "Ready: nothing was found that speaks against training on this data."


def _sentences(audit: Audit, rules: tuple[RuleShown, ...]) -> Iterator[str]:
    train, held_out = audit.statistics.get("train"), audit.statistics.get("held_out")
    if isinstance(train, int) and isinstance(held_out, int):
        sides = f"{train:,} to train on and {held_out:,} held out to measure with"
        yield f"{audit.rows:,} rows were read: {sides if held_out else f'{train:,} to train on'}."
    for severity, told in (("block", "Training is refused because of"), ("warn", "Look at")):
        found = [one for one in rules if one.severity == severity]
        if found:
            named = (
                one.rule + (f" ({one.rows:,} row{'s' * (one.rows != 1)})" if one.rows else "")
                for one in sorted(found, key=lambda one: -one.rows)
            )
            yield f"{told} {_listed(named)}."


def _listed(names: Iterator[str]) -> str:
    every = list(names)
    shown = every[:8] + ([f"{len(every) - 8} more"] if len(every) > 8 else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _counts(audit: Audit) -> Iterator[tuple[str, str]]:
    parts = audit.statistics.get("parts")
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, dict):
            formats = part.get("formats")
            form = ", ".join(map(str, formats)) if isinstance(formats, list) else ""
            role = str(part.get("role", "")).replace("_", " ")
            yield (
                f"{role} file",
                f"{Path(str(part.get('path'))).name}: {part.get('rows'):,} rows, {form}",
            )
    tokens = audit.statistics.get("tokens")
    if isinstance(tokens, dict):
        for key, name in (
            ("total", "tokens"),
            ("trained", "of them trained"),
            ("p50", "tokens of a row, median"),
            ("p95", "95 % of rows have at most"),
            ("max", "longest row"),
            ("max_length", "limit of a row"),
            ("truncated", "rows cut at the limit"),
            ("dropped", "rows left out"),
        ):
            value = tokens.get(key)
            if isinstance(value, int):
                yield name, f"{value:,}"


def _distributions(statistics: JsonObject) -> Iterator[Bars]:
    """Lengths, beginnings and labels, as the check `fitness` counted them."""
    checks = statistics.get("checks")
    counted = checks.get("fitness") if isinstance(checks, dict) else None
    if not isinstance(counted, dict):
        return
    for key, title in (
        ("prompt_words", "Words of a prompt"),
        ("answer_words", "Words of an answer"),
    ):
        lengths = counted.get(key)
        bins = lengths.get("histogram") if isinstance(lengths, dict) else None
        yield _bars(title, [(_span(one), one.get("rows")) for one in _objects(bins)])
    openings = [(one.get("text"), one.get("rows")) for one in _objects(counted.get("openings"))]
    yield _bars("How answers begin", openings)
    classes = counted.get("classes")
    labels = classes.get("rows") if isinstance(classes, dict) else None
    yield _bars("Labels", list(labels.items()) if isinstance(labels, dict) else [])


def _objects(value: Json) -> list[JsonObject]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _span(one: JsonObject) -> str:
    first, last = one.get("from"), one.get("to")
    return f"{first:,}" if first == last else f"{first:,} to {last:,}"


def _bars(title: str, counted: Sequence[tuple[Json, Json]]) -> Bars:
    shown = [(visible(str(label), 40), rows) for label, rows in counted if isinstance(rows, int)]
    largest = max((rows for _, rows in shown), default=0) or 1
    return Bars(
        title=title,
        bars=tuple(
            (label, rows, round(100 * rows / largest, 2)) for label, rows in shown[:_MOST_LABELS]
        ),
    )


def audit_of_json(body: JsonObject) -> Audit:
    """The audit that `audit.json` of a run holds."""
    findings = body["findings"]
    assert isinstance(findings, list), "a stage of ours wrote it"
    plain: dict[str, object] = {
        **body,
        "findings": tuple(Finding(**one) for one in findings),  # type: ignore[arg-type]
    }
    return Audit(**plain)  # type: ignore[arg-type]
