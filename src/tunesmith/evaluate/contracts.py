"""What flows through an evaluation, and what a task file defines: read this to write one.

    Example -> Passage (judged token by token) | Question (answered by generation)
            -> PassageScore | Answer           one model at a time
            -> Measure                         statistics a row, added up over rows
            -> Result                          base against tuned, with an interval

Shapes: R rows, K statistics, N trained tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tunesmith.contracts import Example, JsonObject, Metric, TokenRow
from tunesmith.errors import Place
from tunesmith.recipe import PluginChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Tokens whose probability is measured, and the text that they stand for."""

    row: TokenRow
    size: int
    """UTF-8 bytes of the trained text, special tokens left out."""
    group: str
    part: str = "all"
    """Slice of the results that it belongs to besides `all`, e.g. `code`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A prompt that is answered by generation, and the answer that the data gives."""

    prompt_ids: tuple[int, ...]
    prompt: str
    """The prompt for people: the last turn that is not the assistant's."""
    reference: str
    example: Example

    @property
    def group(self) -> str:
        """What it is resampled with: copies of a row belong together in any case."""
        return self.example.group or self.example.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model generated."""

    text: str
    tokens: int
    stopped: bool
    """Whether it ended by itself, before the longest allowed answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageScore:
    """How a model judged the N trained tokens of a passage."""

    weighted_nats: float
    """Sum of weight times negative log-probability, natural logarithm."""
    weight: float
    """Sum of the weights."""
    nats: float
    """Sum of the negative log-probabilities, every trained token alike."""
    tokens: int
    correct: int
    """Trained tokens that were the most likely ones."""


class Encoder(Protocol):
    """Turns content into what is measured, under the run's tokenizer and template."""

    def passages(self, example: Example) -> tuple[Passage, ...]:
        """The rows of an example as training sees them, teacher-forced."""
        ...

    def pair(self, example: Example) -> tuple[Passage, Passage] | None:
        """The chosen and the rejected completion of a preference as training sees them.

        None for other examples, and where one of the two is left out for its length.
        """
        ...

    def last_turn(self, example: Example, answer: str) -> Passage | None:
        """The example with its last trained turn replaced and only that trained."""
        ...

    def question(self, example: Example) -> Question | None:
        """The prompt before the last trained turn; None where nothing is asked."""
        ...

    def document(self, text: str, place: Place, part: str) -> tuple[Passage, ...]:
        """General text, in pieces that fit the model's context."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What the evaluations of a run measure on."""

    held_out: tuple[Example, ...]
    """At most `max_rows`, drawn with the seed, in random order."""
    train: tuple[Example, ...]
    """As many rows of the training data, to compare with."""
    documents: tuple[tuple[str, str, Place], ...]
    """General text: part, text, place."""
    encoder: Encoder
    seed: int
    method: PluginChoice
    """What was optimised."""


class Subject(Protocol):
    """A model that is measured: the base or the tuned one."""

    def score(self, name: str, passages: Sequence[Passage]) -> Sequence[PassageScore]:
        """Judge passages; what was judged under `name` before is not computed again."""
        ...

    def score_of_base(self, name: str, passages: Sequence[Passage]) -> Sequence[PassageScore]:
        """How the base judged the passages that go by `name`; its own scores for the base."""
        ...

    def answer(self, name: str, questions: Sequence[Question]) -> Sequence[Answer]:
        """Answer the first questions, as many as the time budget allows, greedily."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure of one model, as statistics that are added up over rows.

    R rows, K statistics. The figure of any set of rows is `value(statistics_RK.sum(0))`, so
    that it can be computed for resampled rows as well, corpus figures included.
    """

    metric: Metric
    slice: str
    keys: tuple[str, ...]
    """What each row is, the same for base and tuned: `file:line`."""
    groups: tuple[str, ...]
    strata: tuple[str, ...] = ()
    """Rows of each stratum are resampled among themselves; empty: all rows are one."""
    statistics_RK: NDArray[np.float64]
    value: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    """From sums (..., K) to figures (...); NaN where it is not defined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What a task found out about one model."""

    measures: tuple[Measure, ...]
    details: JsonObject = field(default_factory=dict)
    """What is no single figure, such as a confusion matrix; written to evaluation.json."""


class Task(Protocol):
    """`evaluate/tasks/x.py`: an evaluation. VERSION rises when its figures change meaning."""

    VERSION: int
    METRICS: Sequence[Metric]

    def missing(self, material: Material) -> str:
        """What the data lack for this evaluation, for people; empty where it can run."""
        ...

    def measure(self, subject: Subject, material: Material) -> Measurement:
        """The figures of one model; called with the same material for base and tuned."""
        ...
