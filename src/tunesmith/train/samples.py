"""A few answers of the model while it trains, so that a person can read where it is going.

{"prompt": "...", "answer": "what the model writes", "reference": "what the row says"}
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import nn

from tunesmith.contracts import JsonObject, TokenRow
from tunesmith.generate.sample import generate
from tunesmith.train.objective import without_dropout
from tunesmith.train.result import Speech

COUNT = 3
LONGEST_PROMPT = 1024
LONGEST_ANSWER = 48


def sampler(
    model: nn.Module, rows: Sequence[TokenRow], speech: Speech, seed: int
) -> Callable[[], list[JsonObject]]:
    """A function that answers the prompts of a few rows, always the same ones, greedily."""
    asked = [row for row in rows if 0 < _prompt_length(row) <= LONGEST_PROMPT]
    order = np.random.default_rng([seed, COUNT]).permutation(len(asked))[:COUNT]
    chosen = [asked[int(index)] for index in order]
    prompts = [[int(token) for token in row.ids_T[: _prompt_length(row)]] for row in chosen]
    decode = speech.tokenizer.decode

    def answer() -> list[JsonObject]:
        if not chosen:
            return []
        with without_dropout(model):
            answers = generate(
                model, prompts, stop_ids=speech.stop_ids, max_new_tokens=LONGEST_ANSWER
            )
        return [
            {
                "place": str(row.place),
                "prompt": decode(prompt),
                "answer": decode(answer),
                "reference": decode(_reference(row)),
            }
            for row, prompt, answer in zip(chosen, prompts, answers, strict=True)
        ]

    return answer


def _reference(row: TokenRow) -> list[int]:
    """The first trained stretch of a row."""
    start = _prompt_length(row)
    untrained = np.flatnonzero(row.weights_T[start:] == 0)
    end = start + int(untrained[0]) if untrained.size else row.ids_T.size
    return [int(token) for token in row.ids_T[start:end]]


def _prompt_length(row: TokenRow) -> int:
    """Tokens before the first trained one; the first token is never trained."""
    trained = np.flatnonzero(row.weights_T > 0)
    return int(trained[0]) if trained.size else 0
