"""One pass over the examples of a source: what is counted, and what is noticed, on the way.

    rows, formats, characters of a row (p50, p95, max), texts that hold special tokens

Memory grows by 36 bytes a row. Shapes: E examples, R rows.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunesmith.contracts import (
    Conversation,
    Example,
    Finding,
    JsonObject,
    Preference,
    Segments,
    Text,
)
from tunesmith.data.audit import FindingLog
from tunesmith.data.columns import printable
from tunesmith.data.examples import FileExamples, read_file
from tunesmith.data.split import Keys, key_of
from tunesmith.errors import Place
from tunesmith.recipe import Source

_MARKERS = (
    r"<\|[a-z][a-z0-9_ ]{0,40}\|>|<(?:start|end)_of_turn>|\[/?(?:INST|TOOL_CALLS)\]|<<SYS>>"
    r"|</?s>|<(?:bos|eos|pad|unk)>"
)
"""What the special tokens of common models look like."""
_EXCERPT = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where each example of a source stands."""

    files: tuple[str, ...]
    file_E: NDArray[np.int32]
    line_E: NDArray[np.int64]

    def at(self, index: int) -> Place:
        """File and line of an example."""
        return Place(file=self.files[int(self.file_E[index])], line=int(self.line_E[index]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is known of a source after one pass."""

    rows: int
    formats: tuple[str, ...]
    characters: dict[str, int]
    """p50, p95 and max of the characters of a row, and their total."""
    notices: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def as_json(self) -> JsonObject:
        """Plain data that `survey_from_json` reads."""
        return asdict(self)


def survey_from_json(values: JsonObject) -> Survey:
    """What `Survey.as_json` wrote, out of a manifest whose digest was checked."""
    plain: dict[str, object] = dict(values)
    findings, formats, notices = values["findings"], values["formats"], values["notices"]
    assert isinstance(findings, list), "as_json writes a list"
    assert isinstance(formats, list), "as_json writes a list"
    assert isinstance(notices, list), "as_json writes a list"
    plain["findings"] = tuple(Finding(**entry) for entry in findings)  # type: ignore[arg-type]
    plain["formats"], plain["notices"] = tuple(formats), tuple(notices)
    return Survey(**plain)  # type: ignore[arg-type]


def joined_survey(parts: Sequence[JsonObject]) -> Survey:
    """The survey of a source from those of its parts (`Surveyor.as_part`), in order."""
    log = FindingLog()
    formats: set[str] = set()
    notices: dict[str, None] = {}
    lengths: list[NDArray[np.int64]] = []
    for values in parts:
        survey = survey_from_json({name: values[name] for name in values if name != "lengths"})
        log.merge(survey.counts, survey.findings)
        formats.update(survey.formats)
        notices.update(dict.fromkeys(survey.notices))
        counted = np.array(values["lengths"], dtype=np.int64).reshape(-1, 2)
        lengths.append(np.repeat(counted[:, 0], counted[:, 1]))
    lengths_E = np.concatenate(lengths)
    return Survey(
        rows=len(lengths_E),
        formats=tuple(sorted(formats)),
        characters=spread(lengths_E),
        notices=tuple(notices),
        counts=dict(log.counts),
        findings=tuple(log.findings),
    )


class Surveyor:
    """Counts while examples pass through; `survey` and `keys` are complete afterwards."""

    def __init__(self, markers: tuple[str, ...] = ()) -> None:
        """Look for special tokens of common models, and for `markers`, in texts."""
        own = "|".join(re.escape(marker) for marker in sorted(markers, key=len, reverse=True))
        self._markers = re.compile(f"{own}|{_MARKERS}" if own else _MARKERS)
        self._lengths = array("Q")
        self._digests = array("Q")
        self._groups = array("Q")
        self._lines = array("q")
        self._files = array("i")
        self._paths: list[str] = []
        self._formats: Counter[str] = Counter()
        self._notices: dict[str, None] = {}
        self._log = FindingLog()

    def notice(self, sentence: str) -> None:
        """Keep a sentence for the user, once."""
        self._notices[sentence] = None

    def through(
        self, source: Source, files: tuple[Path, ...], progress: Callable[[int], None]
    ) -> Iterator[Example]:
        """The examples of the files, each noted before it is handed on.

        Raises:
            DataError, RecipeError: as `read_examples` does.
        """
        for path in files:
            read = read_file(path, source, self.notice)
            for example in read.examples:
                self.note(read, example)
                progress(len(self._lengths))
                yield example

    def note(self, read: FileExamples, example: Example) -> None:
        """Count an example of a file, and look for what is to be noticed."""
        path = str(read.path)
        if not self._paths or self._paths[-1] != path:
            self._formats[read.format] += 1
            self._paths.append(path)
        texts = _texts(example)
        self._lengths.append(sum(map(len, texts)))
        self._digests.append(key_of(example.digest))
        self._groups.append(key_of(example.group))
        self._lines.append(example.place.line)
        self._files.append(len(self._paths) - 1)
        if isinstance(example.content, Segments):
            return
        for text in texts:
            found = self._markers.search(text)
            if found:
                begin = max(0, found.start() - _EXCERPT // 2)
                self._log.add(
                    Finding(
                        rule="special_token",
                        severity="warn",
                        message=f"the text holds {found.group()}, which looks like a special token",
                        fix="remove it from the text; the template writes special tokens itself",
                        file=str(example.place.file),
                        line=example.place.line,
                        row_hash=example.digest,
                        excerpt=printable(text[begin : begin + _EXCERPT], _EXCERPT),
                    )
                )
                return

    def survey(self) -> Survey:
        """What was counted."""
        return Survey(
            rows=len(self._lengths),
            formats=tuple(sorted(self._formats)),
            characters=spread(np.array(self._lengths, dtype=np.int64)),
            notices=tuple(self._notices),
            counts=dict(self._log.counts),
            findings=tuple(self._log.findings),
        )

    def as_part(self, ordinals: Mapping[str, str]) -> JsonObject:
        """What was counted, for `joined_survey`; files go by their ordinals."""
        lengths = Counter(self._lengths)
        survey = self.survey()
        findings = tuple(replace(one, file=ordinals[one.file]) for one in survey.findings)
        return {
            **replace(survey, findings=findings).as_json(),
            "lengths": [[length, count] for length, count in sorted(lengths.items())],
        }

    def keys(self) -> Keys:
        """What the split needs of each row."""
        return Keys(
            digests_R=np.array(self._digests, dtype=np.uint64),
            groups_R=np.array(self._groups, dtype=np.uint64),
        )

    def places(self) -> Places:
        """Where each example stands."""
        return Places(
            files=tuple(self._paths),
            file_E=np.array(self._files, dtype=np.int32),
            line_E=np.array(self._lines, dtype=np.int64),
        )


def spread(lengths_R: NDArray[np.int64] | NDArray[np.int32]) -> dict[str, int]:
    """p50, p95, max and total of some lengths; p95 is a length that occurs."""
    if not len(lengths_R):
        return {"p50": 0, "p95": 0, "max": 0, "total": 0}
    middle, high = np.percentile(lengths_R, [50, 95], method="higher")
    return {
        "p50": int(middle),
        "p95": int(high),
        "max": int(lengths_R.max()),
        "total": int(lengths_R.sum(dtype=np.int64)),
    }


def _texts(example: Example) -> list[str]:
    match example.content:
        case Text():
            return [example.content.text]
        case Segments():
            return [part.text for part in example.content.parts]
        case Conversation():
            return [turn.content for turn in example.content.messages if turn.content]
        case Preference(prompt=prompt, chosen=chosen, rejected=rejected):
            return [turn.content for turn in (*prompt, *chosen, *rejected) if turn.content]
