"""The questions that the held-out rows ask, shared by the tasks that read generated answers."""

from __future__ import annotations

from tunesmith.contracts import Preference
from tunesmith.evaluate.contracts import Material, Passage, Question

HELD_OUT = "held_out"
"""Name under which a subject keeps its scores and answers on held-out rows."""
TRAIN = "train"


def answers_missing(material: Material) -> str:
    """Why tasks about the rows' own answers do not apply; empty where they do."""
    if not material.held_out:
        return "no rows are held out"
    pairs = all(isinstance(example.content, Preference) for example in material.held_out)
    return "the rows are pairs of answers, which preferences measures" if pairs else ""


def held_out_questions(material: Material) -> tuple[Question, ...]:
    """One question a held-out row that has a last trained turn, in the material's order."""
    asked = (material.encoder.question(example) for example in material.held_out)
    return tuple(question for question in asked if question is not None)


def held_out_passages(material: Material) -> tuple[Passage, ...]:
    """The held-out rows as training would see them."""
    encoder = material.encoder
    return tuple(p for example in material.held_out for p in encoder.passages(example))


def train_passages(material: Material) -> tuple[Passage, ...]:
    """The sample of training rows."""
    encoder = material.encoder
    return tuple(p for example in material.train for p in encoder.passages(example))
