"""The rows that a run is measured on: drawn from what `prepare` left in the run's `data/`.

A row's place in the draw is decided by its content and the seed alone, so that new rows in
the file move few of the old ones.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

from tunesmith.contracts import Example
from tunesmith.data.examples import load_examples
from tunesmith.evaluate.contracts import Encoder, Material
from tunesmith.evaluate.retention import read_documents
from tunesmith.recipe import Recipe
from tunesmith.runs import Run

HELD_OUT_FILE = "heldout.examples.jsonl"
TRAIN_FILE = "train.examples.jsonl"


def gather(recipe: Recipe, run: Run, encoder: Encoder) -> Material:
    """What the evaluations of a run measure on.

    Raises:
        DataError: a file is damaged, or `evaluate.retention` cannot be read.
    """
    rows, seed = recipe.evaluate.max_rows, recipe.seed
    return Material(
        held_out=draw(_examples(run.path("data", HELD_OUT_FILE)), rows, seed),
        train=draw(_examples(run.path("data", TRAIN_FILE)), rows, seed),
        documents=read_documents(recipe.evaluate.retention, seed),
        encoder=encoder,
        seed=seed,
        method=recipe.method,
    )


def draw(examples: Iterable[Example], rows: int, seed: int) -> tuple[Example, ...]:
    """At most `rows` examples in an order that looks random; only these stay in memory."""
    keyed = ((_key(example, seed), index, example) for index, example in enumerate(examples))
    chosen = heapq.nsmallest(rows, keyed, key=lambda entry: entry[:2])
    return tuple(example for _, _, example in chosen)


def _examples(path: Path) -> Iterable[Example]:
    return load_examples(path) if path.exists() and path.stat().st_size else ()


def _key(example: Example, seed: int) -> bytes:
    return blake2b(f"{seed}:{example.digest}".encode(), digest_size=16).digest()
