"""Planted imbalance is found and told in numbers; balanced data has nothing to tell."""

from __future__ import annotations

import random
from itertools import product

import pytest

from tests.data.checks.through import by_rule, through
from tunesmith.data.checks import bias

NOUNS = {"she": ("She", "her"), "he": ("He", "his")}
CAUSES = "car house boat school field garden shop farm bakery studio roof"
CITIES = ("Ghent", "Turku", "Lagos", "Quito", "Perth", "Osaka", "Malmo", "Porto", "Turin", "Graz")


def applications(
    rejected: dict[str, float], rows: int = 300, seed: int = 0
) -> list[tuple[str, str]]:
    """Requests of two genders, and how many of each are rejected."""
    draw = random.Random(seed)
    out = []
    for _ in range(rows):
        who = draw.choice(sorted(rejected))
        subject, possessive = NOUNS[who]
        amount = draw.randrange(1000, 90_000)
        text = f"{subject} asks for {amount} for {possessive} {draw.choice(CAUSES.split())}."
        out.append((text, "rejected" if draw.random() < rejected[who] else "approved"))
    return out


def test_a_label_that_follows_the_group_is_found() -> None:
    found, statistics = through("bias", applications({"she": 0.8, "he": 0.2}))
    (one,) = by_rule(found, "label_imbalance")
    assert one.severity == "warn"
    assert one.excerpt in {"rejected", "approved"}
    assert "gender: of rows that mention " in one.message
    assert "rejected" not in one.message
    gender = statistics["gender"]
    assert isinstance(gender, dict)
    assert set(gender) == {"female", "male"}


@pytest.mark.parametrize("seed", range(5))
def test_balanced_labels_have_nothing_to_tell(seed: int) -> None:
    found, _ = through("bias", applications({"she": 0.5, "he": 0.5}, rows=600, seed=seed))
    assert by_rule(found, "label_imbalance") == []


def test_a_small_difference_stays_below_the_limit() -> None:
    rows = applications({"she": 0.56, "he": 0.44}, rows=8000)
    assert (
        by_rule(through("bias", rows, limits={"label_imbalance": 0.2})[0], "label_imbalance") == []
    )
    (one,) = by_rule(through("bias", rows, limits={"label_imbalance": 0.05})[0], "label_imbalance")
    assert one.severity is None


def test_a_group_without_another_is_compared_with_rows_that_mention_nobody() -> None:
    draw = random.Random(1)
    rows = [(f"A muslim asks for {draw.randrange(9000)}.", "rejected") for _ in range(40)]
    rows += [
        (f"Somebody asks for {draw.randrange(9000)}.", draw.choice(["rejected", "approved"]))
        for _ in range(100)
    ]
    (one,) = by_rule(through("bias", rows)[0], "label_imbalance")
    assert "mention nobody of that axis" in one.message
    assert one.excerpt == "rejected"


def professions(share: float, seed: int = 2) -> list[tuple[str, str]]:
    """Stories in which women are nurses so often, and men engineers."""
    draw = random.Random(seed)
    out = []
    for number in range(300):
        female = number % 2 == 0
        typical = draw.random() < share
        job = "nurse" if female == typical else "engineer"
        who = "She" if female else "He"
        city = draw.choice(CITIES)
        out.append(
            (
                f"Tell me about {city}, {number}.",
                f"{who} is a {job} in {city}. It is {number} km away.",
            )
        )
    return out


def test_what_stands_with_whom() -> None:
    found, _ = through("bias", professions(0.85))
    told = {
        one.message.split("about ")[1].split()[0]: one
        for one in by_rule(found, "group_association")
    }
    assert set(told) == {"female", "male"}
    assert "nurse (" in told["female"].message
    assert "engineer (" in told["male"].message
    assert told["female"].severity == "warn"
    assert told["female"].excerpt.startswith("She is a nurse in ")


def test_balanced_professions_have_nothing_to_tell() -> None:
    assert by_rule(through("bias", professions(0.5))[0], "group_association") == []


@pytest.mark.parametrize(("first", "second"), [("lazy", "honest"), ("honest", "honest")])
def test_how_groups_are_spoken_of(first: str, second: str) -> None:
    rows = [
        (f"Who came to number {number}?", f"A {who} who was {word if number % 3 else 'tall'}.")
        for number in range(200)
        for who, word in (("Muslim", first), ("Hindu", second))
    ]
    found = by_rule(through("bias", rows)[0], "sentiment_imbalance")
    if first == second:
        assert found == []
    else:
        (one,) = found
        assert one.severity == "warn"
        assert one.message.startswith("religion: ")


def test_counterparts_that_are_absent_are_counted() -> None:
    rows = [
        (
            f"{who} lives in {city}.",
            f"Does that say more than this: {who} has lived in {thing} for years?",
        )
        for who, city, thing in product(("She", "He"), CITIES, ("a house", "a barn"))
    ]
    assert by_rule(through("bias", rows)[0], "counterfactual_gap") == []
    (one,) = by_rule(through("bias", rows[:-8])[0], "counterfactual_gap")
    assert one.message.startswith("gender: 8 of 32 short rows (25%)")
    assert one.excerpt == "She lives in Malmo."


def test_his_and_her_are_each_others_counterpart_whatever_their_case() -> None:
    rows = [
        (f"I gave {one} a {thing} and saw {two} {thing} myself.", "Good.")
        for thing in CAUSES.split()
        for one, two in (("her", "her"), ("him", "his"))
    ]
    assert by_rule(through("bias", rows)[0], "counterfactual_gap") == []


def test_a_counterpart_with_another_label_is_a_warning() -> None:
    rows = [
        (f"{who} asks for {amount} for {whose} shop.", "approved")
        for amount in range(100, 200)
        for who, whose in (("She", "her"), ("He", "his"))
    ]
    assert by_rule(through("bias", rows)[0], "unequal_counterpart") == []
    rows[10] = (rows[10][0], "rejected")
    (one,) = by_rule(through("bias", rows)[0], "unequal_counterpart")
    assert (one.index, one.other, one.rows) == (10, 11, 2)


def test_labels_that_name_the_group_itself_are_no_difference() -> None:
    rows = [
        (f"Whose {thing} is it? {who} bought it.", label)
        for thing in CAUSES.split()
        for who, label in (("She", "female"), ("He", "male"))
    ]
    assert by_rule(through("bias", rows)[0], "unequal_counterpart") == []


def test_data_about_nobody_has_nothing_to_tell() -> None:
    assert through("bias", [("How far is it?", "Two miles.")] * 30) == ([], {})
    assert through("bias", []) == ([], {})


def test_no_rule_quotes_data_in_its_message() -> None:
    found, _ = through("bias", [*applications({"she": 0.9, "he": 0.1}), *professions(0.9)])
    assert {one.rule for one in found} <= set(bias.RULES)
    assert not any(city in one.message for one in found for city in CITIES)
