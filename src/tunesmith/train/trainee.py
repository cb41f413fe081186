"""The model as it is trained: the base with its adapter, able to take forests, laid out.

load -> attach the adapter -> prove and fuse -> compute layers again -> divide over processes
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from torch import nn

from tunesmith import plugins
from tunesmith.base import BaseFolder
from tunesmith.contracts import ROWS_PER_EXAMPLE, Adapter, Config, Method
from tunesmith.errors import ModelError
from tunesmith.hardware import choose_precision, detect
from tunesmith.models.attention import ForestSupport, enable_forest
from tunesmith.models.load import load_model
from tunesmith.models.offload import Offload
from tunesmith.models.recompute import recompute_layers
from tunesmith.ranks import Spread
from tunesmith.recipe import PluginChoice, Recipe
from tunesmith.train.distribute import Placement, place
from tunesmith.train.objective import seed_all, without_dropout
from tunesmith.train.processes import Group

_ADAPTER_SEED = 3
"""Keeps the adapter's first weights apart from other uses of the seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainee:
    """The model in its trainable form."""

    model: nn.Module
    adapter: Adapter
    placement: Placement
    support: ForestSupport


def load_trainee(recipe: Recipe, base: BaseFolder, group: Group, spread: Spread) -> Trainee:
    """The model, ready for its first step.

    Args:
        recipe: resolved.
        base: where the weights are.
        group: the processes that train together.
        spread: how the model lies on them.

    Raises:
        ModelError: the model cannot be loaded, or cannot lie on the processes like this.
    """
    device = detect(recipe.train.device).device
    # What is divided comes through main memory: no device has room for all of it.
    model, adapter = attached(recipe, base, "cpu" if spread == "fsdp" else device)
    again = recipe.train.recompute_layers or 0
    offload = Offload() if recipe.train.activation_offloading else None
    fuse = recipe.train.fused_layers
    if spread == "fsdp" and device != "cpu":  # it runs only when it has reached the device
        recompute_layers(model, again, offload)
        placement = place(model, spread, group, device)
        support = _proved(model, placement, fuse=fuse)
    else:  # what stands in for a layer comes before the layers are divided
        support = _proved(model, Placement(), fuse=fuse)
        recompute_layers(model, again, offload)
        placement = place(model, spread, group, device)
    method = cast(Method, plugins.load("methods", recipe.method.name))
    straddling = support.border is not None and ROWS_PER_EXAMPLE[method.CONSUMES] > 1
    if spread == "fsdp" and (straddling or not support.supported):
        raise ModelError(
            f"this model cannot lie in parts ({support.reason}): the processes would have to "
            "run it different numbers of times",
            hint="use train.placement: ddp",
        )
    return Trainee(model=model, adapter=adapter, placement=placement, support=support)


def attached(recipe: Recipe, base: BaseFolder, device: str) -> tuple[nn.Module, Adapter]:
    """The base with its adapter, as it is before the first step."""
    hardware = detect(recipe.train.device)
    precision, _ = choose_precision(recipe.base.precision, hardware, base.parameters)
    model = load_model(
        base,
        device=device,
        dtype=precision,
        quantize=recipe.base.quantize,
        adapter=None if recipe.base.adapter is None else Path(recipe.base.adapter),
    )
    adapter = cast(Adapter, plugins.load("adapters", recipe.adapter.name))
    seed_all(recipe.seed, _ADAPTER_SEED)
    return adapter.attach(model, options_of(adapter.Config, recipe.adapter)), adapter


def options_of(kind: type[Config], choice: PluginChoice) -> Config:
    """The options of a plugin, as its own record."""
    return kind.model_validate_json(json.dumps(choice.options))


def _proved(model: nn.Module, placement: Placement, *, fuse: bool) -> ForestSupport:
    with without_dropout(model):  # which would make any proof fail
        support = placement.compute(lambda: enable_forest(model, fuse=fuse))
    placement.settle()
    return support
