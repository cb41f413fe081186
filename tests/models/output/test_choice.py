"""The choice of a head by measuring, with a clock and memory that the test sets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from tests.models.tiny import CONFIGS, tiny_model
from tunesmith import plugins
from tunesmith.models.output import choice as choice_module
from tunesmith.models.output.choice import ROOM, choose_way
from tunesmith.models.output.logprobs import way_called
from tunesmith.plan import memory

MIB = 2**20
WAYS = plugins.names("heads")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Callable[..., choice_module.Choice]:
    """`choose_way` with milliseconds and peak bytes by way; the others cannot take the head."""

    def choose(
        figures: dict[str, tuple[float, int] | Exception],
        model: nn.Module | None = None,
        *,
        repeatable: bool = False,
    ) -> choice_module.Choice:
        run: list[str] = []

        def why_not(model: nn.Module, name: str, hidden_ND: Tensor) -> str:
            return "" if name in figures else "it is not installed"

        def stopwatch(work: Callable[[], object]) -> tuple[float, int]:
            work()
            found = figures[run.pop()]
            if isinstance(found, Exception):
                raise found
            return found

        for name in WAYS:

            def noted(*given: Tensor, name: str = name) -> Tensor:
                run.append(name)
                return given[1].float().sum(dim=1) + given[0].reading.weight_VD.sum()

            monkeypatch.setattr(way_called(name), "logprobs", noted)
        monkeypatch.setattr(choice_module, "why_not", why_not)
        model = model or tiny_model(CONFIGS["llama"])
        return choose_way(model, 40, repeatable=repeatable, stopwatch=stopwatch)

    return choose


@pytest.mark.parametrize(
    ("figures", "way"),
    [
        ({"general": (9.0, MIB), "chunked": (5.0, MIB)}, "chunked"),
        ({"general": (4.0, MIB), "chunked": (5.0, MIB)}, "general"),
        ({"general": (9.0, MIB), "chunked": (5.0, MIB), "liger": (4.5, MIB)}, "liger"),
        ({"general": (9.0, MIB), "chunked": (5.0, MIB), "liger": (4.9, MIB)}, "chunked"),
        ({"chunked": (5.0, MIB), "liger": (2.0, ROOM + 1)}, "chunked"),
        ({"chunked": (5.0, 3 * ROOM), "liger": (2.0, 3 * ROOM)}, "liger"),
        ({"general": (9.0, MIB), "chunked": RuntimeError("no compiler\nfound")}, "general"),
        ({"general": torch.OutOfMemoryError("CUDA out of memory")}, "general"),
    ],
)
def test_the_fastest_that_there_is_room_for(
    figures: dict[str, tuple[float, int] | Exception],
    way: str,
    measured: Callable[..., choice_module.Choice],
) -> None:
    found = measured(figures)
    assert found.way == way
    assert {timing.way for timing in found.timings} == set(WAYS)
    assert {timing.way for timing in found.timings if timing.ran} == {
        name for name, one in figures.items() if isinstance(one, tuple)
    }
    assert all(timing.why_not for timing in found.timings if not timing.ran)


def test_bits_that_differ_do_not_count_where_the_same_are_asked_for(
    measured: Callable[..., choice_module.Choice],
) -> None:
    figures = {"chunked": (5.0, MIB), "cut_cross_entropy": (1.0, MIB)}
    assert measured(figures).way == "cut_cross_entropy"
    found = measured(figures, repeatable=True)
    assert found.way == "chunked"
    assert any("same bits" in timing.why_not for timing in found.timings)


def test_an_adapted_head_is_not_measured(measured: Callable[..., choice_module.Choice]) -> None:
    model = tiny_model(CONFIGS["llama"])
    model.lm_head.register_forward_hook(lambda *given: None)
    found = measured({"general": (1.0, MIB)}, model)
    assert (found.way, len(found.timings)) == ("general", 1)
    assert str(found) == "output head: general"


@pytest.mark.parametrize("trained", [False, True])
def test_the_real_ways_run_and_leave_no_gradients(*, trained: bool) -> None:
    model = tiny_model(CONFIGS["llama"])
    model.lm_head.requires_grad_(trained)
    times = iter([3.0, 2.0, 1.0])

    def stopwatch(work: Callable[[], object]) -> tuple[float, int]:
        slopes = work()
        assert isinstance(slopes, tuple)
        assert len(slopes) == 1 + trained
        return next(times), 2 * MIB

    found = choose_way(model, 40, repeatable=True, stopwatch=stopwatch)
    assert [timing.way for timing in found.timings if timing.ran] == ["chunked", "general", "tiled"]
    assert found.way == "tiled"
    assert str(found) == (
        "output head: tiled (for 40 trained tokens: chunked 3.0 ms and 2 MiB; "
        "general 2.0 ms and 2 MiB; tiled 1.0 ms and 2 MiB)"
    )
    assert found.as_json()["tokens"] == 40
    assert all(weight.grad is None for weight in model.parameters())


def test_the_room_is_what_the_memory_plan_sets_aside() -> None:
    assert memory._HEAD_CHUNK["cuda"] == ROOM
