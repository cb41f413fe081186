"""Generated answers to the held-out questions, compared with the answers of the data.

A question is everything before a row's last trained turn; the answer is generated greedily.
Every scorer of `evaluate/scorers/` gives a figure, and two more say how answers end:

    stopped        share of answers that end by themselves
    length_error   mean of |words - words of the reference| / words of the reference
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tunesmith import plugins
from tunesmith.contracts import Metric, Scorer
from tunesmith.evaluate.contracts import Answer, Material, Measure, Measurement, Question, Subject
from tunesmith.evaluate.questions import HELD_OUT, held_out_questions
from tunesmith.evaluate.ratios import Floats, ratio
from tunesmith.evaluate.words import words

VERSION = 1
STOPPED = Metric(name="stopped", unit="share of answers", higher_is_better=True)
LENGTH_ERROR = Metric(name="length_error", unit="share of length", higher_is_better=False)
SCORERS: tuple[Scorer, ...] = tuple(
    plugins.load("scorers", name) for name in plugins.names("scorers")
)
METRICS = (*(scorer.METRIC for scorer in SCORERS), STOPPED, LENGTH_ERROR)

_Statistics = Callable[[Question, Answer], tuple[float, ...]]


def missing(material: Material) -> str:
    """It needs held-out rows that ask something."""
    if not material.held_out:
        return "no rows are held out"
    return "" if held_out_questions(material) else "no held-out row has an answer to compare with"


def measure(subject: Subject, material: Material) -> Measurement:
    """Every scorer on every answer, how many answers end, and how far off their length is."""
    questions = held_out_questions(material)
    answers = subject.answer(HELD_OUT, questions)
    asked = questions[: len(answers)]
    measures = [
        _measure(scorer.METRIC, _of(scorer), scorer.value, asked, answers) for scorer in SCORERS
    ]
    measures.append(_measure(STOPPED, _stopped, ratio, asked, answers))
    measures.append(_measure(LENGTH_ERROR, _length_error, ratio, asked, answers))
    lengths = [answer.tokens for answer in answers]
    return Measurement(
        measures=tuple(measures),
        details={
            "median_tokens": float(np.median(lengths)) if lengths else None,
            "longest_tokens": max(lengths, default=None),
        },
    )


def _of(scorer: Scorer) -> _Statistics:
    return lambda question, answer: scorer.statistics(answer.text, question.reference)


def _stopped(question: Question, answer: Answer) -> tuple[float, ...]:
    return (float(answer.stopped), 1.0)


def _length_error(question: Question, answer: Answer) -> tuple[float, ...]:
    wanted = max(1, len(words(question.reference)))
    return (abs(len(words(answer.text)) - wanted) / wanted, 1.0)


def _measure(
    metric: Metric,
    statistics: _Statistics,
    value: Callable[[Floats], Floats],
    questions: Sequence[Question],
    answers: Sequence[Answer],
) -> Measure:
    rows = [statistics(q, a) for q, a in zip(questions, answers, strict=True)]
    return Measure(
        metric=metric,
        slice="all",
        keys=tuple(str(question.example.place) for question in questions),
        groups=tuple(question.group for question in questions),
        statistics_RK=np.array(rows, dtype=np.float64).reshape(len(rows), -1),
        value=value,
    )
