"""Right labels, where the answers of the data are labels: few, short, each one repeated.

    {"question": "my card was swallowed", "answer": "card_swallowed"}

`accuracy` and `macro_f1` read the generated answer; `likeliest_accuracy` and
`likeliest_macro_f1` take the label to which the model gives the highest probability, so
they also tell what a model knows that does not answer in the form that is asked for.

    F1[c] = 2 tp / (2 tp + fp + fn)        macro F1: mean over the labels c of the rows

Shapes: R rows, L labels, K statistics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from tunesmith.contracts import Json, Metric
from tunesmith.evaluate.contracts import Material, Measure, Measurement, Passage, Question, Subject
from tunesmith.evaluate.questions import HELD_OUT, answers_missing, held_out_questions
from tunesmith.evaluate.ratios import Floats, divide, ratio
from tunesmith.evaluate.words import normalised

VERSION = 1
METRICS = (
    Metric(name="accuracy", unit="share of rows", higher_is_better=True),
    Metric(name="macro_f1", unit="0 to 1", higher_is_better=True),
    Metric(name="likeliest_accuracy", unit="share of rows", higher_is_better=True),
    Metric(name="likeliest_macro_f1", unit="0 to 1", higher_is_better=True),
)
_LONGEST_LABEL = 60
_MOST_LABELS = 200
_SMALLEST_SAMPLE = 10
_REPEATED_SHARE = 0.8
_MOST_TOKENS = 60_000
"""Tokens of rows with each of the labels that are judged; with many labels fewer rows are used."""


def missing(material: Material) -> str:
    """It needs answers that look like labels."""
    if answers_missing(material):
        return answers_missing(material)
    return "" if labels_of(material) else "the answers do not look like labels"


def labels_of(material: Material) -> tuple[str, ...]:
    """The labels, sorted; empty where the answers are not labels.

    At least ten answers of at most 60 characters on one line, at least two different ones,
    at most half as many as rows, and 80 % of the rows share theirs with another row.
    """
    rows = (*material.held_out, *material.train)
    asked = (material.encoder.question(example) for example in rows)
    answers = [question.reference.strip() for question in asked if question is not None]
    counts = Counter(answers)
    short = all(0 < len(label) <= _LONGEST_LABEL and "\n" not in label for label in counts)
    few = 2 <= len(counts) <= min(_MOST_LABELS, len(answers) // 2)
    repeated = sum(count for count in counts.values() if count > 1)
    if len(answers) < _SMALLEST_SAMPLE or not short or not few:
        return ()
    return tuple(sorted(counts)) if repeated >= _REPEATED_SHARE * len(answers) else ()


def measure(subject: Subject, material: Material) -> Measurement:
    """Accuracy and macro F1 of the generated and of the likeliest labels."""
    labels = labels_of(material)
    questions = held_out_questions(material)
    answers = subject.answer(HELD_OUT, questions)
    known = {_plain(label): index for index, label in enumerate(labels)}
    generated = [known.get(_plain(answer.text), len(labels)) for answer in answers]
    likeliest = _likeliest(subject, material, questions, labels)
    judged = questions[: len(likeliest)]
    asked = questions[: len(generated)]
    return Measurement(
        measures=(
            *_measures(METRICS[:2], asked, generated, labels),
            *_measures(METRICS[2:], judged, likeliest, labels),
        ),
        details={
            "labels": list(labels),
            "generated": _confusion(asked, generated, labels),
            "likeliest": _confusion(judged, likeliest, labels),
        },
    )


def _plain(text: str) -> str:
    """The first line, without case, surrounding white space or a full stop."""
    lines = text.strip().splitlines()
    return normalised(lines[0]).rstrip(".!") if lines else ""


def _likeliest(
    subject: Subject, material: Material, questions: Sequence[Question], labels: tuple[str, ...]
) -> list[int]:
    """The likeliest label of each of the first questions, as many as are affordable."""
    passages: list[Passage] = []
    owners: list[tuple[int, int]] = []
    tokens = judged = 0
    for question in questions:
        if tokens > _MOST_TOKENS:
            break
        for number, label in enumerate(labels):
            passage = material.encoder.last_turn(question.example, label)
            if passage is not None:
                passages.append(passage)
                owners.append((judged, number))
                tokens += len(passage.row.ids_T)
        judged += 1
    nats_RL = np.full((judged, len(labels)), np.inf)
    for owner, score in zip(owners, subject.score("labels", passages), strict=True):
        nats_RL[owner] = score.nats
    best_R = nats_RL.argmin(axis=1)
    return [
        int(best) if np.isfinite(row).any() else len(labels)
        for best, row in zip(best_R, nats_RL, strict=True)
    ]


def _measures(
    metrics: Sequence[Metric],
    questions: Sequence[Question],
    predicted: Sequence[int],
    labels: tuple[str, ...],
) -> tuple[Measure, ...]:
    truth = [labels.index(question.reference.strip()) for question in questions]
    rows = np.arange(len(truth))
    right = np.array(truth) == np.array(predicted)
    correct_R2 = np.stack([right, np.ones(len(truth))], axis=1).astype(np.float64)
    counts_R3L = np.zeros((len(truth), 3, len(labels) + 1))
    counts_R3L[rows[right], 0, np.array(truth)[right]] = 1
    counts_R3L[rows[~right], 1, np.array(predicted)[~right]] = 1
    counts_R3L[rows[~right], 2, np.array(truth)[~right]] = 1
    tables: tuple[tuple[Floats, Callable[[Floats], Floats]], ...] = (
        (correct_R2, ratio),
        (counts_R3L.reshape(len(truth), -1), _macro_f1),
    )
    return tuple(
        Measure(
            metric=metric, slice="all",
            keys=tuple(str(question.example.place) for question in questions),
            groups=tuple(question.group for question in questions),
            statistics_RK=statistics, value=value,
        )
        for metric, (statistics, value) in zip(metrics, tables, strict=True)
    )  # fmt: skip


def _macro_f1(sums: Floats) -> Floats:
    counts = sums.reshape(*sums.shape[:-1], 3, -1)
    hits, false_hits, misses = counts[..., 0, :], counts[..., 1, :], counts[..., 2, :]
    present = hits + misses > 0
    scores = divide(2 * hits, 2 * hits + false_hits + misses)
    number = present.sum(axis=-1).astype(np.float64)
    return divide(np.where(present, scores, 0.0).sum(axis=-1), number)


def _confusion(
    questions: Sequence[Question], predicted: Sequence[int], labels: tuple[str, ...]
) -> list[Json]:
    """Rows by true label, columns by predicted label; the last column is anything else."""
    table = [[0] * (len(labels) + 1) for _ in labels]
    for question, label in zip(questions, predicted, strict=True):
        table[labels.index(question.reference.strip())][label] += 1
    return [list(row) for row in table]
