"""What the model lost: how well it still predicts general text that is not about the data."""

from __future__ import annotations

from tunesmith.evaluate.contracts import Material, Measurement, Subject
from tunesmith.evaluate.passages import BITS_PER_BYTE, PERPLEXITY, passage_measures

VERSION = 1
METRICS = (BITS_PER_BYTE, PERPLEXITY)


def missing(material: Material) -> str:
    """General text is all it needs."""
    return "" if material.documents else "evaluate.retention holds no text"


def measure(subject: Subject, material: Material) -> Measurement:
    """Bits per byte and perplexity over all text, and over each file where there are several."""
    encoder = material.encoder
    passages = tuple(
        passage
        for part, text, place in material.documents
        for passage in encoder.document(text, place, part)
    )
    return Measurement(
        measures=passage_measures(METRICS, passages, subject.score("retention", passages))
    )
