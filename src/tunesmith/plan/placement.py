"""How a model lies on the processes of a run: whole on each where it fits, else in parts."""

from __future__ import annotations

from dataclasses import replace

from tunesmith.base import BaseFolder
from tunesmith.contracts import Hardware
from tunesmith.errors import RecipeError, ResourceError
from tunesmith.plan.memory import MemoryPlan, Processes, plan_memory
from tunesmith.ranks import Ranks, Spread
from tunesmith.recipe import Recipe


def share_of(hardware: Hardware, ranks: Ranks) -> Hardware:
    """What one process may take: those of one machine divide its main memory."""
    main = hardware.main_memory_bytes // ranks.local_count
    if hardware.device != "cpu":
        return replace(hardware, main_memory_bytes=main)
    memory = hardware.memory_bytes // ranks.local_count
    return replace(hardware, memory_bytes=memory, main_memory_bytes=main)


def plan_placement(
    recipe: Recipe,
    base: BaseFolder,
    hardware: Hardware,
    *,
    precision: str,
    longest_row: int,
    processes: int,
) -> tuple[Spread, MemoryPlan]:
    """How the model lies on several processes, and what each of them needs.

    Args:
        recipe: as for `plan_memory`; its `train.placement` counts.
        base: the base.
        hardware: what one process has.
        precision: fp32 or bf16.
        longest_row: tokens of the longest row.
        processes: how many there are.

    Raises:
        RecipeError: what is asked for cannot lie in parts.
        ResourceError: not even in parts does it fit.
    """
    asked = recipe.train.placement
    if asked == "single":
        raise RecipeError(
            "train.placement is single, but torchrun has started several processes",
            hint="leave it out, or start tunesmith without torchrun",
        )
    if asked != "fsdp":
        try:
            plan = plan_memory(
                recipe,
                base,
                hardware,
                precision=precision,
                longest_row=longest_row,
                processes=Processes(count=processes),
            )
        except ResourceError:
            if asked == "ddp" or _whole_only(recipe) is not None:
                raise
        else:
            return "ddp", plan
    reason = _whole_only(recipe)
    if reason is not None:
        raise RecipeError(
            f"train.placement fsdp does not go with {reason}",
            hint="use train.placement: ddp, or leave it out",
        )
    plan = plan_memory(
        recipe,
        base,
        hardware,
        precision=precision,
        longest_row=longest_row,
        processes=Processes(count=processes, parts=True),
    )
    return "fsdp", plan


def _whole_only(recipe: Recipe) -> str | None:
    """What keeps the model from being divided; None where nothing does."""
    if recipe.base.quantize != "none":
        return f"base.quantize {recipe.base.quantize}: packed weights cannot be divided"
    if recipe.train.optimizer != "adamw":
        return f"train.optimizer {recipe.train.optimizer}: its blocks cannot be divided"
    return None
