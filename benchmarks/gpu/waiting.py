"""Whether a step is launched without waiting for the device.

On CUDA, PyTorch tells of operations that wait; once a few steps have compiled what they compile,
changing the weights and launching the next step may have none, up to where its loss and norm are
read. On a CPU the meta device stands for it: it has no numbers, so whatever would wait for one
fails.

A line says where the host waited, and the seconds that it took to prepare a step, to launch it,
and then waited for loss and norm.
"""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from benchmarks.gpu.exact import CONFIGS, rows_of_a_tree
from benchmarks.gpu.part import Part, what_failed
from tunesmith.base import locate_base
from tunesmith.data.forest import Packing
from tunesmith.methods import sft
from tunesmith.models.adapters import full, lora
from tunesmith.models.attention import NAME, ForestSupport, enable_forest
from tunesmith.models.load import load_model
from tunesmith.models.score import forest_scores
from tunesmith.recipe.sections import Quantize, Train
from tunesmith.train.objective import Objective, PendingLoss
from tunesmith.train.optimizer import NamedOptimizer

WARM = 3
_SAID = "called a synchronizing CUDA operation"
"""The mode itself, when it is first set, warns that it is a prototype."""
LOOKS_FOR_PADDING = ("gpt2",)
"""Transformers reads their ids back in every forward, to warn of padding without a mask."""
CASES: tuple[tuple[str, Quantize], ...] = (
    ("lora", "none"), ("full", "none"), ("lora", "fp8"), ("lora", "nf4"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What the product's loop makes its steps of."""

    objective: Objective
    optimizer: NamedOptimizer

    def launch(self, step: int) -> tuple[PendingLoss, Tensor]:
        """Gradients of rows in several forests, clipped, and their norm."""
        loss = self.objective.backward(self.objective.prepare(step, rows_of_a_tree(4)))
        return loss, self.optimizer.clip(1.0)

    def step(self, step: int) -> None:
        """Until the weights are changed."""
        loss, norm = self.launch(step)
        loss.read_with(norm)
        self.optimizer.step(1e-4)


def waiting(part: Part, folder: Path) -> list[dict[str, Any]]:
    """A line for each way of training."""
    return list(on_cuda(folder) if part.device == "cuda" else without_numbers())


def on_cuda(folder: Path) -> Iterator[dict[str, Any]]:
    """By PyTorch's own account of what waits."""
    base = locate_base(str(folder))
    for adapter, kind in CASES:
        what = f"waiting {adapter}" + ("" if kind == "none" else f" {kind}")
        if kind == "nf4" and importlib.util.find_spec("bitsandbytes") is None:
            continue
        try:
            model = attached(load_model(base, device="cuda", dtype="bf16", quantize=kind), adapter)
            yield {"what": what, **waits_of(trained(model, enable_forest(model)))}
        except Exception as error:  # said beside the others
            yield {"what": what, "ok": False, "note": what_failed(error)}


def waits_of(task: Trained) -> dict[str, Any]:
    """Where the host waits in a step whose like has been before, and how long things take."""
    for step in range(WARM):
        task.step(step)
    loss, norm = task.launch(WARM)
    loss.read_with(norm)
    torch.cuda.synchronize()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            task.optimizer.step(1e-4)
            prepared = task.objective.prepare(WARM + 1, rows_of_a_tree(4))
            loss, norm = task.objective.backward(prepared), task.optimizer.clip(1.0)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    places = sorted({f"{one.filename}:{one.lineno}" for one in told if _SAID in str(one.message)})
    loss.read_with(norm)
    return {"ok": not places, "where": ", ".join(places), **seconds_of(task)}


def seconds_of(task: Trained) -> dict[str, float]:
    """How long the parts of a step take."""
    task.optimizer.step(1e-4)
    torch.cuda.synchronize()
    began = time.monotonic()
    prepared = task.objective.prepare(WARM + 2, rows_of_a_tree(4))
    ready = time.monotonic()
    loss, norm = task.objective.backward(prepared), task.optimizer.clip(1.0)
    launched = time.monotonic()
    loss.read_with(norm)
    return {
        "seconds to prepare": ready - began,
        "seconds to launch": launched - ready,
        "seconds waited": time.monotonic() - launched,
    }


def without_numbers() -> Iterator[dict[str, Any]]:
    """On the meta device, for every architecture; neither kernels nor copies are what CUDA has."""
    for name, config in CONFIGS.items():
        if name in LOOKS_FOR_PADDING:
            continue
        for adapter in ("lora", "full"):
            what = f"waiting {name} {adapter}"
            with torch.device("meta"):
                base = AutoModelForCausalLM.from_config(config)
                base.set_attn_implementation(NAME)
                task = trained(attached(base, adapter), ForestSupport(supported=True, reason=""))
            try:
                task.launch(1)
                yield {"what": what, "ok": True}
            except Exception as error:  # said beside the others
                yield {"what": what, "ok": False, "note": what_failed(error)}


def attached(base: nn.Module, adapter: str) -> nn.Module:
    """The base with what is trained."""
    if adapter == "full":
        return full.attach(base, full.Config())
    return lora.attach(base, lora.Config(rank=8))


def trained(model: nn.Module, support: ForestSupport) -> Trained:
    """With forests of which the rows of a step need three."""
    packing = Packing(tokens_per_forest=500, shortest_shared=4)
    weights = [(name, one) for name, one in model.named_parameters() if one.requires_grad]
    objective = Objective(
        model=model,
        scores=partial(forest_scores, model, support=support),
        method=sft,
        config=sft.Config(),
        packing=support.fit(packing),
        seed=0,
    )
    settings = Train.model_validate({"learning_rate": 1e-4})
    return Trained(objective=objective, optimizer=NamedOptimizer(weights, settings))
