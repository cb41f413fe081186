"""FlexAttention over forests, against attention by segment; its kernels need a GPU."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor
from torch._dynamo.exc import FailOnRecompileLimitHit

from tests.models.flexibly import flexible_attention, times_compiled
from tests.models.test_blocks import random_forest
from tunesmith.models.attention import layout_of
from tunesmith.models.flex import attend_flexibly
from tunesmith.models.segments import AttentionCall, Layout, attend_by_segment

CPU = torch.device("cpu")
CALL = AttentionCall(scale=0.3, dropout=0.0, window=None, cap=None)
WINDOWED = AttentionCall(scale=0.3, dropout=0.0, window=20, cap=None)
CAPPED = AttentionCall(scale=0.3, dropout=0.0, window=20, cap=2.0)


@pytest.fixture(scope="module", autouse=True)
def flexible() -> Iterator[None]:
    with flexible_attention():
        yield


def layout(seed: int, size: int, device: torch.device = CPU) -> Layout:
    positions, ends = random_forest(seed, size)
    return layout_of(positions, ends, device=device, flexible=True)


def states(made: Layout, *, heads: tuple[int, int] = (4, 2), by_token: bool = True) -> list[Tensor]:
    """Queries, keys and values, in memory by token or by head."""
    torch.manual_seed(0)
    size = made.depths_S.size
    found = []
    for count in (heads[0], heads[1], heads[1]):
        if by_token:
            one = torch.randn(size, count, 8, dtype=torch.float64, requires_grad=True)
            found.append(one.transpose(0, 1)[None])
        else:
            found.append(torch.randn(1, count, size, 8, dtype=torch.float64, requires_grad=True))
    return found


@pytest.mark.parametrize("call", [CALL, WINDOWED, CAPPED], ids=["all", "window", "cap"])
@pytest.mark.parametrize("heads", [(4, 2), (2, 2)])
@pytest.mark.parametrize("by_token", [True, False])
def test_it_gives_what_segments_give(
    call: AttentionCall, heads: tuple[int, int], by_token: bool
) -> None:
    made = layout(3, 400)
    given = states(made, heads=heads, by_token=by_token)
    found = attend_flexibly(given[0], given[1], given[2], made, call)
    expected = attend_by_segment(given[0], given[1], given[2], made, call)
    assert found.shape == (1, made.depths_S.size, heads[0], 8)
    assert found.is_contiguous()
    close = {"atol": 1e-6, "rtol": 1e-6} if call.cap is not None else {"atol": 1e-12, "rtol": 1e-12}
    torch.testing.assert_close(found, expected, **close)
    weight = torch.randn_like(found)
    ours = torch.autograd.grad((found * weight).sum(), given)
    theirs = torch.autograd.grad((expected * weight).sum(), given)
    for left, right in zip(ours, theirs, strict=True):
        torch.testing.assert_close(left, right, **close)


def test_a_layout_is_padded_and_the_tables_are_made_once_a_window() -> None:
    made = layout_of(np.arange(30), np.full(30, 30), device=CPU, flexible=True)
    assert made.positions_S.tolist() == [*range(30), *[0] * 226]
    assert made.subtree_end_S.tolist() == [*[30] * 30, *[256] * 226]
    given = states(made)
    for _ in range(2):
        for call in (CALL, WINDOWED):
            attend_flexibly(given[0], given[1], given[2], made, call)
    assert set(made.tables) == {None, 20}
    assert all(table.dtype == torch.int32 for made in made.tables.values() for table in made)


def test_a_window_that_no_row_outgrows_is_none() -> None:
    made = layout_of(np.arange(20), np.full(20, 20), device=CPU, flexible=True)
    given = states(made)
    attend_flexibly(given[0], given[1], given[2], made, WINDOWED)
    assert set(made.tables) == {None}


def test_forests_of_all_sizes_are_compiled_for_once() -> None:
    """The first forest compiles for each way of attending; none of 19 others does."""
    calls = [CALL, WINDOWED, CAPPED]
    sizes = np.random.default_rng(0).integers(30, 700, 20).tolist()
    compiled = []
    with flexible_attention("aot_eager"):
        before = times_compiled()
        for seed, size in enumerate(sizes):
            made = layout(seed, size)
            given = states(made)
            total = torch.zeros((), dtype=torch.float64)
            for call in calls:
                # The first layer that is trained gets keys without gradients.
                key = given[1].detach() if seed == 0 else given[1]
                total = total + attend_flexibly(given[0], key, given[2], made, call).sum()
            total.backward()
            compiled.append(times_compiled() - before)
    assert compiled == [3] * 20


def test_another_window_is_not_compiled_for() -> None:
    made = layout(5, 700)
    given = states(made)
    attend_flexibly(given[0], given[1], given[2], made, WINDOWED)
    before = times_compiled()
    other = AttentionCall(scale=0.3, dropout=0.0, window=33, cap=None)
    attend_flexibly(given[0], given[1], given[2], made, other)
    assert set(made.tables) >= {20, 33}
    assert times_compiled() == before


def test_compiling_without_end_is_an_error() -> None:
    """And never an uncompiled call, which holds the scores of all pairs."""
    made = layout(5, 300)
    given = states(made)
    with flexible_attention(), torch._dynamo.config.patch(recompile_limit=1):
        attend_flexibly(given[0], given[1], given[2], made, CALL)
        with pytest.raises(FailOnRecompileLimitHit), torch.no_grad():
            attend_flexibly(given[0], given[1], given[2], made, CALL)


def test_under_autocast_all_is_in_one_precision() -> None:
    made = layout(5, 300)
    query, key, value = (one.detach().float() for one in states(made))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = attend_flexibly(query, key, value.bfloat16(), made, CALL)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(
        found.float(), attend_flexibly(query, key, value, made, CALL), atol=0.03, rtol=0.03
    )
