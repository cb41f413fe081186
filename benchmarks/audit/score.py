"""What the audit found of what was planted, and what it said besides.

A finding of a rule is *right* on a row where a defect of that rule is (or of one that it says
as well), *known* where the calm twin has it too, and *false* otherwise: on a near miss, on a
row with another defect, or on an untouched row. Precision = right / (right + false).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.audit.bed import Defect, Row
from benchmarks.audit.cases import Case
from benchmarks.audit.checked import HELD_OUT, TRAIN, Checked, Reported

Key = tuple[str, int]


@dataclass(slots=True)
class Tally:
    """Counts of one rule (or of one variant of it) in one half."""

    planted: int = 0
    found: int = 0
    ambiguous: int = 0
    """Planted in rows that the audit complained of before; not counted."""
    near_misses: int = 0
    fired: int = 0
    """Near misses that the rule fired on."""
    right: int = 0
    false_planted: int = 0
    """False findings on rows with another defect."""
    false_untouched: int = 0
    unmasked: int = 0
    """Findings that show the planted value."""
    exact: bool = True

    @property
    def recall(self) -> float | None:
        """Found / planted."""
        return self.found / self.planted if self.planted else None

    @property
    def precision(self) -> float | None:
        """Right / (right + false)."""
        false = self.fired + self.false_planted + self.false_untouched
        return self.right / (self.right + false) if self.right + false else None


@dataclass(slots=True)
class Result:
    """All that is known of one case."""

    case: Case
    checked: Checked
    rules: dict[str, Tally] = field(default_factory=dict)
    variants: dict[tuple[str, str], Tally] = field(default_factory=dict)
    missed: list[tuple[Defect, str]] = field(default_factory=list)
    """With what was found in that row instead."""
    false: list[tuple[Reported, str]] = field(default_factory=list)
    """With where it was said."""
    untouched: int = 0

    def of(self, defect: Defect) -> tuple[Tally, Tally]:
        """The tallies that a defect counts in."""
        rule = self.rules.setdefault(defect.rule, Tally())
        rule.exact = rule.exact and defect.exact if not defect.near_miss else rule.exact
        key = (defect.rule, defect.variant)
        return rule, self.variants.setdefault(key, Tally(exact=defect.exact))


def score(case: Case, checked: Checked, calm: Checked | None) -> Result:
    """Compare what was planted with what was said."""
    result = Result(case, checked)
    known = {
        (finding.rule, line)
        for finding in (calm.findings if calm else ())
        for line in finding.lines
    }
    by_place = _places(case)
    defects: dict[int, list[Defect]] = {}
    for defect in case.defects:
        for row in (*defect.rows, *defect.mates):
            defects.setdefault(id(row), []).append(defect)
    said: dict[int, set[str]] = {}
    whole = {finding.rule for finding in checked.findings if not finding.lines}
    for finding in checked.findings:
        rows = [by_place[line] for line in finding.lines if line in by_place]
        for row in rows:
            said.setdefault(id(row), set()).add(finding.rule)
        _judge(result, finding, rows, defects, known, by_place)
    for defect in case.defects:
        _count(result, defect, said, whole, known)
    if case.calm is None:
        return result
    result.untouched = sum(id(row) not in defects for row in by_place.values())
    return result


def _places(case: Case) -> dict[Key, Row]:
    files = ((TRAIN, case.rows), (HELD_OUT, case.held_out or []))
    return {(name, row.line): row for name, rows in files for row in rows}


def _before(row: Row, place: Key) -> set[Key]:
    """Where a row, or the one that it is a copy of, stands in the calm twin."""
    if row.origin:
        return {(place[0], row.origin)}
    return {(TRAIN, row.like), (HELD_OUT, row.like)} if row.like else set()


def _judge(
    result: Result, finding: Reported, rows: list[Row], defects: dict[int, list[Defect]],
    known: set[tuple[str, Key]], by_place: dict[Key, Row],
) -> None:  # fmt: skip
    """Whether a finding is right, known or false; the whole set's are not judged.

    Nor are those on made-up rows, which no calm twin vouches for.
    """
    if not rows or result.case.calm is None:
        return
    tally = result.rules.setdefault(finding.rule, Tally())
    own = [defect for row in rows for defect in defects.get(id(row), ())]
    for defect in own:
        shown = len(defect.value) > 3 and defect.value in finding.text
        if shown and not defect.near_miss:
            result.of(defect)[0].unmasked += 1
    if any(_is_right(finding.rule, defect) for defect in own):
        tally.right += 1
        return
    for line in finding.lines:
        if line in by_place and any(
            (finding.rule, place) in known for place in _before(by_place[line], line)
        ):
            return
    near = [one for one in own if one.near_miss and one.rule == finding.rule]
    if near:
        return
    if own:
        tally.false_planted += 1
        what = ", ".join(sorted({f"{one.rule}: {one.variant}" for one in own}))
        result.false.append((finding, f"on a row with {what}"))
    else:
        tally.false_untouched += 1
        result.false.append((finding, "on an untouched row"))


def _is_right(rule: str, defect: Defect) -> bool:
    if rule == "outlier":
        return True  # a row with something planted in it is unlike the others
    if defect.near_miss:
        return rule in defect.also
    return rule in (defect.rule, *defect.accept, *defect.also)


def _count(
    result: Result, defect: Defect, said: dict[int, set[str]], whole: set[str],
    known: set[tuple[str, Key]],
) -> None:  # fmt: skip
    tallies, case = result.of(defect), result.case
    rules = {defect.rule} if defect.near_miss else {defect.rule, *defect.accept}
    old = [row for row in defect.rows if row.origin]
    before = [row for row in old if any((rule, _calm_place(row, case)) in known for rule in rules)]
    if before and (len(defect.rows) <= 2 or len(before) == len(old)):
        for tally in tallies:
            tally.ambiguous += 1
        return
    if any(row in result.checked.refused for row in defect.rows):
        for tally in tallies:
            tally.planted += 1
            tally.found += defect.refusable
        if not defect.refusable:
            result.missed.append((defect, "nothing: the whole file is refused for this row"))
        return
    there = _union(said.get(id(row), set()) for row in defect.rows)
    found = bool(rules & (there if defect.rows else whole | there))
    if not defect.rows and not found:
        found = any(finding.rule in rules for finding in result.checked.findings)
    for tally in tallies:
        if defect.near_miss:
            tally.near_misses += 1
            tally.fired += found
        else:
            tally.planted += 1
            tally.found += found
    if found == defect.near_miss:
        result.missed.append((defect, ", ".join(sorted(there - {defect.rule}))))


def _calm_place(row: Row, case: Case) -> Key:
    held_out = any(row is other for other in case.held_out or ())
    return HELD_OUT if held_out else TRAIN, row.origin or 0


def _union(sets: Iterable[set[str]]) -> set[str]:
    return {one for found in sets for one in found}
