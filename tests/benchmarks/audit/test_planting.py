"""The two halves have nothing in common, the same seed plants the same, and it is really there."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest
from benchmarks.audit.bed import Row
from benchmarks.audit.cases import FAMILIES, Case, Supply, cases_of
from benchmarks.audit.dice import HALVES, Dice, half_of
from benchmarks.audit.sets import decisions

from benchmarks.audit import encodings, keys, languages, phrases, wording

DATA = Path(__file__).parents[4] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not here")
MIXED = ("personal", "secrets", "orders", "safety", "language")


def planted(family: str, half: str, seed: int = 1) -> list[Case]:
    return list(cases_of(family, half, Supply(DATA, seed)))  # type: ignore[arg-type]


@needs_data
@pytest.mark.parametrize("family", MIXED)
def test_values_templates_and_rows_of_the_halves_are_disjoint(family: str) -> None:
    tune, score = planted(family, "tune"), planted(family, "score")

    def values(cases: list[Case]) -> set[str]:
        return {defect.value for case in cases for defect in case.defects if defect.value}

    def notes(cases: list[Case]) -> set[str]:
        return {defect.note for case in cases for defect in case.defects if defect.note}

    def questions(cases: list[Case]) -> set[str]:
        rows = chain.from_iterable(case.calm or [] for case in cases)
        return {" ".join(row.text("question").lower().split()) for row in rows}

    assert not values(tune) & values(score)
    assert not notes(tune) & notes(score)
    assert not questions(tune) & questions(score)
    assert questions(tune)


@needs_data
@pytest.mark.parametrize("family", FAMILIES)
def test_a_seed_plants_the_same_and_every_rule_of_its_family(family: str) -> None:
    first, again = planted(family, "tune"), planted(family, "tune")
    for one, other in zip(first, again, strict=True):
        assert [row.values for row in one.rows] == [row.values for row in other.rows]
        assert [row.raw for row in one.rows] == [row.raw for row in other.rows]
    told = {defect.rule for case in first for defect in case.defects if not defect.near_miss}
    assert told >= set(FAMILIES[family])


@needs_data
def test_another_seed_plants_something_else() -> None:
    rows = [planted("personal", "tune", seed)[0].rows for seed in (1, 2)]
    assert [row.values for row in rows[0]] != [row.values for row in rows[1]]


@needs_data
def test_values_stand_in_the_rows_that_they_were_planted_in() -> None:
    for case in planted("personal", "score") + planted("secrets", "score"):
        here = {id(row) for row in case.rows}
        for defect in case.defects:
            if not defect.value:
                continue
            (row,) = defect.rows
            assert id(row) in here
            text = f"{row.text('question')}\n{row.text('answer')}"
            assert defect.value in text or defect.value.replace("\n", "\\n") in text


@needs_data
def test_untouched_rows_are_as_they_were() -> None:
    for case in planted("safety", "tune"):
        touched = {id(row) for defect in case.defects for row in (*defect.rows, *defect.mates)}
        assert case.calm is not None
        same = [row for row in case.rows if id(row) not in touched]
        assert len(same) > 800
        for row in same:
            assert row.origin is not None
            assert row.values == case.calm[row.origin - 1].values


@pytest.mark.parametrize(
    "items",
    [keys.VENDORS, phrases.REFUSALS, phrases.JAILBREAKS, phrases.ORDERS, phrases.HARMLESS,
     phrases.COMPLIANCE, *languages.PARAGRAPHS.values()],
)  # fmt: skip
def test_lists_are_dealt_out_without_repetition(items: tuple[object, ...]) -> None:
    tune, score = (Dice(half, 1, "x").own(items) for half in HALVES)
    assert len(set(items)) == len(items)
    assert not set(tune) & set(score)
    assert abs(len(tune) - len(score)) <= 1


def test_a_value_belongs_to_the_half_that_its_hash_says() -> None:
    for half in HALVES:
        dice = Dice(half, 1, "x")
        made = [dice.value(lambda d: d.digits(8)) for _ in range(50)]
        assert {half_of(value) for value in made} == {half}


def test_mojibake_is_what_reading_utf8_wrongly_gives() -> None:
    assert encodings.misread("It isn’t – café", "cp1252") == "It isnâ€™t â€“ cafÃ©"


@pytest.mark.parametrize("strength", wording.STRENGTHS)
def test_every_strength_changes_the_text_and_leaves_something(strength: str) -> None:
    text = ("If you want to begin early, the doctor may recommend a simple test because most "
            "people find it easy. Children often need help with it. It usually takes a short time, "
            "and the results are sent to you.")  # fmt: skip
    said = wording.restate(text, strength, Dice("tune", 1, strength))
    assert said != text
    assert 0.05 < wording.shared(text, said) < 1


def test_stronger_changes_leave_less() -> None:
    text = " ".join(list(wording.synonyms())[:200])
    left = [wording.shared(text, wording.exchange(text, share, Dice("tune", 1, "s")))
            for share in (0.05, 0.2, 1.0)]  # fmt: skip
    assert left[0] > left[1] > left[2]


def test_a_set_may_be_biased_or_even() -> None:
    def share(rows: list[Row], who: str) -> float:
        own = [row for row in rows if f" {who} " in row.text("question")]
        return sum(row.text("answer") == "yes" for row in own) / len(own)

    dice = Dice("score", 1, "groups")
    biased, even = (decisions(dice, 600, biased=choice) for choice in (True, False))
    assert share(biased, "man") - share(biased, "woman") > 0.3
    assert abs(share(even, "man") - share(even, "woman")) < 0.2
