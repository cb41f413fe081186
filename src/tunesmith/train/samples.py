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
) -> Callable[[Callable[[], bool]], list[JsonObject]]:
    """A function that answers the prompts of a few rows, always the same ones, greedily.

    Its argument says whether to give up; it is asked before each answer.
    """
    asked = [row for row in rows if 0 < _prompt_length(row) <= LONGEST_PROMPT]
    order = np.random.default_rng([seed, COUNT]).permutation(len(asked))[:COUNT]
    chosen = [asked[int(index)] for index in order]

    def answer(stopping: Callable[[], bool]) -> list[JsonObject]:
        with without_dropout(model):
            return [_sample(model, row, speech) for row in chosen if not stopping()]

    return answer


def _sample(model: nn.Module, row: TokenRow, speech: Speech) -> JsonObject:
    start = _prompt_length(row)
    trained = np.flatnonzero(row.weights_T[start:] == 0)
    end = start + int(trained[0]) if trained.size else row.ids_T.size
    prompt = [int(token) for token in row.ids_T[:start]]
    (answer,) = generate(model, [prompt], stop_ids=speech.stop_ids, max_new_tokens=LONGEST_ANSWER)
    decode = speech.tokenizer.decode
    return {
        "place": str(row.place),
        "prompt": decode(prompt),
        "answer": decode(answer),
        "reference": decode([int(token) for token in row.ids_T[start:end]]),
    }


def _prompt_length(row: TokenRow) -> int:
    """Tokens before the first trained one; the first token is never trained."""
    trained = np.flatnonzero(row.weights_T > 0)
    return int(trained[0]) if trained.size else 0
