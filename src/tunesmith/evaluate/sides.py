"""The two models that are compared, in memory one after the other.

With an adapter there is one model, and the base is the same model with the adapter switched
off. Where all weights were trained, or the run went on from an adapter, the base is loaded
first, measured and let go.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from tunesmith.base import BaseFolder
from tunesmith.evaluate.contracts import PassageScore
from tunesmith.evaluate.subject import Asking, ModelSubject
from tunesmith.hardware import choose_precision, detect
from tunesmith.models.attention import enable_forest
from tunesmith.models.load import adapter_switched_off, load_model, load_tuned
from tunesmith.recipe import Recipe

BASE = "base"
TUNED = "tuned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Where the two models of a run are."""

    recipe: Recipe
    base: BaseFolder
    tuned: Path


def sides(models: Models, asking: Asking) -> Iterator[ModelSubject]:
    """The base and then the tuned model; each is gone when the next is asked for.

    Raises:
        ModelError: one of them cannot be loaded.
        ResourceError: memory does not suffice.
    """
    adapted = (models.tuned / "adapter_config.json").exists()
    if adapted and models.recipe.base.adapter is None:
        model = _load(models, tuned=True)
        support = enable_forest(model)
        base = ModelSubject(model, support, BASE, asking)
        with adapter_switched_off(model):
            yield base
        yield ModelSubject(model, support, TUNED, asking, base.scores)
        return
    before: Mapping[str, Sequence[PassageScore]] | None = None
    for side in (BASE, TUNED):
        model = _load(models, tuned=side == TUNED)
        subject = ModelSubject(model, enable_forest(model), side, asking, before)
        yield subject
        before = subject.scores
        del model, subject
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def load_base(recipe: Recipe, base: BaseFolder) -> nn.Module:
    """The model that training starts from.

    Raises:
        ModelError: it cannot be loaded.
        ResourceError: memory does not suffice.
    """
    hardware = detect(recipe.train.device)
    precision, _ = choose_precision(recipe.base.precision, hardware, base.parameters)
    return load_model(
        base,
        device=hardware.device,
        dtype=precision,
        quantize=recipe.base.quantize,
        adapter=None if recipe.base.adapter is None else Path(recipe.base.adapter),
    )


def _load(models: Models, *, tuned: bool) -> nn.Module:
    recipe = models.recipe
    if not tuned:
        return load_base(recipe, models.base)
    hardware = detect(recipe.train.device)
    precision, _ = choose_precision(recipe.base.precision, hardware, models.base.parameters)
    return load_tuned(
        models.tuned,
        models.base,
        device=hardware.device,
        dtype=precision,
        quantize=recipe.base.quantize,
    )
