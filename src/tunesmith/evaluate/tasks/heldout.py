"""How well the held-out rows are predicted, token by token, given the true text before each."""

from __future__ import annotations

from tunesmith.evaluate.contracts import Material, Measurement, Subject
from tunesmith.evaluate.passages import (
    BITS_PER_BYTE,
    LOSS,
    PERPLEXITY,
    TOKEN_ACCURACY,
    passage_measures,
)
from tunesmith.evaluate.questions import HELD_OUT, answers_missing, held_out_passages

VERSION = 1
METRICS = (LOSS, PERPLEXITY, BITS_PER_BYTE, TOKEN_ACCURACY)


def missing(material: Material) -> str:
    """Held-out rows are all it needs, if they are no pairs."""
    return answers_missing(material)


def measure(subject: Subject, material: Material) -> Measurement:
    """Loss, perplexity, bits per byte and token accuracy of the trained tokens."""
    passages = held_out_passages(material)
    return Measurement(
        measures=passage_measures(METRICS, passages, subject.score(HELD_OUT, passages))
    )
