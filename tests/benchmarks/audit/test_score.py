"""What counts as found, known, false; and that the page says it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchmarks.audit.bed import Defect, Row
from benchmarks.audit.cases import Case
from benchmarks.audit.checked import Checked, check, read_finding
from benchmarks.audit.page import write_page
from benchmarks.audit.score import Result, score


def finding(rule: str, line: int, **more: Any) -> dict[str, Any]:
    return {"rule": rule, "severity": "warn", "file": "/x/train.jsonl", "line": line,
            "other": "", "excerpt": "", "message": "", **more}  # fmt: skip


def ran(*findings: dict[str, Any]) -> Checked:
    return Checked(exit_code=0, seconds=1.0, findings=tuple(map(read_finding, findings)), rows=6)


@pytest.fixture
def case() -> Case:
    rows = [Row({"question": f"q{n}", "answer": f"a{n}"}, origin=n, line=n) for n in range(1, 7)]
    defects = [
        Defect(rule="email", variant="plain", rows=(rows[0],), value="an@address", also=("url",)),
        Defect(rule="email", variant="plain", rows=(rows[1],), accept=("address",)),
        Defect(rule="email", variant="no address", rows=(rows[2],), near_miss=True),
        Defect(rule="few_rows", variant="6 rows"),
    ]
    return Case(family="personal", data_set="made", half="tune", rows=rows, calm=rows,
                defects=defects)  # fmt: skip


def judged(case: Case, *findings: dict[str, Any], calm: Checked | None = None) -> Result:
    return score(case, ran(*findings), calm or ran())


def test_found_in_its_row_by_its_rule_or_one_that_says_it_as_well(case: Case) -> None:
    result = judged(case, finding("email", 1), finding("address", 2))
    email = result.rules["email"]
    assert (email.planted, email.found, email.recall) == (2, 2, 1.0)
    assert email.precision == 1.0
    assert [one.rule for one, _ in result.missed] == ["few_rows"]


def test_a_finding_elsewhere_is_false_and_finds_nothing(case: Case) -> None:
    result = judged(case, finding("email", 5), finding("phone", 1))
    assert result.rules["email"].found == 0
    assert result.rules["email"].false_untouched == 1
    assert result.rules["phone"].false_planted == 1
    assert result.untouched == 3


def test_the_other_side_of_a_pair_counts(case: Case) -> None:
    for other in ("/x/train.jsonl:2", {"file": "train.jsonl", "line": 2}):
        result = judged(case, finding("email", 5, other=other))
        assert result.rules["email"].found == 1
        assert result.rules["email"].false_untouched == 0


def test_a_near_miss_that_fires_lowers_precision(case: Case) -> None:
    result = judged(case, finding("email", 1), finding("email", 3))
    email = result.rules["email"]
    assert (email.near_misses, email.fired) == (1, 1)
    assert email.precision == 0.5


def test_what_the_calm_twin_has_is_neither_merit_nor_mistake(case: Case) -> None:
    calm = ran(finding("email", 1), finding("email", 5))
    result = judged(case, finding("email", 1), finding("email", 5), calm=calm)
    email = result.rules["email"]
    assert (email.planted, email.found, email.ambiguous, email.false_untouched) == (1, 0, 1, 0)


def test_what_is_right_besides_is_not_false(case: Case) -> None:
    result = judged(case, finding("url", 1))
    assert result.rules["url"].right == 1
    assert result.rules["url"].false_planted == 0
    assert result.rules["email"].found == 0


def test_a_whole_set_is_found_by_a_finding_without_a_line(case: Case) -> None:
    assert judged(case, finding("few_rows", 0)).rules["few_rows"].found == 1


def test_a_value_that_a_finding_shows_is_counted(case: Case) -> None:
    result = judged(case, finding("email", 1, excerpt="write to an@address"))
    assert result.rules["email"].unmasked == 1
    assert (
        judged(case, finding("email", 1, excerpt="write to [email]")).rules["email"].unmasked == 0
    )


def test_a_row_that_the_file_is_refused_for_is_missed_unless_that_is_right(case: Case) -> None:
    checked = replace(ran(), refused=(case.rows[0],))
    assert score(case, checked, ran()).rules["email"].found == 0
    case.defects[0] = replace(case.defects[0], refusable=True)
    assert score(case, checked, ran()).rules["email"].found == 1


def test_the_page_says_what_was_missed_and_repeats_no_value(case: Case, tmp_path: Path) -> None:
    said = finding("email", 5, excerpt="someone@somewhere 5551234")
    result = judged(case, said)
    page = write_page([result], {("made", "tune"): ran(said)}, tmp_path)
    assert "| email | exact | 2 | 0 | 0.000 | 0.000 | 0/1 | 333.33 (made: 333.3) |" in page
    assert "missed: plain, made line 1" in page
    assert "someone" not in page
    assert "5551234" not in page
    document = json.loads((tmp_path / "audit.json").read_text())
    assert document["halves"]["tune"]["email"]["recall"] == 0
    assert document["halves"]["tune"]["email"]["false_per_1000"] == {"made": 1000 / 3}


def test_the_audit_is_run_and_read(tmp_path: Path) -> None:
    values = [{"question": f"Is door {n} open?", "answer": f"Door {n} opens at noon."}
              for n in range(8)]  # fmt: skip
    rows = [Row(one, origin=line) for line, one in enumerate(values, start=1)]
    copy = rows[2].copy()
    defect = Defect(rule="duplicate", variant="exact", rows=(rows[2], copy))
    case = Case(family="duplicates", data_set="made", half="tune", rows=[*rows, copy], calm=rows,
                defects=[defect])  # fmt: skip
    calm = check(case, tmp_path / "calm", calm=True)
    checked = check(case, tmp_path / "planted", calm=False)
    assert checked.error == ""
    assert score(case, checked, calm).rules["duplicate"].recall == 1.0
