"""Which format the rows of a file have, and how its columns are called.

    {"Question": "Is it open?", "Answer": "Yes."}   ->   question_answer, letter case ignored

Decided from the first rows: the format that most of them have; a row of another one cannot be
used. `format` in the recipe forces one, and `columns` says what the file calls the columns that
a format needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import cast

from tunesmith import plugins
from tunesmith.contracts import Content, Format, JsonObject, RawRow
from tunesmith.data.columns import MISSING, listed, nearest
from tunesmith.errors import DataError, RecipeError
from tunesmith.recipe import Source

_APART = "put each format into a file of its own, or say which it is: format: NAME"
LOOKED_AT = 50
"""Rows from which the format of a file is decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """How to read the rows of one file."""

    name: str
    columns: Mapping[str, str] = field(default_factory=dict)
    ignore_case: bool = False
    forced: bool = False
    """Whether the recipe names the format; else every row must look like it."""

    def parse(self, row: RawRow) -> Content:
        """The row's content.

        Raises:
            DataError: the row is wrong, with its place.
        """
        try:
            values = self.renamed(row.values)
            if not self.forced:
                self._require_own(row, values)
            return format_called(self.name).parse(values)
        except DataError as error:
            raise DataError(error.what, hint=error.hint, place=row.place, rule=error.rule) from None

    def renamed(self, values: JsonObject) -> JsonObject:
        """A row under our names.

        Raises:
            DataError: it lacks a column that `columns` names.
        """
        return _renamed(values, self.columns, ignore_case=self.ignore_case)

    def own_name(self, column: str) -> str:
        """What we call a column of the file; nothing for one that a mapped column stands for."""
        ours = next((ours for ours, theirs in self.columns.items() if theirs == column), "")
        if ours:
            return ours
        name = column.strip().lower() if self.ignore_case else column
        return "" if name in self.columns else name

    def _require_own(self, row: RawRow, values: JsonObject) -> None:
        found = _first_that_recognises(values)
        if found not in (self.name, ""):
            raise DataError(
                f"the row looks like {found}, but the file is {self.name}",
                hint=_APART,
                rule="mixed_schema",
            )
        if _is_verdict(values):
            raise _unknown(row)


def format_called(name: str) -> Format:
    """The format of that name.

    Raises:
        RecipeError: there is none; the nearest is suggested.
    """
    return cast(Format, plugins.load("formats", name))


def recognise(
    rows: Sequence[RawRow], source: Source, notice: Callable[[str], None] = lambda _: None
) -> Recognised:
    """The format of a file, from its first rows.

    Raises:
        DataError: no format fits any of them.
        RecipeError: `format` or `columns` name something that does not exist.
    """
    _check_mapping(source)
    if source.format is not None:
        format_called(source.format)
        return Recognised(name=source.format, columns=source.columns, forced=True)
    found = _commonest(rows, source.columns)
    if found.name == "text":
        _say_unused(rows[0], source, notice)
    if found.ignore_case:
        notice(f"{Path(rows[0].place.file).name}: names of columns are taken in lower case")
    return found


def _commonest(rows: Sequence[RawRow], columns: Mapping[str, str]) -> Recognised:
    """The format that most rows have; of several the one that comes first."""
    assert rows, "a file without rows is refused before"
    count: Counter[str] = Counter()
    formats: dict[str, Recognised] = {}
    faults: list[DataError] = []
    for row in rows:
        try:
            this = _format_of(row, columns)
        except DataError as error:
            faults.append(error)
        else:
            count[this.name] += 1
            formats.setdefault(this.name, this)
    if not formats:
        raise faults[0]
    return formats[count.most_common(1)[0][0]]


def _format_of(row: RawRow, columns: Mapping[str, str]) -> Recognised:
    for ignore_case in (False, True):
        try:
            values = _renamed(row.values, columns, ignore_case=ignore_case)
        except DataError as error:
            raise DataError(error.what, hint=error.hint, place=row.place, rule=error.rule) from None
        name = _first_that_recognises(values)
        if name and not _is_verdict(values) and (not _is_pair(values) or _gives_pairs(name)):
            return Recognised(name=name, columns=columns, ignore_case=ignore_case)
    raise _unknown(row)


def _say_unused(row: RawRow, source: Source, notice: Callable[[str], None]) -> None:
    """A column `text` beside others is often not all that was meant."""
    used = {"text", *source.columns.values()}
    unused = [name for name in row.values if name not in used]
    if unused:
        name = Path(row.place.file).name
        notice(f"{name}: only text is learnt; these columns are not used: {listed(unused)}")


def _first_that_recognises(values: JsonObject) -> str:
    """The name of the format, or nothing."""
    return next((name for name in _by_priority() if format_called(name).recognises(values)), "")


def _gives_pairs(name: str) -> bool:
    return format_called(name).GIVES == "preferences"


@cache
def _by_priority() -> tuple[str, ...]:
    return tuple(
        sorted(plugins.names("formats"), key=lambda name: (-format_called(name).PRIORITY, name))
    )


def _is_verdict(values: JsonObject) -> bool:
    """Answers with a verdict (KTO), which no method of ours learns from."""
    return isinstance(values.get("label"), bool)


def _is_pair(values: JsonObject) -> bool:
    """Pairs in a form that no format knows."""
    return "chosen" in values and "rejected" in values


def _unknown(row: RawRow) -> DataError:
    if _is_verdict(row.values):
        return DataError(
            "the row is feedback on an answer (a label), which no method learns from",
            hint="keep the good answers only, without the column label",
            place=row.place,
        )
    if _is_pair(row.values):
        return DataError(
            "the row is feedback (chosen and rejected) in a form that is not known",
            hint='write {"prompt": [{"role": "user", "content": "..."}], "chosen": [...], '
            '"rejected": [...]}, or texts',
            place=row.place,
        )
    known = "; ".join(
        f"{name} ({', '.join(format_called(name).COLUMNS)})" for name in _by_priority()
    )
    return DataError(
        f"no format fits a row with the columns: {listed(row.values)}",
        hint="say which is which, e.g. columns: {question: YOUR_COLUMN, answer: YOUR_COLUMN}; "
        f"formats and their columns: {known}",
        place=row.place,
    )


def _check_mapping(source: Source) -> None:
    names = [source.format] if source.format else list(plugins.names("formats"))
    known = [column for name in names for column in format_called(name).COLUMNS]
    for ours in source.columns:
        if ours not in known:
            raise RecipeError(
                f"columns: {ours} is no column of {source.format or 'any format'}",
                hint=f"{nearest(ours, known)}our name stands left, the file's right; "
                f"ours are: {', '.join(dict.fromkeys(known))}",
            )


def _renamed(
    values: JsonObject, columns: Mapping[str, str], *, ignore_case: bool = False
) -> JsonObject:
    """The row under our names; mapped columns lose their own."""
    if not columns and not ignore_case:
        return values
    for ours, theirs in columns.items():
        if theirs not in values:
            raise DataError(
                f"the row has no column {theirs}, which columns maps to {ours}",
                hint=f"{nearest(theirs, values)}the row has: {listed(values)}",
                rule=MISSING.get(ours, ""),
            )
    taken = set(columns.values())
    out: JsonObject = {
        name.strip().lower() if ignore_case else name: value
        for name, value in values.items()
        if name not in taken
    }
    return {**out, **{ours: values[theirs] for ours, theirs in columns.items()}}
