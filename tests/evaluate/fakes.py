"""A model and an encoder made of arithmetic, so that a task's figures can be worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tunesmith.contracts import Conversation, Example, Message, Preference, TokenRow
from tunesmith.data.content import digest_of
from tunesmith.errors import Place
from tunesmith.evaluate.contracts import (
    Answer,
    Material,
    Passage,
    PassageScore,
    Question,
)
from tunesmith.recipe import PluginChoice

SFT = PluginChoice(name="sft")


def example(question: str, answer: str, line: int = 1) -> Example:
    messages = (
        Message(role="user", content=question),
        Message(role="assistant", content=answer),
    )
    content = Conversation(messages=messages)
    place = Place(file="rows.jsonl", line=line)
    return Example(content=content, place=place, digest=digest_of(content))


def examples(pairs: Sequence[tuple[str, str]], first: int = 1) -> tuple[Example, ...]:
    return tuple(example(q, a, first + number) for number, (q, a) in enumerate(pairs))


def asked(one: Example) -> tuple[str, str]:
    assert isinstance(one.content, Conversation)
    first, last = one.content.messages
    return first.content or "", last.content or ""


def passage(text: str, place: Place, part: str = "all") -> Passage:
    """One token a character; the text itself rides along as the token ids."""
    ids = np.array([0, *map(ord, text)], dtype=np.int32)
    weights = np.array([0.0] + [1.0] * len(text), dtype=np.float32)
    row = TokenRow(ids_T=ids, weights_T=weights, place=place, digest="")
    return Passage(row=row, size=len(text.encode()), group=str(place), part=part)


class FakeEncoder:
    """A character is a token."""

    def passages(self, example: Example) -> tuple[Passage, ...]:
        return (passage(asked(example)[1], example.place),)

    def pair(self, example: Example) -> tuple[Passage, Passage] | None:
        if not isinstance(example.content, Preference):
            return None
        chosen, rejected = example.content.chosen[0], example.content.rejected[0]
        return (
            passage(chosen.content or "", example.place),
            passage(rejected.content or "", example.place),
        )

    def last_turn(self, example: Example, answer: str) -> Passage | None:
        return passage(f"{asked(example)[0]}={answer}", example.place)

    def question(self, example: Example) -> Question | None:
        question, answer = asked(example)
        return Question(prompt_ids=(1,), prompt=question, reference=answer, example=example)

    def document(self, text: str, place: Place, part: str) -> tuple[Passage, ...]:
        return (passage(text, place, part),)


@dataclass
class FakeSubject:
    """Half a nat a token of the texts it knows, two nats of others; answers from a list."""

    known: frozenset[str] = frozenset()
    answers: dict[str, str] = field(default_factory=dict)
    limit: int | None = None
    calls: list[str] = field(default_factory=list)
    base: FakeSubject | None = None

    def score(self, name: str, passages: Sequence[Passage]) -> Sequence[PassageScore]:
        self.calls.append(name)
        return [self._score(one) for one in passages]

    def score_of_base(self, name: str, passages: Sequence[Passage]) -> Sequence[PassageScore]:
        return (self.base or self).score(name, passages)

    def answer(self, name: str, questions: Sequence[Question]) -> Sequence[Answer]:
        self.calls.append(name)
        texts = [self.answers.get(question.prompt, "") for question in questions[: self.limit]]
        return [Answer(text=text, tokens=len(text), stopped=bool(text)) for text in texts]

    def _score(self, one: Passage) -> PassageScore:
        tokens = len(one.row.ids_T) - 1
        text = "".join(map(chr, one.row.ids_T[1:].tolist()))
        each = 0.5 if text in self.known else 2.0
        return PassageScore(
            weighted_nats=each * tokens,
            weight=float(tokens),
            nats=each * tokens,
            tokens=tokens,
            correct=tokens if text in self.known else 0,
        )


def material(
    held_out: tuple[Example, ...] = (),
    train: tuple[Example, ...] = (),
    documents: tuple[tuple[str, str, Place], ...] = (),
    method: PluginChoice = SFT,
) -> Material:
    return Material(
        held_out=held_out,
        train=train,
        documents=documents,
        encoder=FakeEncoder(),
        seed=0,
        method=method,
    )


def pair(asked: str, chosen: str, rejected: str, line: int = 1) -> Example:
    content = Preference(
        prompt=(Message(role="user", content=asked),),
        chosen=(Message(role="assistant", content=chosen),),
        rejected=(Message(role="assistant", content=rejected),),
    )
    place = Place(file="rows.jsonl", line=line)
    return Example(content=content, place=place, digest=digest_of(content))
