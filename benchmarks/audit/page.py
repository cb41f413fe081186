"""The result as a page and as JSON: a table by rule, then by variant, and what was missed.

| email | exact | 96 | 95 | 0.990 | 1.000 | 0.0 | 0 |
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.audit.cases import FAMILIES
from benchmarks.audit.checked import Checked
from benchmarks.audit.dice import HALVES, Half
from benchmarks.audit.score import Result, Tally

LISTED = 20
SAMPLES = 10
AIM_EXACT, AIM_FUZZY, AIM_FALSE = 0.95, 0.85, 5.0
Calm = dict[tuple[str, Half], Checked]
"""Runs on untouched files, by data set."""


def write_page(results: Sequence[Result], calm: Calm, folder: Path) -> str:
    """Write audit.md, audit.json and untouched.json; give back the page."""
    halves = [half for half in HALVES if any(one.case.half == half for one in results)]
    page = [
        "# The audit against planted defects",
        "",
        f"{len(results)} files of real rows with defects; halves: {', '.join(halves)}. Recall is "
        "over planted defects; precision counts every finding on a file with defects that the "
        "file without them does not have; false per 1,000 is of rows without any defect.",
    ]
    for half in halves:
        own = [one for one in results if one.case.half == half]
        page += ["", f"## {half}", "", *_rule_table(own), "", *_aims(own)]
        page += ["", f"### By variant, {half}", "", *_variant_table(own)]
        page += ["", f"### Missed or wrongly flagged, {half}", "", *_missed(own)]
    page += ["", "## Untouched files", "", *_untouched(calm), "", "## Runs", "", *_runs(results)]
    text = "\n".join(page) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "audit.md").write_text(text, encoding="utf-8")
    _dump(folder / "audit.json", _as_json(results, calm))
    _dump(folder / "untouched.json", _samples(calm, masked=False))
    return text


def sums(results: Iterable[Result]) -> dict[str, Tally]:
    """Tallies by rule, over cases."""
    found: dict[str, Tally] = {}
    for result in results:
        for rule, tally in result.rules.items():
            _add(found.setdefault(rule, Tally()), tally)
    return dict(sorted(found.items(), key=lambda item: _order(item[0])))


def _order(rule: str) -> tuple[int, str]:
    every = [one for rules in FAMILIES.values() for one in rules]
    return (every.index(rule) if rule in every else len(every), rule)


def _add(total: Tally, more: Tally) -> None:
    for name in ("planted", "found", "ambiguous", "near_misses", "fired", "right",
                 "false_planted", "false_untouched", "unmasked"):  # fmt: skip
        setattr(total, name, getattr(total, name) + getattr(more, name))
    total.exact = total.exact and more.exact


def _per_thousand(results: Sequence[Result], rule: str) -> dict[str, float]:
    rows: Counter[str] = Counter()
    false: Counter[str] = Counter()
    for result in results:
        rows[result.case.data_set] += result.untouched
        tally = result.rules.get(rule)
        false[result.case.data_set] += tally.false_untouched if tally else 0
    return {name: 1000 * false[name] / rows[name] for name in rows if rows[name]}


def _rule_table(results: Sequence[Result]) -> list[str]:
    lines = [
        "| rule | kind | planted | found | recall | precision | near misses fired | "
        "false/1,000 (all, worst set) | shown unmasked |",
        "| --- | --- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    rows = sum(result.untouched for result in results)
    for rule, tally in sums(results).items():
        each = _per_thousand(results, rule)
        worst = max(each, key=lambda name: each[name], default="")
        false = f"{1000 * tally.false_untouched / max(1, rows):.2f}"
        if worst and each[worst]:
            false += f" ({worst}: {each[worst]:.1f})"
        lines.append(
            f"| {rule} | {'exact' if tally.exact else 'fuzzy'} | {tally.planted} | {tally.found} "
            f"| {_share(tally.recall)} | {_share(tally.precision)} "
            f"| {tally.fired}/{tally.near_misses} | {false} | {tally.unmasked or ''} |"
        )
    return lines


def _aims(results: Sequence[Result]) -> list[str]:
    short = []
    for rule, tally in sums(results).items():
        aim = AIM_EXACT if tally.exact else AIM_FUZZY
        if tally.recall is not None and tally.recall < aim:
            short.append(f"{rule} {tally.recall:.2f} < {aim}")
    loud = []
    for rule, tally in sums(results).items():
        each = _per_thousand(results, rule)
        loud += [f"{rule} on {name}: {value:.1f}" for name, value in each.items()
                 if tally.exact and value >= AIM_FALSE]  # fmt: skip
    return [
        f"Recall below the aim: {'; '.join(short) or 'none'}.",
        f"Exact rules with {AIM_FALSE:.0f} or more false per 1,000: {'; '.join(loud) or 'none'}.",
    ]


def _variant_table(results: Sequence[Result]) -> list[str]:
    found: dict[tuple[str, str], Tally] = {}
    shared: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for result in results:
        for key, tally in result.variants.items():
            _add(found.setdefault(key, Tally(exact=tally.exact)), tally)
        for defect in result.case.defects:
            if match := re.match(r"(0\.\d+|1\.00) ", defect.note):
                shared[defect.rule, defect.variant].append(float(match[1]))
    lines = ["| rule | variant | planted | found | near misses fired | in common |",
             "| --- | --- | --: | --: | --: | --: |"]  # fmt: skip
    for (rule, variant), tally in sorted(found.items(), key=lambda item: _order(item[0][0])):
        if tally.planted + tally.near_misses == 0:
            continue
        both = shared.get((rule, variant))
        common = f"{sum(both) / len(both):.2f}" if both else ""
        near = f"{tally.fired}/{tally.near_misses}" if tally.near_misses else ""
        lines.append(
            f"| {rule} | {variant} | {tally.planted} | {tally.found} | {near} | {common} |"
        )
    return lines


def _missed(results: Sequence[Result]) -> list[str]:
    lines: list[str] = []
    by_rule: defaultdict[str, list[str]] = defaultdict(list)
    for result in results:
        for defect, instead in result.missed:
            verb = "fired on a near miss" if defect.near_miss else "missed"
            where = f"{result.case.data_set} line {defect.rows[0].line}" if defect.rows else (
                result.case.data_set)  # fmt: skip
            also = f"; said: {instead}" if instead else ""
            note = f" [{_masked(defect.note)}]" if defect.note else ""
            by_rule[defect.rule].append(f"{verb}: {defect.variant}{note}, {where}{also}")
        for finding, where in result.false:
            said = _masked(finding.excerpt)[:80]
            by_rule[finding.rule].append(f"false, {where} ({result.case.data_set}): {said}")
    for rule in sorted(by_rule, key=_order):
        lines.append(f"- **{rule}** ({len(by_rule[rule])})")
        lines += [f"  - {text}" for text in by_rule[rule][:LISTED]]
    return lines or ["Nothing."]


def _masked(text: str) -> str:
    """Digits and the insides of addresses are not repeated in a page."""
    return re.sub(r"\d", "9", re.sub(r"[\w.+-]+@", "x@", text)).replace("\n", " ")


def _untouched(calm: Calm) -> list[str]:
    lines = ["Findings a rule on files without defects; whether they are right is for eyes.", ""]
    rules = sorted({one.rule for run in calm.values() for one in run.findings}, key=_order)
    lines += [
        "| rule | " + " | ".join(f"{name} {half} ({run.rows})" for (name, half), run in
                                 calm.items()) + " |",
        "| --- |" + " --: |" * len(calm),
    ]  # fmt: skip
    for rule in rules:
        counts = [sum(one.rule == rule for one in run.findings) for run in calm.values()]
        lines.append(f"| {rule} | " + " | ".join(str(count) for count in counts) + " |")
    lines.append("")
    for rule, found in _samples(calm, masked=True).items():
        lines.append(f"- **{rule}**")
        lines += [f"  - {text}" for text in found]
    return lines


def _samples(calm: Calm, *, masked: bool) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    runs = [(name, half, list(run.findings)) for (name, half), run in calm.items()]
    for number in range(max((len(findings) for *_, findings in runs), default=0)):
        for name, half, findings in runs:
            if number < len(findings) and len(found[findings[number].rule]) < SAMPLES:
                one = findings[number]
                where = ", ".join(f"{file}:{line}" for file, line in sorted(one.lines))
                said = _masked(one.excerpt) if masked else one.excerpt
                found[one.rule].append(f"{name} {half} {where}: {one.message} | {said}"[:240])
    return {rule: found[rule] for rule in sorted(found, key=_order)}


def _runs(results: Sequence[Result]) -> list[str]:
    lines = ["| file | rows | findings | exit | seconds |", "| --- | --: | --: | --: | --: |"]
    for result in results:
        run = result.checked
        lines.append(f"| {result.case.name} | {len(result.case.rows)} | {len(run.findings)} "
                     f"| {run.exit_code} | {run.seconds:.1f} |")  # fmt: skip
        if run.error:
            lines.append(f"| | | {_masked(run.error)[:200].replace('|', '/')} | | |")
    return lines


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _as_json(results: Sequence[Result], calm: Calm) -> dict[str, Any]:
    halves: dict[str, Any] = {}
    for half in HALVES:
        own = [one for one in results if one.case.half == half]
        halves[half] = {
            rule: {
                "kind": "exact" if tally.exact else "fuzzy",
                "planted": tally.planted,
                "found": tally.found,
                "recall": tally.recall,
                "precision": tally.precision,
                "near_misses": tally.near_misses,
                "near_misses_fired": tally.fired,
                "ambiguous": tally.ambiguous,
                "false_per_1000": _per_thousand(own, rule),
                "unmasked": tally.unmasked,
            }
            for rule, tally in sums(own).items()
        }
    counts = {
        f"{name} {half}": dict(Counter(one.rule for one in run.findings))
        for (name, half), run in calm.items()
    }
    runs = [
        {"case": one.case.name, "exit": one.checked.exit_code, "seconds": one.checked.seconds,
         "error": one.checked.error}
        for one in results
    ]  # fmt: skip
    return {"halves": halves, "untouched": counts, "runs": runs}


def _dump(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
