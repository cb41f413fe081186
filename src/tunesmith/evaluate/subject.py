"""A model under measurement: scores passages and answers questions, each thing once.

Shapes: N trained tokens of a forest, R passages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from tunesmith.data.forest import Packing, build_forests
from tunesmith.evaluate.budget import BATCH, Budget
from tunesmith.evaluate.contracts import Answer, Passage, PassageScore, Question
from tunesmith.evaluate.display import Display
from tunesmith.evaluate.judge import judge
from tunesmith.generate.sample import generate
from tunesmith.models.attention import ForestSupport
from tunesmith.tokenizer.load import Tokenizer

_END_OF_REASONING = "</think>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How models are asked, the same for base and tuned."""

    tokenizer: Tokenizer
    stop_ids: frozenset[int]
    max_new_tokens: int
    tokens_per_forest: int
    budget: Budget
    display: Display


class ModelSubject:
    """The base or the tuned model; a `contracts.Subject`."""

    def __init__(
        self,
        model: nn.Module,
        support: ForestSupport,
        side: str,
        asking: Asking,
        before: Mapping[str, Sequence[PassageScore]] | None = None,
    ) -> None:
        """Measure `model`, whose answer to `enable_forest` is `support`.

        `before` is what the base has judged; None where this is the base.
        """
        self._model = model
        self._support = support
        self._side = side
        self._asking = asking
        self.scores: dict[str, Sequence[PassageScore]] = {}
        """What was judged so far, by name."""
        self._before = self.scores if before is None else before
        self._answers: dict[str, Sequence[Answer]] = {}

    def score(self, name: str, passages: Sequence[Passage]) -> Sequence[PassageScore]:
        """Judge passages, packed into forests; what was judged under `name` is kept."""
        if name not in self.scores:
            self.scores[name] = self._score(name, passages)
        kept = self.scores[name]
        assert len(kept) == len(passages), f"{name} was scored with other passages"
        return kept

    def score_of_base(self, name: str, passages: Sequence[Passage]) -> Sequence[PassageScore]:
        """How the base judged the same passages."""
        kept = self._before[name]
        assert len(kept) == len(passages), f"{name} was scored with other passages"
        return kept

    def answer(self, name: str, questions: Sequence[Question]) -> Sequence[Answer]:
        """Answer the first questions greedily, as many as the budget allows or allowed."""
        if name not in self._answers:
            self._answers[name] = self._answer(name, questions)
        return self._answers[name]

    def _score(self, name: str, passages: Sequence[Passage]) -> list[PassageScore]:
        rows = [(index, passage.row) for index, passage in enumerate(passages)]
        packing = self._support.fit(Packing(tokens_per_forest=self._asking.tokens_per_forest))
        sums_R4 = np.zeros((len(rows), 4))
        what = f"{self._side}: {name.replace('_', ' ')}"
        with self._asking.display.counting(what, len(rows)) as counter:
            counted = 0
            for forest in build_forests(rows, packing):
                judged = judge(self._model, forest, support=self._support)
                statistics_N4 = np.stack(
                    [
                        judged.nats_N * forest.weights_N,
                        forest.weights_N,
                        judged.nats_N,
                        judged.correct_N,
                    ],
                    axis=1,
                )
                np.add.at(sums_R4, forest.rows_N, statistics_N4)
                fresh = np.unique(forest.rows_N).size
                counted += fresh
                counter.add(fresh)
            if counted < len(rows):
                counter.add(len(rows) - counted)
        return [
            PassageScore(
                weighted_nats=float(sums[0]),
                weight=float(sums[1]),
                nats=float(sums[2]),
                tokens=int(np.count_nonzero(passage.row.weights_T[1:] > 0)),
                correct=int(sums[3]),
            )
            for sums, passage in zip(sums_R4, passages, strict=True)
        ]

    def _answer(self, name: str, questions: Sequence[Question]) -> list[Answer]:
        asking, budget = self._asking, self._asking.budget
        limit = budget.answered.get(name)
        asked = questions if limit is None else questions[:limit]
        answers: list[Answer] = []
        with asking.display.counting(f"{self._side}: answers", len(asked)) as counter:
            for start in range(0, len(asked), BATCH):
                batch = asked[start : start + BATCH]
                budget.begin()
                answers += self._generated(batch)
                counter.add(len(batch))
                if not budget.allows_another() and limit is None:
                    break
        if limit is None:
            budget.answered[name] = len(answers)
            if len(answers) < len(questions):
                asking.display.say(
                    f"evaluate.budget: {len(answers)} of {len(questions)} questions are answered,"
                    " the same for base and tuned"
                )
        return answers

    def _generated(self, questions: Sequence[Question]) -> list[Answer]:
        asking = self._asking
        outputs = generate(
            self._model,
            [question.prompt_ids for question in questions],
            stop_ids=asking.stop_ids,
            max_new_tokens=asking.max_new_tokens,
        )
        answers = []
        for ids in outputs:
            stopped = bool(ids) and ids[-1] in asking.stop_ids
            text = asking.tokenizer.decode(ids[:-1] if stopped else ids)
            answers.append(Answer(text=spoken(text), tokens=len(ids), stopped=stopped))
        return answers


def spoken(text: str) -> str:
    """The answer without the reasoning before it: references hold none.

    Templates such as Qwen3's write an empty `<think></think>` even where a row has no
    reasoning, so a perfect answer would otherwise never match.
    """
    return text.rpartition(_END_OF_REASONING)[2].strip()
