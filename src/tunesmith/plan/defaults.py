"""What a recipe leaves open, decided from the data, the model and the hardware.

Every decision comes with its reason; the run's recipe.yaml holds the outcome. The rules of
thumb are those that published recipes agree on: a low-rank adapter stands, and needs, about
ten times the learning rate of full fine-tuning, smaller models stand higher rates, small
sets are seen several times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tunesmith.errors import RecipeError
from tunesmith.recipe import Recipe
from tunesmith.recipe.options import consumed_by

LONGEST_ROW = 8192
EVALUATIONS = 10
MOST_EPOCHS_OF_PAIRS = 3.0
SHARE_FOR_PAIRS = 0.1
"""Of sft's learning rate: published DPO recipes lie at a tenth of it or below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the decisions are made from."""

    parameters: int
    """Weights of the base model."""
    rows: int
    """Training rows of one epoch, after weighting the sources."""
    precision: str
    precision_reason: str
    tokens_per_forest: int
    tokens_per_forest_reason: str
    recompute_layers: int
    recompute_reason: str
    activation_offloading: bool
    offloading_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A key that the recipe left open, its value, and why."""

    key: str
    value: str
    reason: str

    def __str__(self) -> str:
        """`train.epochs = 3.0: 2,000 rows with adapter lora`."""
        return f"{self.key} = {self.value}: {self.reason}"


def longest_row(requested: int | None, context: int | None) -> tuple[int, str]:
    """The longest row in tokens, and the reason.

    Raises:
        RecipeError: more is requested than the model was made for.
    """
    if requested is not None and context is not None and requested > context:
        raise RecipeError(
            f"data.max_length is {requested}, but the base's context is {context} tokens",
            hint=f"use data.max_length: {context} or less",
        )
    if requested is not None:
        return requested, "given"
    if context is None:
        return 2048, "the model states no context length"
    if context > LONGEST_ROW:
        return LONGEST_ROW, f"the model's context is {context}; longer rows need max_length"
    return context, "the model's context length"


def decide(recipe: Recipe, facts: Facts) -> tuple[Recipe, tuple[Decision, ...]]:
    """Fill in what is open in `train` and `base`; the recipe and the decisions."""
    train = recipe.train
    pairs = consumed_by(recipe.method.name) == "preferences"
    rows_per_step = train.rows_per_step or _rows_per_step(facts.rows)
    decided: list[tuple[str, object, str]] = []
    if train.rows_per_step is None:
        decided.append(("rows_per_step", rows_per_step, f"{facts.rows:,} training rows"))
    epochs = train.epochs
    if train.epochs is None and train.steps is None:
        epochs, why = _epochs(facts.rows, recipe.adapter.name), ""
        if pairs and epochs > MOST_EPOCHS_OF_PAIRS:
            epochs, why = MOST_EPOCHS_OF_PAIRS, "; pairs are soon learned by heart"
        decided.append(
            ("epochs", epochs, f"{facts.rows:,} rows with adapter {recipe.adapter.name}{why}")
        )
    if train.learning_rate is None:
        rate = _learning_rate(facts.parameters, recipe.adapter.name)
        why = f"{recipe.adapter.name} on {_size(facts.parameters)} parameters"
        if pairs:
            rate = float(f"{rate * SHARE_FOR_PAIRS:.3g}")
            why += ", a tenth of what sft takes: pairs can drive a model far from its base"
        decided.append(("learning_rate", rate, why))
    steps = train.steps or max(1, math.ceil(facts.rows / rows_per_step * (epochs or 1.0)))
    every = max(1, math.ceil(steps / EVALUATIONS))
    if train.eval_every is None:
        decided.append(("eval_every", every, f"about {EVALUATIONS} times in {steps:,} steps"))
    if train.save_every is None:
        decided.append(("save_every", train.eval_every or every, "as often as it is measured"))
    if train.tokens_per_forest is None:
        reason = facts.tokens_per_forest_reason
        decided.append(("tokens_per_forest", facts.tokens_per_forest, reason))
    if train.recompute_layers is None:
        decided.append(("recompute_layers", facts.recompute_layers, facts.recompute_reason))
    if train.activation_offloading is None:
        moved = facts.activation_offloading
        decided.append(("activation_offloading", moved, facts.offloading_reason))
    base = recipe.base
    decisions = [Decision(key=f"train.{k}", value=f"{v}", reason=why) for k, v, why in decided]
    if base.precision == "auto":
        base = base.model_copy(update={"precision": facts.precision})
        decisions.append(
            Decision(key="base.precision", value=facts.precision, reason=facts.precision_reason)
        )
    filled = train.model_copy(update={key: value for key, value, _ in decided})
    return recipe.model_copy(update={"train": filled, "base": base}), tuple(decisions)


def _rows_per_step(rows: int) -> int:
    for limit, size in ((500, 4), (4_000, 8), (20_000, 16), (100_000, 32)):
        if rows < limit:
            return size
    return 64


def _epochs(rows: int, adapter: str) -> float:
    for limit, epochs in ((200, 8.0), (1_000, 5.0), (5_000, 3.0), (50_000, 2.0)):
        if rows < limit:
            return epochs if adapter != "full" else max(1.0, epochs - 1.0)
    return 1.0


def _learning_rate(parameters: int, adapter: str) -> float:
    table = (
        (20e6, 3e-3, 5e-4),
        (100e6, 1e-3, 1e-4),
        (1e9, 4e-4, 4e-5),
        (15e9, 2e-4, 2e-5),
        (math.inf, 1e-4, 1e-5),
    )
    for limit, low_rank, full in table:
        if parameters < limit:
            return full if adapter == "full" else low_rank
    raise AssertionError("the table ends at infinity")


def _size(parameters: int) -> str:
    for unit, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if parameters >= unit:
            return f"{parameters / unit:.3g}{letter}"
    return str(parameters)
