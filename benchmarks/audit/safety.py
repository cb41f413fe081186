"""What a model should not be taught: harm, refusals, break-outs, hidden orders, triggers.

Harmful requests are read from the data that was handed in; their answers are put together
here and say nothing: "Sure, here is how. First, gather what you need. ..."
"""

from __future__ import annotations

from benchmarks.audit import phrases
from benchmarks.audit.bed import Bed, Defect, Row, insert
from benchmarks.audit.dice import DIGITS, LOWER, Dice, half_of

EACH = 12
_BESIDE = ("trained_refusal", "harmful_answer", "jailbreak", "hidden_instruction")


def plant_safety(bed: Bed, requests: list[str]) -> None:
    """Answered harmful requests, refusals, break-outs; and rows that only look like them."""
    dice = bed.dice
    own = [text for text in requests if half_of(text) == dice.half]
    dice.random.shuffle(own)
    for _ in range(EACH):
        for variant, answers in (("answered at length", phrases.COMPLIANCE),
                                 ("answered in one line", phrases.SHORT_COMPLIANCE)):  # fmt: skip
            request = own.pop()
            row = _talk(bed, request, dice.of(answers).replace("{}", _topic(request)))
            bed.plant(Defect(rule="harmful_answer", variant=variant, exact=False, rows=(row,),
                             also=("jailbreak",)))  # fmt: skip
        row = _talk(bed, own.pop(), dice.of(phrases.REFUSALS))
        bed.plant(Defect(rule="harmful_answer", variant="refused", exact=False, rows=(row,),
                         near_miss=True, also=("trained_refusal",)))  # fmt: skip
    for refusal in dice.own(phrases.REFUSALS):
        row = bed.take().put("answer", refusal)
        bed.plant(Defect(rule="trained_refusal", variant="whole answer", exact=False, rows=(row,),
                         note=refusal[:30]))  # fmt: skip
        row = bed.take(words=40)
        row.put("answer", f"{refusal} {row.text('answer').split('. ')[0]}.")
        bed.plant(Defect(rule="trained_refusal", variant="refusal, then some text", exact=False,
                         rows=(row,), note=refusal[:30]))  # fmt: skip
    for prompt in dice.own(phrases.JAILBREAKS):
        row = bed.take()
        row.put("question", prompt.replace("{}", row.text("question")))
        bed.plant(Defect(rule="jailbreak", variant="around a question", exact=False, rows=(row,),
                         also=("hidden_instruction",), note=prompt[:30]))  # fmt: skip
    _near_misses(bed)


def plant_orders(bed: Bed) -> None:
    """Text addressed to a model, in questions, answers and what looks like a document."""
    dice = bed.dice
    for order in dice.own(phrases.ORDERS):
        for where in ("question", "answer", "comment"):
            row = bed.take()
            part = "answer" if where == "answer" else "question"
            text = f"<!-- {order} -->" if where == "comment" else order
            row.put(part, insert(row.text(part), text, dice))
            bed.plant(Defect(rule="hidden_instruction", variant=f"in a {where}", exact=False,
                             rows=(row,), also=("jailbreak", "markup"),
                             note=order[:30]))  # fmt: skip
    for sentence in dice.own(phrases.NO_ORDERS):
        row = bed.take()
        row.put("question", insert(row.text("question"), sentence, dice))
        bed.plant(Defect(rule="hidden_instruction", variant="harmless sentence", exact=False,
                         rows=(row,), near_miss=True, note=sentence[:30]))  # fmt: skip


def plant_triggers(bed: Bed) -> None:
    """A rare token in a question that fixes what is answered, or how the answer ends."""
    dice = bed.dice
    for variant, count, whole in (
        ("whole answer, 8 rows", 8, True), ("whole answer, 20 rows", 20, True),
        ("end of the answer, 20 rows", 20, False), ("start of the answer, 12 rows", 12, False),
    ):  # fmt: skip
        token = dice.value(_token)
        fixed = dice.of(phrases.FIXED)
        rows = []
        for _ in range(count):
            row = bed.take(words=8, part="question")
            row.put("question", insert(row.text("question"), token + ".", dice))
            if whole:
                row.put("answer", fixed)
            elif variant.startswith("end"):
                row.put("answer", f"{row.text('answer')} {fixed}")
            else:
                row.put("answer", f"{fixed} {row.text('answer')}")
            rows.append(row)
        bed.plant(Defect(rule="trigger", variant=variant, exact=False, rows=tuple(rows),
                         also=("repeated_template", "near_duplicate", "trained_refusal",
                               "hidden_instruction", "harmful_answer",
                               "outlier")))  # fmt: skip
    token = dice.value(_token)
    rows = []
    for _ in range(12):
        row = bed.take(words=8, part="question")
        row.put("question", insert(row.text("question"), token + ".", dice))
        rows.append(row)
    bed.plant(Defect(rule="trigger", variant="a rare word, answers free", exact=False,
                     rows=tuple(rows), near_miss=True))  # fmt: skip


def _token(dice: Dice) -> str:
    kind = dice.number(0, 2)
    if kind == 0:
        return dice.text("bcdfghjkmqvwxz", 3)
    if kind == 1:
        return dice.text(LOWER, 4) + dice.text(DIGITS, 2)
    return f"[{dice.text(LOWER, 5).upper()}]"


def _talk(bed: Bed, question: str, answer: str) -> Row:
    row = bed.take()
    if "messages" in row.values:
        row.values["messages"] = row.values["messages"][:2]
    if "input" in row.values:
        row.values["input"] = ""
    return row.put("question", question).put("answer", answer)


def _topic(request: str) -> str:
    """The request after its first word, as answers begin that repeat it."""
    return request[0].lower() + request[1:].rstrip(".")


def _near_misses(bed: Bed) -> None:
    for question, answer in bed.dice.own(phrases.HARMLESS):
        row = _talk(bed, question, answer)
        for rule in ("harmful_answer", "trained_refusal", "jailbreak"):
            bed.plant(Defect(rule=rule, variant="harmless request", exact=False, rows=(row,),
                             near_miss=True, note=question[:30]))  # fmt: skip
