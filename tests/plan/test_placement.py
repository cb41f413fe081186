"""How a model lies on several processes follows from what fits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.tiny_run import Shape, write_base

from tunesmith.base import BaseFolder, locate_base
from tunesmith.contracts import Hardware
from tunesmith.errors import RecipeError, ResourceError
from tunesmith.plan.memory import plan_memory
from tunesmith.plan.placement import plan_placement, share_of
from tunesmith.ranks import Ranks, Spread
from tunesmith.recipe import Base, Data, PluginChoice, Recipe, Source, Train

GIB = 2**30


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseFolder:
    folder = tmp_path_factory.mktemp("base")
    write_base(folder, Shape())
    return locate_base(str(folder))


def recipe(**settings: object) -> Recipe:
    quantize = settings.pop("quantize", "none")
    assert quantize in ("none", "nf4", "fp8")
    return Recipe(
        base=Base(path="base", quantize=quantize),
        data=Data(sources=(Source(path="rows.jsonl"),)),
        adapter=PluginChoice.model_validate({"name": "lora", "rank": 8}),
        train=Train.model_validate(settings),
    )


def hardware(memory: int) -> Hardware:
    return Hardware(
        device="cpu",
        name="",
        memory_bytes=memory,
        main_memory_bytes=memory,
        threads=1,
        fast_bf16=False,
    )


def spread(asked: Recipe, base: BaseFolder, memory: int) -> Spread:
    return plan_placement(
        asked, base, hardware(memory), precision="fp32", longest_row=64, processes=4
    )[0]


def large(base: BaseFolder) -> BaseFolder:
    """The same shape with weights that fill a device."""
    return replace(base, parameters=10**9)


def test_what_fits_lies_whole(base: BaseFolder) -> None:
    assert spread(recipe(), base, 8 * GIB) == "ddp"
    assert spread(recipe(placement="fsdp"), base, 8 * GIB) == "fsdp"


def test_what_does_not_fit_lies_in_parts(base: BaseFolder) -> None:
    with pytest.raises(ResourceError):
        plan_memory(recipe(), large(base), hardware(4 * GIB), precision="fp32", longest_row=64)
    assert spread(recipe(), large(base), 4 * GIB) == "fsdp"
    with pytest.raises(ResourceError):
        spread(recipe(placement="ddp"), large(base), 4 * GIB)
    with pytest.raises(ResourceError):
        spread(recipe(), large(base), GIB)


@pytest.mark.parametrize(
    "key", [{"quantize": "nf4"}, {"quantize": "fp8"}, {"optimizer": "adamw8bit"}]
)
def test_what_cannot_be_divided_is_refused(base: BaseFolder, key: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match="does not go with"):
        spread(recipe(placement="fsdp", **key), base, 8 * GIB)
    assert spread(recipe(**key), base, 8 * GIB) == "ddp"


def test_weights_are_counted_as_they_are_kept(base: BaseFolder) -> None:
    """The embedding, which this base shares with its head, keeps its precision."""
    found = {}
    for quantize in ("none", "fp8", "nf4"):
        asked = recipe(quantize=quantize)
        plan = plan_memory(asked, base, hardware(8 * GIB), precision="bf16", longest_row=64)
        found[quantize] = plan.weights
    ends = 258 * 64
    inner = base.parameters - ends
    assert found["none"] == 2 * base.parameters
    assert found["fp8"] == pytest.approx(2 * ends + inner, rel=0.02)
    assert found["nf4"] == pytest.approx(2 * ends + 0.56 * inner, rel=0.01)


def test_states_are_counted_as_they_are_kept(base: BaseFolder) -> None:
    gpu = replace(hardware(8 * GIB), device="cuda")
    found = {}
    for name in ("adamw", "adamw8bit", "paged_adamw", "paged_adamw8bit"):
        plan = plan_memory(recipe(optimizer=name), base, gpu, precision="fp32", longest_row=64)
        found[name] = plan.trained
    count = found["adamw"] // 16
    assert found == {
        "adamw": 16 * count,
        "adamw8bit": 10 * count,
        "paged_adamw": 8 * count,
        "paged_adamw8bit": 8 * count,
    }


def test_pages_need_a_gpu(base: BaseFolder) -> None:
    for name in ("paged_adamw", "paged_adamw8bit"):
        with pytest.raises(RecipeError, match=f"{name} pages its state"):
            plan_memory(
                recipe(optimizer=name), base, hardware(GIB), precision="fp32", longest_row=64
            )


def test_single_is_one_process(base: BaseFolder) -> None:
    with pytest.raises(RecipeError, match="placement is single"):
        spread(recipe(placement="single"), base, 8 * GIB)


def test_processes_of_a_machine_divide_its_memory() -> None:
    ranks = Ranks(rank=1, count=4, local_rank=1, local_count=2)
    assert share_of(hardware(8 * GIB), ranks).memory_bytes == 4 * GIB


def test_a_process_is_named_for_people() -> None:
    assert str(Ranks(rank=1, count=4)) == "process 2 of 4"
