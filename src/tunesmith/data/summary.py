"""Everything that is known of the data once it was read: counts, split, lengths, findings.

    sources + held-out file  ->  surveys  ->  split  ->  fit  ->  Audit

Shapes: E examples of all parts one after the other, R rows of one part.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.contracts import Audit, Finding, JsonObject
from tunesmith.data.audit import FindingLog, audit_of
from tunesmith.data.coding import Coding
from tunesmith.data.encoded import EncodedSource, encode_source
from tunesmith.data.fit import Fit, fit
from tunesmith.data.provenance import StampedSource, Stamps, check_still, stamp
from tunesmith.data.split import Keys, Split, split
from tunesmith.data.survey import Places, Survey, Surveyor, spread
from tunesmith.errors import Place
from tunesmith.recipe import Data

MANY_TRUNCATED = 0.2
"""A share of truncated rows above which the audit warns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The data as it was found; a *part* is a source, or last the held-out file."""

    data: Data
    stamps: Stamps
    surveys: tuple[Survey, ...]
    places: tuple[Places, ...]
    split: Split
    """Over the examples of all parts."""
    log: FindingLog
    coding: Coding | None = None
    encoded: tuple[EncodedSource, ...] = ()
    fits: tuple[Fit, ...] = ()
    first_E: tuple[int, ...] = field(default=())
    """Index of each part's first example."""

    def held_out_rows(self, part: int) -> NDArray[np.bool_]:
        """Which rows of a part are held out."""
        is_held_out_E = np.zeros(sum(survey.rows for survey in self.surveys), dtype=bool)
        is_held_out_E[self.split.held_out] = True
        example_of_R = self.encoded[part].packed.example_of + self.first_E[part]
        return is_held_out_E[example_of_R]

    def sorted_lengths(self) -> array[int]:
        """Tokens of every row before truncation, ascending."""
        if not self.encoded:
            return array("i")
        lengths = np.concatenate([one.packed.lengths for one in self.encoded])
        return array("i", np.sort(lengths).astype(np.intc).tobytes())

    def notices(self) -> tuple[str, ...]:
        """What was decided for the user, each sentence once."""
        own = [self.coding.template.notice] if self.coding and self.coding.template.notice else []
        said = [sentence for survey in self.surveys for sentence in survey.notices]
        return tuple(dict.fromkeys([*own, *said]))

    def audit(self) -> Audit:
        """The record for `audit.json`."""
        return audit_of(
            self.log,
            rows=sum(survey.rows for survey in self.surveys),
            statistics=self._statistics(),
        )

    def _statistics(self) -> JsonObject:
        parts: list[JsonObject] = []
        for index, (part, survey) in enumerate(zip(self.stamps.parts, self.surveys, strict=True)):
            entry: JsonObject = {
                "path": part.source.path,
                "role": "train" if index < len(self.stamps.sources) else "held_out",
                "weight": part.source.weight,
                "rows": survey.rows,
                "formats": list(survey.formats),
                "characters": dict(survey.characters),
            }
            if self.encoded:
                entry["tokens"] = dict(spread(self.encoded[index].packed.lengths))
            parts.append(entry)
        statistics: JsonObject = {
            "parts": list(parts),
            "train": len(self.split.train),
            "held_out": len(self.split.held_out),
        }
        if self.encoded:
            statistics["tokens"] = self._tokens()
        return statistics

    def _tokens(self) -> JsonObject:
        lengths = np.concatenate([one.packed.lengths for one in self.encoded])
        trained = sum(int(one.packed.trained.sum(dtype=np.int64)) for one in self.encoded)
        truncated = sum(int(one.truncated_R.sum()) for one in self.fits)
        kept = sum(int(one.lengths_R.sum(dtype=np.int64)) for one in self.fits)
        return {
            "rows": len(lengths),
            **spread(lengths),
            "trained": trained,
            "max_length": self.data.max_length,
            "truncated": truncated,
            "truncated_share": round(truncated / len(lengths), 4),
            "cut_away": int(lengths.sum(dtype=np.int64)) - kept,
            "dropped": sum(int((~one.kept).sum()) for one in self.fits),
        }


def summarise(
    data: Data,
    coding: Coding | None,
    *,
    seed: int,
    progress: Callable[[int, int], None],
    stamps: Stamps | None = None,
) -> Summary:
    """Read every part, split, and with a coding make tokens and fit them.

    Raises:
        DataError: something cannot be used.
    """
    stamps = stamps or stamp(data)
    read: list[_Part] = []
    for part in stamps.parts:
        done_before = sum(one.survey.rows for one in read)
        read.append(_read_part(part, coding, _from(done_before, progress)))
    counts = [one.survey.rows for one in read]
    first_E = tuple(int(count) for count in np.cumsum([0, *counts[:-1]]))
    keys = Keys(
        digests_R=np.concatenate([one.keys.digests_R for one in read]),
        groups_R=np.concatenate([one.keys.groups_R for one in read]),
    )
    encoded = tuple(one.encoded for one in read if one.encoded is not None)
    summary = Summary(
        data=data,
        stamps=stamps,
        surveys=tuple(one.survey for one in read),
        places=tuple(one.places for one in read),
        split=_split(stamps, keys, counts, data, seed),
        log=FindingLog(),
        coding=coding,
        encoded=encoded,
        fits=tuple(fit(one.packed, data.max_length, data.overlong) for one in encoded),
        first_E=first_E,
    )
    for survey in summary.surveys:
        summary.log.merge(survey.counts, survey.findings)
    _note_copies(summary, keys)
    _note_groups(summary)
    _note_fits(summary)
    return summary


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    survey: Survey
    keys: Keys
    places: Places
    encoded: EncodedSource | None = None


def _from(done_before: int, progress: Callable[[int, int], None]) -> Callable[[int], None]:
    return lambda done: progress(done_before + done, 0)


def _read_part(
    stamped: StampedSource, coding: Coding | None, progress: Callable[[int], None]
) -> _Part:
    if coding is not None:
        encoded = encode_source(stamped, coding, progress)
        return _Part(
            survey=encoded.survey, keys=encoded.keys, places=encoded.places, encoded=encoded
        )
    surveyor = Surveyor()
    files = tuple(Path(file.path) for file in stamped.files)
    deque(surveyor.through(stamped.source, files, progress), maxlen=0)
    check_still(stamped)
    return _Part(survey=surveyor.survey(), keys=surveyor.keys(), places=surveyor.places())


def _split(stamps: Stamps, keys: Keys, counts: list[int], data: Data, seed: int) -> Split:
    if stamps.held_out is None:
        assert not isinstance(data.held_out, str), "a file was stamped"
        return split(keys, data.held_out, seed)
    border = len(keys) - counts[-1]
    everything = np.arange(len(keys), dtype=np.int64)
    return Split(train=everything[:border], held_out=everything[border:])


def _place(summary: Summary, example: int) -> Place:
    part = int(np.searchsorted(summary.first_E, example, side="right")) - 1
    return summary.places[part].at(example - summary.first_E[part])


def _note_copies(summary: Summary, keys: Keys) -> None:
    """Rows that say the same: among the training rows, and between them and the held-out file."""
    digests_E, split_E = keys.digests_R, summary.split
    sources = len(keys) - (summary.surveys[-1].rows if summary.stamps.held_out else 0)
    found, first = np.unique(digests_E[:sources], return_index=True)
    copies = sources - len(found)
    if copies:
        is_copy_E = np.ones(sources, dtype=bool)
        is_copy_E[first] = False
        copy = int(np.flatnonzero(is_copy_E)[0])
        original = int(first[np.searchsorted(found, digests_E[copy])])
        place = _place(summary, copy)
        summary.log.add(
            Finding(
                rule="duplicate",
                severity="info",
                message=f"{copies:,} rows repeat another row exactly; this is the first",
                fix="remove them, unless they are meant to weigh more",
                file=str(place.file),
                line=place.line,
                other=str(_place(summary, original)),
            ),
            rows=copies,
        )
    if summary.stamps.held_out is None:
        return
    leaked = split_E.held_out[np.isin(digests_E[split_E.held_out], found)]
    everything = len(leaked) == len(split_E.held_out)
    for example in leaked:
        place = _place(summary, int(example))
        original = int(first[np.searchsorted(found, digests_E[example])])
        summary.log.add(
            Finding(
                rule="leak",
                severity="block" if everything else "warn",
                message="the held-out row is also trained on",
                fix="remove it from one of the two files",
                file=str(place.file),
                line=place.line,
                other=str(_place(summary, original)),
            )
        )


def _note_groups(summary: Summary) -> None:
    for group in summary.split.oversized:
        place = _place(summary, group.row)
        total = sum(survey.rows for survey in summary.surveys)
        summary.log.add(
            Finding(
                rule="oversized_group",
                severity="warn",
                message=f"{group.rows:,} of {total:,} rows begin with the same exchange; "
                "together they would decide what is measured, so the split divides them",
                fix="give data.held_out a file of its own",
                file=str(place.file),
                line=place.line,
            ),
            rows=group.rows,
        )


def _note_fits(summary: Summary) -> None:
    length = summary.data.max_length
    for encoded, fitted in zip(summary.encoded, summary.fits, strict=True):
        for row in _firsts(encoded, fitted.untrainable_R):
            _note_row(
                summary,
                encoded.packed.place(int(row)),
                "nothing_to_train",
                f"no trained token lies within max_length {length}; the row is left out"
                if length
                else "the row has no trained token; it is left out",
                "raise data.max_length, or shorten the prompt",
            )
        for row in _firsts(encoded, fitted.overlong_R):
            tokens = int(encoded.packed.records_R[row]["length"])
            _note_row(
                summary,
                encoded.packed.place(int(row)),
                "overlong",
                f"{tokens:,} tokens are more than max_length {length}; the row is left out",
                "raise data.max_length, or shorten the row",
            )
        _note_truncated(summary, encoded, fitted)


def _firsts(encoded: EncodedSource, marked_R: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The marked rows; of those that belong together, which share a line, only the first."""
    rows = np.flatnonzero(marked_R)
    _, first = np.unique(rows // encoded.packed.rows_per_example, return_index=True)
    return rows[first]


def _note_truncated(summary: Summary, encoded: EncodedSource, fitted: Fit) -> None:
    truncated = int(fitted.truncated_R.sum())
    if not truncated:
        return
    share = truncated / len(fitted.truncated_R)
    longest = int(np.argmax(encoded.packed.lengths))
    place = encoded.packed.place(longest)
    summary.log.add(
        Finding(
            rule="truncated",
            severity="warn" if share > MANY_TRUNCATED else "info",
            message=f"{truncated:,} rows ({share:.1%}) are longer than max_length "
            f"{summary.data.max_length} and lose their end; this is the longest",
            fix="raise data.max_length, or shorten the rows",
            file=str(place.file),
            line=place.line,
        ),
        rows=truncated,
    )


def _note_row(summary: Summary, place: Place, rule: str, message: str, fix: str) -> None:
    summary.log.add(
        Finding(
            rule=rule,
            severity="warn",
            message=message,
            fix=fix,
            file=str(place.file),
            line=place.line,
        )
    )
