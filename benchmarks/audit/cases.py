"""The files of the bench: which defects go into which rows, and what the recipe says.

A case is one run of `tunesmith check`. Its *calm* twin holds the same rows without defects:
what is found there already is no merit, and no mistake, on the file with defects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from benchmarks.audit import (
    duplicates,
    encodings,
    keys,
    languages,
    leaks,
    personal,
    safety,
    sets,
    sources,
    structure,
)
from benchmarks.audit.bed import Bed, Defect, Row
from benchmarks.audit.dice import Dice, Half

ROWS = 1000
"""Real rows a file."""
HELD_OUT = 250
_PLANTERS: dict[str, Callable[[Bed], None]] = {
    "structure": structure.plant_structure,
    "encoding": encodings.plant_encodings,
    "language": languages.plant_languages,
    "personal": personal.plant_personal,
    "secrets": keys.plant_keys,
    "duplicates": duplicates.plant_duplicates,
    "orders": safety.plant_orders,
    "triggers": safety.plant_triggers,
    "outliers": sets.plant_outliers,
}
FAMILIES: dict[str, tuple[str, ...]] = {
    "structure": ("unusable_row", "role_order", "empty_answer", "missing_answer",
                  "missing_prompt", "answer_is_question", "mixed_schema", "tool_call"),
    "encoding": ("mojibake", "replacement_character", "control_character",
                 "invisible_character", "markup"),
    "language": ("other_language",),
    "personal": ("email", "phone", "card", "iban", "national_id", "ip_address",
                 "street_address", "person_name", "birth_date", "medical_record"),
    "secrets": ("api_key", "private_key", "password"),
    "duplicates": ("duplicate", "normalised_duplicate", "near_duplicate",
                   "conflicting_answers", "repeated_template"),
    "leaks": ("leak", "near_leak", "contained_prompt"),
    "contamination": ("contamination",),
    "safety": ("harmful_answer", "trained_refusal", "jailbreak"),
    "orders": ("hidden_instruction",),
    "triggers": ("trigger",),
    "outliers": ("outlier",),
    "pairs": ("chosen_is_rejected", "different_prompts", "empty_answer", "missing_prompt",
              "missing_answer"),
    "labels": ("label_noise",),
    "imbalance": ("class_imbalance",),
    "few": ("few_rows",),
    "base": ("special_token", "truncated", "nothing_to_train"),
    "licence": ("unknown_licence", "non_commercial", "share_alike", "no_derivatives"),
    "groups": ("label_imbalance", "sentiment_imbalance"),
    "swaps": ("counterfactual_gap",),
}  # fmt: skip
"""What each family of files is planted with."""


@dataclass(slots=True, kw_only=True)
class Case:
    """One run of the audit on one file."""

    family: str
    data_set: str
    half: Half
    rows: list[Row]
    calm: list[Row] | None
    """The rows without defects; None where there is nothing to compare with."""
    defects: list[Defect] = field(default_factory=list)
    held_out: list[Row] | None = None
    calm_held_out: list[Row] | None = None
    benchmark: list[Row] | None = None
    base: str = ""
    method: str = ""
    licence: str | None = None
    name: str = ""

    def __post_init__(self) -> None:
        self.name = self.name or f"{self.family}-{self.data_set}-{self.half}"


@dataclass(frozen=True, slots=True)
class Supply:
    """Where real rows come from."""

    data: Path
    seed: int

    def rows(self, data_set: str, half: Half, count: int) -> list[Row]:
        """The same rows each time, as new objects."""
        return deepcopy(_read(data_set, self.data, half, count, self.seed))

    def dice(self, half: Half, purpose: str) -> Dice:
        """Draws for one file."""
        return Dice(half, self.seed, purpose)


@cache
def _read(data_set: str, data: Path, half: Half, count: int, seed: int) -> list[Row]:
    return sources.rows_of(data_set, data, half, count, seed)


def cases_of(family: str, half: Half, supply: Supply) -> Iterator[Case]:
    """The files of one family."""
    if family in _SPECIAL:
        yield from _SPECIAL[family](half, supply)
        return
    for data_set in sources.SETS:
        rows = supply.rows(data_set, half, ROWS)
        bed = Bed(rows, supply.dice(half, f"{family} {data_set}"))
        if family == "safety":
            safety.plant_safety(bed, sources.harmful_requests(supply.data))
        else:
            _PLANTERS[family](bed)
        calm = supply.rows(data_set, half, ROWS)
        yield Case(family=family, data_set=data_set, half=half, rows=bed.rows, calm=calm,
                   defects=bed.defects)  # fmt: skip


def _leaks(half: Half, supply: Supply) -> Iterator[Case]:
    for data_set in sources.SETS:
        every = supply.rows(data_set, half, ROWS)
        calm = supply.rows(data_set, half, ROWS)
        bed = Bed(_numbered(every[:-HELD_OUT]), supply.dice(half, f"leaks {data_set}"))
        held_out = Bed(_numbered(every[-HELD_OUT:]), supply.dice(half, f"held out {data_set}"))
        leaks.plant_leaks(bed, held_out)
        yield Case(family="leaks", data_set=data_set, half=half, rows=bed.rows,
                   calm=_numbered(calm[:-HELD_OUT]), defects=bed.defects,
                   held_out=held_out.rows, calm_held_out=calm[-HELD_OUT:])  # fmt: skip


def _contamination(half: Half, supply: Supply) -> Iterator[Case]:
    items = supply.rows("gsm8k_test", half, 600)
    for data_set in ("gsm8k", "gpteacher"):
        bed = Bed(supply.rows(data_set, half, ROWS), supply.dice(half, f"benchmark {data_set}"))
        source = Bed(list(items), supply.dice(half, "items"))
        leaks.plant_contamination(bed, source)
        yield Case(family="contamination", data_set=data_set, half=half, rows=bed.rows,
                   calm=supply.rows(data_set, half, ROWS), defects=bed.defects,
                   benchmark=items)  # fmt: skip


def _pairs(half: Half, supply: Supply) -> Iterator[Case]:
    bed = Bed(supply.rows("pairs", half, 900), supply.dice(half, "pairs"))
    structure.plant_pairs(bed)
    yield Case(family="pairs", data_set="hh_rlhf", half=half, rows=bed.rows, method="dpo",
               calm=supply.rows("pairs", half, 900), defects=bed.defects)  # fmt: skip


def _labels(half: Half, supply: Supply) -> Iterator[Case]:
    rows = supply.rows("banking77", half, 20_000)
    for name, count in (("all 77", 4000), ("10 labels", 10)):
        own = _fewer_labels(rows, count) if count < 77 else rows[:count]
        own = _numbered(deepcopy(own))
        bed = Bed(own, supply.dice(half, f"labels {name}"))
        calm = deepcopy(own)
        sets.plant_labels(bed)
        yield Case(family="labels", data_set=f"banking77, {name}", half=half, rows=bed.rows,
                   calm=calm, defects=bed.defects,
                   name=f"labels-{name.replace(' ', '-')}-{half}")  # fmt: skip


def _fewer_labels(rows: list[Row], count: int) -> list[Row]:
    labels = sorted({row.text("answer") for row in rows})[:: 77 // count][:count]
    return [row for row in rows if row.text("answer") in labels]


def _imbalance(half: Half, supply: Supply) -> Iterator[Case]:
    for variant, share in (("97 to 3", 0.03), ("half and half", 0.5)):
        rows = supply.rows("banking77", half, 1200)
        sets.two_labels(rows, supply.dice(half, f"imbalance {variant}"), share)
        told = Defect(rule="class_imbalance", variant=variant, near_miss=share == 0.5)
        yield _whole("imbalance", f"banking77-{variant.replace(' ', '-')}", half, rows, [told])


def _few(half: Half, supply: Supply) -> Iterator[Case]:
    for data_set in ("medquad", "gsm8k"):
        bed = Bed(supply.rows(data_set, half, ROWS), supply.dice(half, "few"))
        enough = Defect(rule="few_rows", variant="1,000 rows", near_miss=True)
        yield _whole("few", f"{data_set}-all", half, list(bed.rows), [enough])
        sets.plant_few(bed)
        yield _whole("few", data_set, half, bed.rows, bed.defects)


def _base(half: Half, supply: Supply) -> Iterator[Case]:
    for data_set in ("gsm8k", "sgd"):
        bed = Bed(supply.rows(data_set, half, 400), supply.dice(half, f"base {data_set}"))
        structure.plant_special_tokens(bed)
        sets.plant_long(bed)
        sets.plant_untrained(bed)
        yield Case(family="base", data_set=data_set, half=half, rows=bed.rows, base="starter",
                   calm=supply.rows(data_set, half, 400), defects=bed.defects)  # fmt: skip


def _licence(half: Half, supply: Supply) -> Iterator[Case]:
    dice = supply.dice(half, "licence")
    for number, (rule, licence, near_miss) in enumerate(sets.licences(dice)):
        rows = supply.rows("gsm8k", half, 200)
        defect = Defect(rule=rule, variant=licence or "none given", near_miss=near_miss)
        yield Case(family="licence", data_set="gsm8k", half=half, rows=rows, calm=None,
                   defects=[defect], licence=licence or None,
                   name=f"licence-{number}-{half}")  # fmt: skip


def _groups(half: Half, supply: Supply) -> Iterator[Case]:
    for biased in (True, False):
        name = "biased" if biased else "even"
        dice = supply.dice(half, f"groups {name}")
        told = Defect(rule="label_imbalance", variant="75 to 25 by gender", exact=False,
                      accept=("group_association",), near_miss=not biased)  # fmt: skip
        yield _whole("groups", f"decisions-{name}", half,
                     sets.decisions(dice, 600, biased=biased), [told])  # fmt: skip
        told = Defect(rule="sentiment_imbalance", variant="good of one, bad of the other",
                      exact=False, accept=("group_association",), near_miss=not biased)  # fmt: skip
        yield _whole("groups", f"opinions-{name}", half,
                     sets.opinions(dice, 600, biased=biased), [told])  # fmt: skip


def _swaps(half: Half, supply: Supply) -> Iterator[Case]:
    for paired in (False, True):
        told = Defect(rule="counterfactual_gap", variant="nine women to a man", exact=False,
                      near_miss=paired)  # fmt: skip
        name = f"applications-{'paired' if paired else 'single'}"
        rows = sets.applications(supply.dice(half, name), 400, paired=paired)
        yield _whole("swaps", name, half, rows, [told])


def _whole(family: str, data_set: str, half: Half, rows: list[Row], defects: list[Defect]) -> Case:
    return Case(family=family, data_set=data_set, half=half, rows=rows, calm=None,
                defects=defects)  # fmt: skip


def _numbered(rows: list[Row]) -> list[Row]:
    for line, row in enumerate(rows, start=1):
        row.origin = line
    return rows


_SPECIAL: dict[str, Callable[[Half, Supply], Iterator[Case]]] = {
    "leaks": _leaks,
    "contamination": _contamination,
    "pairs": _pairs,
    "labels": _labels,
    "imbalance": _imbalance,
    "few": _few,
    "base": _base,
    "licence": _licence,
    "groups": _groups,
    "swaps": _swaps,
}
