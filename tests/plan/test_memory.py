"""What is done about too little memory, and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.plan.test_placement import GIB, hardware, recipe
from tests.tiny_run import Shape, write_base

from tunesmith.base import BaseFolder, locate_base
from tunesmith.contracts import Hardware
from tunesmith.errors import RecipeError, ResourceError
from tunesmith.models.output.reading import CHUNK_BYTES
from tunesmith.plan.memory import _HEAD_CHUNK, MemoryPlan, Processes, plan_memory
from tunesmith.plan.placement import share_of
from tunesmith.ranks import Ranks

LLAMA = {
    "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
    "num_hidden_layers": 32, "intermediate_size": 14336,
}  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseFolder:
    """The files of a tiny model, said to be one of 8 billion weights."""
    folder = tmp_path_factory.mktemp("base")
    write_base(folder, Shape())
    found = locate_base(str(folder))
    return replace(found, config=LLAMA, parameters=8_030_000_000, vocabulary=128_256)


def gpu(memory: float, main: float = 1024) -> Hardware:
    return replace(
        hardware(round(memory * GIB)), device="cuda", main_memory_bytes=round(main * GIB)
    )


def planned(
    base: BaseFolder, machine: Hardware, longest: int = 512, **settings: object
) -> MemoryPlan:
    return plan_memory(recipe(**settings), base, machine, precision="bf16", longest_row=longest)


def test_the_means_in_their_order(base: BaseFolder) -> None:
    """From much memory to little: nothing, some layers, all, their inputs, smaller forests."""
    plans = [planned(base, gpu(memory / 2), 65_536) for memory in range(800, 80, -1)]
    found = [
        (plan.recompute_layers, plan.activation_offloading, plan.tokens_per_forest)
        for plan in plans
    ]
    layers = [one for one, _, _ in found]
    assert layers[0] == 0 and layers[-1] == 32 and layers == sorted(layers)
    assert set(layers) == set(range(33)) - {1}, "as few as will do; one alone saves nothing"
    moved = [one for _, one, _ in found]
    assert moved == sorted(moved) and moved[-1]
    assert all(one == 32 for one, offloaded, _ in found if offloaded)
    assert any(one == 32 and not offloaded for one, offloaded, _ in found)
    assert {tokens for *_, tokens in found} == {65_536}, "never below the longest row"


def test_main_memory_must_have_room(base: BaseFolder) -> None:
    much, little = (planned(base, gpu(96, main), 131_072) for main in (256, 64))
    assert much.activation_offloading and not little.activation_offloading
    assert "131,072 tokens do not fit" in much.offloading_reason
    assert "main memory has no more room" in little.offloading_reason
    assert much.activations < 0.8 * little.activations
    assert much.away == 2 * 31 * 4096 * 2 * 131_072
    assert dict(much.parts())["in main memory: inputs of layers"] == much.away
    assert all("main memory" not in name for name, _ in little.parts())


def test_room_in_main_memory_limits_forests(base: BaseFolder) -> None:
    """Where the inputs of the wanted forest are too many, as many as there is room for."""
    asked = {"activation_offloading": True}
    plan = planned(base, gpu(80, main=8), **asked)
    assert plan.tokens_per_forest == 4 * GIB // (2 * 31 * 4096 * 2)
    assert plan.away <= 4 * GIB
    assert planned(base, gpu(80, main=512), **asked).tokens_per_forest == 32_768


def test_smaller_forests_come_last(base: BaseFolder) -> None:
    plan = planned(base, gpu(20.5))
    assert (plan.recompute_layers, plan.activation_offloading) == (32, True)
    assert 512 <= plan.tokens_per_forest < 4096


def test_what_the_recipe_says(base: BaseFolder) -> None:
    machine = gpu(139)
    plan = planned(base, machine, activation_offloading=True)
    assert plan.recompute_layers == 32
    assert "main memory" in plan.recompute_reason
    assert plan.offloading_reason == "given"
    plan = planned(base, machine, activation_offloading=True, recompute_layers=5)
    assert (plan.recompute_layers, plan.activation_offloading) == (5, True)
    assert not planned(base, gpu(96), 131_072, activation_offloading=False).activation_offloading
    with pytest.raises(RecipeError, match="recompute_layers is 0") as caught:
        planned(base, machine, activation_offloading=True, recompute_layers=0)
    assert "leave one of the two out" in caught.value.hint


def test_a_cpu_has_no_other_memory(base: BaseFolder) -> None:
    machine = hardware(100 * GIB)
    plan = plan_memory(recipe(), base, machine, precision="bf16", longest_row=65_536)
    assert plan.recompute_layers == 32 and not plan.activation_offloading
    assert "lies in main memory" in plan.offloading_reason


def test_several_processes_are_planned_for_layers_that_are_not_fused(base: BaseFolder) -> None:
    """They cannot halve their forests where a layer proves to be another."""
    machine = gpu(139)
    alone, several = (
        plan_memory(
            recipe(),
            base,
            machine,
            precision="bf16",
            longest_row=512,
            processes=Processes(count=count),
        )
        for count in (1, 8)
    )
    assert several.tokens_per_forest < alone.tokens_per_forest / 2


def test_other_structures_keep_more(base: BaseFolder) -> None:
    other = replace(base, layer_weights=base.layer_weights | {"mlp.router.weight"})
    assert planned(other, gpu(80)).tokens_per_forest < planned(base, gpu(80)).tokens_per_forest


def test_not_even_the_longest_row_fits(base: BaseFolder) -> None:
    with pytest.raises(ResourceError, match="are free"):
        planned(base, gpu(20), 131_072)


def test_processes_of_a_machine_divide_its_main_memory() -> None:
    ranks = Ranks(rank=1, count=16, local_rank=1, local_count=8)
    share = share_of(gpu(80, main=1024), ranks)
    assert (share.memory_bytes, share.main_memory_bytes) == (80 * GIB, 128 * GIB)


def test_the_head_counts_a_chunk_and_its_gradient() -> None:
    for device, chunk in CHUNK_BYTES.items():
        assert 1.9 * chunk <= _HEAD_CHUNK[device] <= 2.1 * chunk
