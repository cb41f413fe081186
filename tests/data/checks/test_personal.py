"""Personal data in rows: one finding for a rule and a row, hidden in the excerpt, counted."""

from __future__ import annotations

import pytest

from tests.data.checks.looked_at import asked, found_in, rules_in
from tests.data.personal.test_find import FOUND, LEFT_ALONE
from tunesmith.contracts import Json, JsonObject
from tunesmith.data.audit.contracts import Ground
from tunesmith.data.checks import personal
from tunesmith.data.personal import PERSONAL


def _clean(count: int) -> list[JsonObject]:
    return [asked(f"What is {n} and {n}?", f"It is {2 * n}, as counted.") for n in range(count)]


@pytest.mark.parametrize(("kind", "marked"), FOUND, ids=[text for _, text in FOUND])
def test_a_planted_value_is_one_finding_and_is_not_shown(kind: str, marked: str) -> None:
    value = marked[marked.index("⟦") + 1 : marked.index("⟧")]
    text = marked.replace("⟦", "").replace("⟧", "")
    (found,) = found_in("personal", [*_clean(3), asked("Who is it?", text)])
    assert (found.rule, found.index) == (kind, 3)
    assert value not in found.excerpt
    assert value not in found.message


def test_clean_rows_are_left_alone() -> None:
    assert rules_in("personal", [*_clean(20), *(asked("Why?", text) for text in LEFT_ALONE)]) == []


def test_the_number_of_finds_and_where_they_are() -> None:
    (found,) = found_in("personal", [asked("a@b.org?", "Write to c@d.org or e@f.org.")])
    assert found.message == "3 e-mail addresses in what is trained"
    (found,) = found_in("personal", [asked("I am a@b.org", "I see.")])
    assert found.message == "1 e-mail address in what is read, not trained"


def test_tool_calls_are_read() -> None:
    call: Json = {"function": {"name": "send", "arguments": {"patient_name": "John Doe", "n": 1}}}
    row: JsonObject = {
        "messages": [
            {"role": "user", "content": "Send it."},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "content": "sent"},
            {"role": "assistant", "content": "Done."},
        ]
    }
    assert rules_in("personal", [row]) == ["person_name"]


def test_statistics_count_finds_and_rows() -> None:
    looker = personal.begin(Ground(limits={}))
    assert looker.statistics() == {}
    assert set(personal.RULES) == set(PERSONAL)


def test_a_neighbour_of_the_find_is_hidden_too() -> None:
    found = found_in("personal", [asked("?", "a.long@mail.org pays by 4539 1488 0343 6467 now")])
    assert {one.rule for one in found} == {"email", "card"}
    assert all("0343" not in one.excerpt and "a.long" not in one.excerpt for one in found)
