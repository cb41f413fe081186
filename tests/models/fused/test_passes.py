"""The passes between products: compiled, they give the same for any number of tokens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.models.fused.test_rotary import waves
from tunesmith.models import compiled
from tunesmith.models.fused import passes

Call = tuple[Callable[..., object], tuple[object, ...]]


def calls(tokens: int, dtype: torch.dtype) -> list[Call]:
    """Every pass, as the halves call it."""
    torch.manual_seed(tokens)

    def states(*shape: int) -> Tensor:
        return torch.randn(tokens, *shape).to(dtype)

    weight_D, weight_W = torch.rand(10).to(dtype), torch.rand(8).to(dtype)
    turns = tuple(one.to(dtype) for one in waves(tokens, 4))
    constants = (1e-5, 1.0)
    return [
        (passes.normed, (states(10), weight_D, 1e-5, 0.0, dtype)),
        (passes.normed_slope, (states(10), states(10), weight_D, constants, states(10))),
        (passes.normed_slope, (states(10), states(10), weight_D, constants, None)),
        (passes.normed_weight_slope, (states(3, 8), states(3, 8), 1e-5)),
        (passes.turned, (states(3, 8), None, (0.0, 0.0), turns)),
        (passes.turned, (states(3, 8), weight_W, constants, turns)),
        (passes.turned_slope, (states(3, 8), states(3, 8), weight_W, constants, turns)),
        (passes.turned_slope, (states(3, 8), None, None, (0.0, 0.0), turns)),
        (passes.gated, (states(12), states(12), "silu")),
        (passes.gated_slope, (states(12), states(12), states(12), "silu")),
        (passes.gated_slope, (states(12), states(12), states(12), "gelu_tanh")),
    ]


def by(backend: str) -> Callable[[Callable[..., object], tuple[object, ...]], object]:
    """Calls a pass as on a GPU, but by another compiler."""
    return lambda function, given: compiled._by_case(function, backend)(*given)


def as_list(made: object) -> list[Tensor]:
    found = list(made) if isinstance(made, tuple) else [made]
    assert all(isinstance(one, Tensor) for one in found)
    return found  # type: ignore[return-value]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_compiled_they_give_the_same(dtype: torch.dtype) -> None:
    torch._dynamo.reset()
    compiled._by_case.cache_clear()
    made = by("aot_eager")
    for tokens in (5, 6, 17):
        for function, given in calls(tokens, dtype):
            found, wanted = as_list(made(function, given)), as_list(function(*given))
            for one, other in zip(found, wanted, strict=True):
                assert one.dtype == other.dtype and one.shape == other.shape
                torch.testing.assert_close(one, other)


def test_another_number_of_tokens_is_not_compiled_again() -> None:
    torch._dynamo.reset()
    compiled._by_case.cache_clear()
    torch._dynamo.utils.counters.clear()
    made = by("eager")
    frames = []
    for tokens in (5, 6, 17, 128, 131):
        for function, given in calls(tokens, torch.bfloat16):
            made(function, given)
        frames.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
    assert frames[0] == len(calls(2, torch.bfloat16))
    assert frames[1:] == frames[:1] * 4
    assert not torch._dynamo.utils.counters["graph_break"]
