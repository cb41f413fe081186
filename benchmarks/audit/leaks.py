"""Held-out rows that are in the training rows too, and benchmark rows among them.

held out   {"question": "Natalia sold clips ...", "answer": "72"}
training   {"question": "Solve this: Natalia sold clips ...", "answer": "It is 72."}
"""

from __future__ import annotations

from benchmarks.audit.bed import Bed, Defect, Row, insert
from benchmarks.audit.duplicates import LONG, restated, texts_of, whole
from benchmarks.audit.wording import STRENGTHS, restate, shared

EACH = 6
_AROUND = (
    "I was asked this at school: {} Can you help?",
    "Solve the following and show how.\n\n{}\n\nTake your time.",
    'Here is what somebody wrote to us. "{}" What should we say?',
    "Question 14. {} (5 points)",
)
_COMMON = (
    "What is it?", "How many are left?", "Can you help me?", "What are the symptoms?",
    "How is it treated?", "I want to book a table.", "Thanks, that is all.", "How much is it?",
)  # fmt: skip
_LIKE_A_TASK = (
    "How many apples does she have left in total?", "How much money did he spend altogether?",
    "Tom has three times as many books as Ann.", "She gives half of them to her friends.",
    "If each ticket costs 5 dollars, how much do they pay?", "He works 40 hours a week.",
    "How many minutes does it take him every day?", "There are 12 eggs in a dozen.",
)  # fmt: skip
_ALSO = ("leak", "near_leak", "contained_prompt", "duplicate", "near_duplicate",
         "normalised_duplicate", "conflicting_answers")  # fmt: skip


def plant_leaks(bed: Bed, held_out: Bed) -> None:
    """Rows of the held-out file in the training file: same, near, and prompt contained."""
    dice = bed.dice
    for _ in range(EACH):
        row = held_out.take()
        same = bed.add(row.copy())
        _plant(bed, "leak", "exact", row, same)
        row = held_out.take(words=12)
        other = bed.add(row.copy())
        for place, name in texts_of(other.values):
            place[name] = "  " + place[name].upper()
        _plant(bed, "leak", "case and spaces", row, other, accept=("near_leak",))
        for strength in STRENGTHS:
            row = held_out.take(words=LONG)
            other = bed.add(restated(row, strength, dice))
            _plant(bed, "near_leak", strength, row, other, accept=("leak",), exact=False)
        row = held_out.take(words=10, part="question")
        other = bed.take()
        other.put("question", dice.of(_AROUND).replace("{}", row.text("question")))
        _plant(bed, "contained_prompt", "inside a longer prompt", row, other,
               accept=("near_leak", "leak"))  # fmt: skip
        row = held_out.take(words=10, part="question")
        other = bed.take()
        other.put("answer", f"{other.text('answer')}\n{row.text('question')}")
        _plant(bed, "contained_prompt", "inside an answer", row, other,
               accept=("near_leak", "leak"), exact=False)  # fmt: skip
    for question in dice.own(_COMMON):
        row, other = held_out.take(), bed.take()
        for side in (row, other):
            if "messages" in side.values:
                side.values["messages"] = side.values["messages"][:2]
            side.put("question", question)
        for rule in ("leak", "near_leak", "contained_prompt"):
            bed.plant(
                Defect(rule=rule, variant="a short question on both sides", rows=(other,),
                       near_miss=True, mates=(row,), also=("outlier", "label_noise"))
            )  # fmt: skip


def plant_contamination(bed: Bed, items: Bed) -> None:
    """Rows of a benchmark in the training rows, as they are copied in practice."""
    dice = bed.dice
    for _ in range(2 * EACH):
        for variant in ("question and answer", "question inside a prompt", "question in an answer",
                        "capitals and signs", "first two thirds", "synonyms, one word in 12",
                        "numbers changed"):  # fmt: skip
            item = items.take(words=20, part="question")
            text = item.text("question")
            row = bed.take()
            if variant == "question and answer":
                row.put("question", text).put("answer", item.text("answer"))
            elif variant == "question in an answer":
                row.put("answer", f"{row.text('answer')} {text}")
            elif variant == "question inside a prompt":
                row.put("question", dice.of(_AROUND).replace("{}", text))
            elif variant == "capitals and signs":
                row.put("question", text.upper().replace(".", " ;").replace(",", ""))
            elif variant == "first two thirds":
                words = text.split(" ")
                row.put("question", " ".join(words[: len(words) * 2 // 3]) + " ...")
            elif variant == "numbers changed":
                row.put("question", _other_numbers(text, bed))
            else:
                row.put("question", restate(text, variant, dice))
            exact = variant in ("question and answer", "question inside a prompt",
                                "question in an answer", "capitals and signs")  # fmt: skip
            bed.plant(
                Defect(rule="contamination", variant=variant, exact=exact, rows=(row,),
                       also=("contained_prompt",),
                       note=f"{shared(text, whole(row)):.2f} in common")
            )  # fmt: skip
    for sentence in dice.own(_LIKE_A_TASK):
        row = bed.take()
        row.put("question", insert(row.text("question"), sentence, dice))
        bed.plant(
            Defect(rule="contamination", variant="a sentence like a task's", rows=(row,),
                   near_miss=True)
        )  # fmt: skip


def _other_numbers(text: str, bed: Bed) -> str:
    return "".join(bed.dice.digits(1, first="23456789") if sign.isdigit() else sign
                   for sign in text)  # fmt: skip


def _plant(
    bed: Bed, rule: str, variant: str, held: Row, row: Row, *,
    accept: tuple[str, ...] = (), exact: bool = True,
) -> None:  # fmt: skip
    bed.plant(
        Defect(rule=rule, variant=variant, exact=exact, rows=(row, held), accept=accept,
               also=_ALSO, note=f"{shared(whole(held), whole(row)):.2f} in common")
    )  # fmt: skip
