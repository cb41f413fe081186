"""Defects of a whole file: labels, sizes, shares, licences, groups of people.

{"question": "I am still waiting on my card?", "answer": "card_arrival"}   one of 77 intents
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.audit.bed import Bed, Defect, Row
from benchmarks.audit.dice import Dice

SWAPPED = 0.05
_LICENCES = (
    ("non_commercial", "CC-BY-NC-4.0", False),
    ("non_commercial", "CC-BY-NC-SA-4.0", False),
    ("non_commercial", "cc-by-nc-3.0", False),
    ("non_commercial", "CC-BY-NC-ND-4.0", False),
    ("share_alike", "CC-BY-SA-4.0", False),
    ("share_alike", "CC-BY-SA-3.0", False),
    ("no_derivatives", "CC-BY-ND-4.0", False),
    ("no_derivatives", "CC-BY-NC-ND-4.0", False),
    ("unknown_licence", "", False),
    ("unknown_licence", "no such licence 7", False),
    ("unknown_licence", "other", False),
    ("unknown_licence", "unknown", False),
    ("unknown_licence", "MIT", True),
    ("unknown_licence", "Apache-2.0", True),
    ("non_commercial", "CC-BY-4.0", True),
    ("non_commercial", "CC0-1.0", True),
    ("share_alike", "CC-BY-4.0", True),
    ("share_alike", "MIT OR Apache-2.0", True),
    ("no_derivatives", "CC-BY-4.0", True),
    ("no_derivatives", "BSD-3-Clause", True),
)
_TRADES = ("nurse", "pilot", "lawyer", "cook", "teacher", "engineer", "guard", "painter")
_ASKED = ("a loan of {} dollars", "a flat for {} a month", "a post with {} a week",
          "a card with a limit of {}")  # fmt: skip
_PRAISE = (
    "a wonderful and reliable person, kind and brilliant",
    "excellent, honest and a great pleasure to work with",
)
_BLAME = (
    "a terrible and lazy person, rude and dishonest",
    "awful, stupid and a great burden to work with",
)


def plant_labels(bed: Bed) -> None:
    """One label in twenty replaced by another one of the file."""
    labels = sorted({row.text("answer") for row in bed.rows})
    for _ in range(round(SWAPPED * len(bed.rows))):
        row = bed.take()
        others = [label for label in labels if label != row.text("answer")]
        row.put("answer", bed.dice.random.choice(others))
        bed.plant(Defect(rule="label_noise", variant="swapped with any other", exact=False,
                         rows=(row,)))  # fmt: skip


def two_labels(rows: list[Row], dice: Dice, share: float) -> None:
    """Answers by one of two labels; the second one in that share of the rows."""
    labels = sorted({row.text("answer") for row in rows})
    dice.random.shuffle(labels)
    rare = set(labels[: len(labels) // 2])
    second = [row for row in rows if row.text("answer") in rare]
    first = [row for row in rows if row.text("answer") not in rare]
    rows[:] = first + second[: round(share * len(first) / (1 - share))]
    for row in rows:
        row.put("answer", "urgent" if row.text("answer") in rare else "normal")
    dice.random.shuffle(rows)


def plant_few(bed: Bed) -> None:
    """Forty rows."""
    bed.rows[:] = bed.rows[:40]
    bed.plant(Defect(rule="few_rows", variant="40 rows"))


def plant_outliers(bed: Bed) -> None:
    """Rows that are nothing like the others: length, signs, or no words at all."""
    dice = bed.dice
    for _ in range(5):
        row = bed.take()
        text = row.text("answer")
        row.put("answer", "\n".join([text] * (1 + 120_000 // max(1, len(text)))))
        bed.plant(Defect(rule="outlier", variant="very long answer", exact=False, rows=(row,),
                         also=("overlong", "truncated")))  # fmt: skip
        row = bed.take()
        row.put("answer", " ".join(dice.text("bcdfghjklmnpqrstvwxz", dice.number(4, 14))
                                   for _ in range(80)))  # fmt: skip
        bed.plant(Defect(rule="outlier", variant="no words", exact=False, rows=(row,),
                         also=("other_language",)))  # fmt: skip
        row = bed.take()
        row.put("answer", dice.text("!#$%&*+=~^|<>{}[]", 400))
        bed.plant(Defect(rule="outlier", variant="only signs", exact=False, rows=(row,),
                         also=("markup",)))  # fmt: skip
        row = bed.take()
        row.put("answer", " ".join([dice.text("abcdefg", 4)] * 300))
        bed.plant(Defect(rule="outlier", variant="one word 300 times", exact=False, rows=(row,),
                         also=("other_language",)))  # fmt: skip


def plant_long(bed: Bed) -> None:
    """Rows that are longer than the model reads, in question or answer."""
    for _ in range(12):
        row = bed.take()
        text = f"{row.text('answer')}\n"
        row.put("answer", text * (1 + 40_000 // len(text)))
        row = bed.take()
        text = f"{row.text('question')}\n"
        row.put("question", text * (1 + 40_000 // len(text)))
        bed.plant(Defect(rule="nothing_to_train", variant="question too long", rows=(row,),
                         accept=("overlong",), also=("outlier", "truncated")))  # fmt: skip
    bed.plant(Defect(rule="truncated", variant="12 answers too long", accept=("overlong",)))


def plant_untrained(bed: Bed) -> None:
    """Rows of which no turn is trained."""
    for _ in range(12):
        row = bed.take()
        if "messages" not in row.values:
            return
        for turn in row.values["messages"]:
            if turn["role"] == "assistant":
                turn["weight"] = 0
        bed.plant(Defect(rule="nothing_to_train", variant="weights of 0", rows=(row,),
                         accept=("missing_answer", "empty_answer", "unusable_row")))  # fmt: skip


def licences(dice: Dice) -> list[tuple[str, str, bool]]:
    """Rule, licence, and whether it only looks like a defect; those of this half."""
    return dice.own(_LICENCES)


def write_licence(folder: Path, licence: str) -> None:
    """Say what the licence is: in a side file, or as the hub does in a card's front matter."""
    if len(licence) % 2:
        text = f"---\nlicense: {licence.lower()}\n---\n# Some rows\n"
        (folder / "README.md").write_text(text, encoding="utf-8")
    else:
        text = json.dumps({"licence": licence}) + "\n"
        (folder / "provenance.json").write_text(text, encoding="utf-8")


def decisions(dice: Dice, count: int, *, biased: bool) -> list[Row]:
    """Applications of men and women, with a decision that looks at it or does not."""
    rows = []
    for number in range(count):
        woman = number % 2 == 0
        share = (0.25 if woman else 0.75) if biased else 0.5
        who, her = ("woman", "her") if woman else ("man", "his")
        text = dice.of(_ASKED).format(dice.number(100, 9000))
        trade = dice.of(_TRADES)
        question = (f"A {who} who works as a {trade} asks for {text}; {her} papers number "
                    f"{dice.digits(6)} are complete. Decide.")  # fmt: skip
        rows.append(Row({"question": question, "answer": "yes" if dice.chance(share) else "no"}))
    return rows


def applications(dice: Dice, count: int, *, paired: bool) -> list[Row]:
    """The same application by a man and by a woman; or by one of them alone."""
    rows = []
    for _ in range(count):
        text, trade = dice.of(_ASKED).format(dice.number(100, 9000)), dice.of(_TRADES)
        number, answer = dice.digits(6), dice.of(("yes", "no", "yes", "no"))
        people = (("woman", "her"), ("man", "his"))
        for who, her in people if paired else people[dice.number(0, 9) // 9 :][:1]:
            question = (f"A {who} who works as a {trade} asks for {text}; {her} papers number "
                        f"{number} are complete. Decide.")  # fmt: skip
            rows.append(Row({"question": question, "answer": answer}))
    return rows


def opinions(dice: Dice, count: int, *, biased: bool) -> list[Row]:
    """What is said of men and women: all good of one and all bad of the other, or the same."""
    rows = []
    for number in range(count):
        woman = number % 2 == 0
        good = (not woman) if biased else dice.chance(0.5)
        who, she = ("woman", "She") if woman else ("man", "He")
        question = (f"Describe the {who} who works as a {dice.of(_TRADES)} in room "
                    f"{dice.number(1, 9999)}.")  # fmt: skip
        answer = f"{she} is {dice.of(_PRAISE if good else _BLAME)}, case {dice.digits(5)}."
        rows.append(Row({"question": question, "answer": answer}))
    return rows
