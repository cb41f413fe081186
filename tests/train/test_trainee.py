"""The model as it is trained: what the recipe says of its memory is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import torch

from tunesmith.models.offload import PlainCarrier
from tunesmith.runs import Run
from tunesmith.train import metrics

if TYPE_CHECKING:
    from tests.train.conftest import Workshop


@pytest.mark.parametrize("adapter", ["lora", "full"])
def test_inputs_of_layers_that_wait_in_main_memory_change_no_bit(
    workshop: Workshop,
    digest_of: Callable[[Run], str],
    monkeypatch: pytest.MonkeyPatch,
    adapter: str,
) -> None:
    copies = 0
    copy = PlainCarrier.carry

    def counted(self: PlainCarrier, source: torch.Tensor, target: torch.Tensor) -> object:
        nonlocal copies
        copies += 1
        return copy(self, source, target)

    monkeypatch.setattr(PlainCarrier, "carry", counted)
    losses, digests = [], []
    for offloading in (False, True):
        run = workshop.new_run(f"offloading-{adapter}-{offloading}")
        recipe = workshop.recipe(
            adapter=adapter, recompute_layers=2, activation_offloading=offloading, steps=6
        )
        workshop.train(run, recipe)
        losses.append([record.loss for record in metrics.read(run.path("metrics.jsonl"))])
        digests.append(digest_of(run))
        assert (copies > 0) == offloading
    assert losses[0] == losses[1]
    assert digests[0] == digests[1]
    assert copies % 2 == 0, "all that left came back"


@pytest.mark.parametrize("fused", [True, False])
def test_layers_are_fused_unless_the_recipe_forbids_it(workshop: Workshop, fused: bool) -> None:
    run = workshop.new_run(f"fused-{fused}")
    record = workshop.train(run, workshop.recipe(fused_layers=fused, steps=2))
    assert ("layers fused" in record.forest) == fused
