"""Rows that are there twice: alike to the byte, but for spaces and case, or said otherwise.

Besides: one question with two answers, and a template with other words filled in.
"""

from __future__ import annotations

from benchmarks.audit.bed import Bed, Defect, Part, Row, Values
from benchmarks.audit.dice import Dice
from benchmarks.audit.wording import STRENGTHS, restate, shared

EACH = 6
LONG = 30
"""Words that a row has at least to be restated."""
_SAME = ("duplicate", "normalised_duplicate", "near_duplicate", "oversized_group")
_QUOTES = str.maketrans({"'": "’", '"': "”", "-": "–"})
_FORMS = ("case", "spaces and line ends", "typographic signs", "full width", "no final point")
_TEMPLATES = (
    ("Write a product text for the {}.", "Meet the {}: made with care, loved by all who own it. "
     "Order it today and it is with you tomorrow, or your money back."),
    ("Give me a fact about the number {}.", "The number {} is an integer that comes after the one "
     "before it and before the one after it, and that is all there is to say about it."),
    ("Translate the word {} into Latin.", "As a language tool I can tell you that the word {} has "
     "several renderings in Latin, and that the best one depends on the sentence it stands in."),
    ("Is {} a good place for a holiday?", "Yes, {} is a great place for a holiday: the food is "
     "good, the people are kind, and there is something for everyone at any time of the year."),
)  # fmt: skip
_DISCLAIMERS = (
    "This text is for information only and does not replace the advice of somebody who knows you.",
    "Was this of any help to you? If not, write to us at any time of the day and we will reply.",
)


def plant_duplicates(bed: Bed) -> None:
    """Copies of every strength, conflicts and templates."""
    for _ in range(EACH):
        row = bed.take()
        _pair(bed, row, bed.add(row.copy()), "duplicate", "exact")
        for form in _FORMS:
            row = bed.take(words=12)
            other = row.copy()
            for part in _PARTS:
                other.put(part, reform(other.text(part), form))
            if other.values != row.values:
                _pair(bed, row, bed.add(other), "normalised_duplicate", form)
        for strength in STRENGTHS:
            row = bed.take(words=LONG)
            other = restated(row, strength, bed.dice)
            if other.values != row.values:
                _pair(bed, row, bed.add(other), "near_duplicate", strength, exact=False)
        _conflict(bed)
    _template(bed)
    _disclaimer(bed)


_PARTS: tuple[Part, Part] = ("question", "answer")


def restated(row: Row, strength: str, dice: Dice) -> Row:
    """A row with all its texts said otherwise."""
    other = row.copy()
    for place, name in texts_of(other.values):
        if len(place[name].split()) >= 5:
            place[name] = restate(place[name], strength, dice)
    return other


def texts_of(values: Values) -> list[tuple[Values, str]]:
    """Where the texts of a row stand."""
    if "messages" in values:
        return [(turn, "content") for turn in values["messages"]]
    return [(values, name) for name in values if isinstance(values[name], str)]


def whole(row: Row) -> str:
    """All texts of a row."""
    return "\n".join(str(place[name]) for place, name in texts_of(row.values))


def reform(text: str, form: str) -> str:
    """The same words in other signs."""
    if form == "case":
        return text.upper() if len(text) % 2 else text.lower()
    if form == "spaces and line ends":
        return "  " + text.replace(". ", ".\r\n ").replace(" ", "  ", 3) + "\n"
    if form == "typographic signs":
        return text.translate(_QUOTES).replace("...", "…")
    if form == "full width":
        return "".join(chr(ord(sign) + 0xFEE0) if sign in "0123456789abc" else sign
                       for sign in text)  # fmt: skip
    return text.rstrip().rstrip(".?!")


def _pair(bed: Bed, row: Row, other: Row, rule: str, variant: str, *, exact: bool = True) -> None:
    accept = {
        "duplicate": (), "normalised_duplicate": ("duplicate", "near_duplicate"),
    }.get(rule, ("normalised_duplicate", "duplicate"))  # fmt: skip
    bed.plant(
        Defect(
            rule=rule, variant=variant, exact=exact, rows=(other, row), accept=accept,
            also=(*_SAME, "conflicting_answers"),
            note=f"{shared(whole(row), whole(other)):.2f} of runs of three words in common",
        )
    )  # fmt: skip


def _conflict(bed: Bed) -> None:
    """The question of a row with another row's answer; then in other signs and with a slip."""
    for variant in ("same question", "same question in lower case"):
        row, donor = bed.take(), bed.take()
        other = row.copy()
        if "messages" in other.values:
            other.values["messages"] = other.values["messages"][:1] + [
                {"role": "assistant", "content": donor.text("answer")}
            ]
            row.values["messages"] = row.values["messages"][:2]
        other.put("answer", donor.text("answer"))
        if variant != "same question":
            other.put("question", other.text("question").lower())
        bed.add(other)
        bed.plant(Defect(rule="conflicting_answers", variant=variant, rows=(row, other),
                         also=_SAME, mates=(donor,)))  # fmt: skip


def _template(bed: Bed) -> None:
    """Two templates, each filled in 60 times."""
    dice = bed.dice
    for question, answer in dice.own(_TEMPLATES):
        rows = []
        for _ in range(60):
            word = dice.value(lambda d: d.text("bdfgklmnprst", 1) + d.text("aeiou", 1)
                              + d.text("lmnrst", 1) + d.text("aeiou", 1))  # fmt: skip
            row = bed.take()
            if "messages" in row.values:
                row.values["messages"] = row.values["messages"][:2]
            row.put("question", question.format(word)).put("answer", answer.format(word))
            rows.append(row)
        bed.plant(Defect(rule="repeated_template", variant="60 rows", exact=False,
                         rows=tuple(rows), accept=("oversized_group",), also=_SAME))  # fmt: skip


def _disclaimer(bed: Bed) -> None:
    """Different rows that end in the same sentence are no copies of one another."""
    sentence = bed.dice.of(_DISCLAIMERS)
    for _ in range(30):
        row = bed.take(words=LONG)
        row.put("answer", f"{row.text('answer')} {sentence}")
        for rule in ("duplicate", "normalised_duplicate", "near_duplicate", "conflicting_answers"):
            bed.plant(
                Defect(
                    rule=rule,
                    variant="a common last sentence",
                    rows=(row,),
                    near_miss=True,
                    also=("repeated_template",),
                )
            )
