"""What the base knows already: its loss on some of the rows, before anything is trained.

    512 rows, drawn with the seed   ->   {row digest: bits per byte of the trained text}

A row that the base finds easy has little to teach it, or was in its own training data.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from tunesmith.base import BaseFolder
from tunesmith.contracts import Example
from tunesmith.data.coding import Coding
from tunesmith.data.examples import rows_of
from tunesmith.data.read import files_of
from tunesmith.evaluate.budget import Budget
from tunesmith.evaluate.display import Display
from tunesmith.evaluate.encoder import RunEncoder
from tunesmith.evaluate.material import draw
from tunesmith.evaluate.sides import BASE, load_base
from tunesmith.evaluate.subject import Asking, ModelSubject
from tunesmith.models.attention import enable_forest
from tunesmith.recipe import Recipe

_TOKENS_PER_FOREST = 4096


def base_losses(recipe: Recipe, base: BaseFolder, coding: Coding) -> dict[str, float]:
    """Bits per byte under the base of up to `audit.base_losses` training rows.

    Raises:
        DataError: a file cannot be read.
        ModelError, ResourceError: the base cannot be loaded.
    """
    rows = draw(_usable(recipe), recipe.audit.base_losses, recipe.seed)
    encoder = RunEncoder(
        coding=coding,
        max_length=recipe.data.max_length or base.context,
        keeps_overlong=True,
        context=base.context,
        max_new_tokens=1,
    )
    passages = [(row.digest, encoder.passages(row)) for row in rows]
    first = [(digest, found[0]) for digest, found in passages if found and found[0].size]
    asking = Asking(
        tokenizer=coding.tokenizer,
        stop_ids=frozenset(),
        max_new_tokens=1,
        tokens_per_forest=recipe.train.tokens_per_forest or _TOKENS_PER_FOREST,
        budget=Budget(0.0),
        display=Display(),
    )
    model = load_base(recipe, base)
    subject = ModelSubject(model, enable_forest(model), BASE, asking)
    scores = subject.score("what it knows", [passage for _, passage in first])
    return {
        digest: score.nats / math.log(2) / passage.size
        for (digest, passage), score in zip(first, scores, strict=True)
    }


def _usable(recipe: Recipe) -> Iterator[Example]:
    for source in recipe.data.sources:
        for file, row in rows_of(files_of(source.path), source):
            example = file.usable(row)
            if example is not None:
                yield example
