"""Attention in parts against the rule written out token by token, with autograd's gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from tests.models.test_segments import CPU, forests, tree
from tunesmith.models.attention import layout_of
from tunesmith.models.parts import attend_by_parts
from tunesmith.models.segments import AttentionCall, Layout, attend_by_segment, takes_parts

HEADS = st.sampled_from([(1, 1), (4, 4), (4, 2), (6, 2), (4, 1)])
CLOSE = {torch.float64: 1e-11, torch.float32: 2e-5, torch.bfloat16: 4e-2}
PLAIN = AttentionCall(scale=0.7, dropout=0.0, window=None, cap=None)

CHAIN = [-1, *range(19)]
ROOTS = [-1] * 6
STAR = [-1, 0, 0, 0, 0]
COMB = [-1, 0, 1, 1, 0, 4, 4, -1, 7, 7]
"""Every segment one token long, at three levels."""


def layout(parents: list[int]) -> Layout:
    return layout_of(*tree(parents), device=CPU, flexible=False)


def states(
    size: int, heads: tuple[int, int], dtype: torch.dtype, *, width: int = 8, scale: float = 1.0
) -> list[Tensor]:
    torch.manual_seed(size)
    return [
        (scale * torch.randn(size, count, width, dtype=torch.float64)).to(dtype).requires_grad_()
        for count in (heads[0], heads[1], heads[1])
    ]


def by_rule(given_states: list[Tensor], parents: list[int], scale: float) -> Tensor:
    """Each token over its ancestors and itself, one token at a time, found by their parents."""
    query, key, value = given_states
    repeats = query.shape[1] // key.shape[1]
    key, value = (one.repeat_interleave(repeats, dim=1) for one in (key, value))
    outputs = []
    for token in range(len(parents)):
        path, at = [], token
        while at >= 0:
            path.append(at)
            at = parents[at]
        scores = torch.einsum("hd,khd->hk", query[token], key[path]) * scale
        outputs.append(torch.einsum("hk,khd->hd", scores.softmax(-1), value[path]))
    return torch.stack(outputs)


def gap(found: Tensor, expected: Tensor) -> float:
    found, expected = found.detach().double(), expected.detach().double()
    return float((found - expected).norm() / (expected.norm() + 1e-9))


def check(parents: list[int], heads: tuple[int, int], dtype: torch.dtype) -> None:
    ours = states(len(parents), heads, dtype)
    theirs = [one.detach().double().requires_grad_() for one in ours]
    found = attend_by_parts(*ours, layout(parents), 0.7)
    expected = by_rule(theirs, parents, 0.7)
    assert found.shape == expected.shape
    assert found.dtype == dtype
    assert found.is_contiguous()
    assert gap(found, expected) <= CLOSE[dtype]
    slope = torch.randn_like(found)
    left = torch.autograd.grad(found, ours, slope)
    right = torch.autograd.grad(expected, theirs, slope.double())
    # A softmax over one token has no gradient: what is compared with is not always large.
    whole = torch.cat([one.flatten() for one in right]).norm()
    for mine, other in zip(left, right, strict=True):
        assert mine.dtype == dtype
        assert (mine.double() - other).norm() <= CLOSE[dtype] * whole


@example(parents=CHAIN, heads=(4, 2))
@example(parents=ROOTS, heads=(4, 2))
@example(parents=STAR, heads=(4, 1))
@example(parents=COMB, heads=(6, 2))
@given(parents=forests(), heads=HEADS)
@pytest.mark.parametrize("dtype", CLOSE, ids=str)
def test_any_tree_follows_the_rule(
    dtype: torch.dtype, parents: list[int], heads: tuple[int, int]
) -> None:
    check(parents, heads, dtype)


@pytest.mark.parametrize("width", [1, 3, 16, 72])
def test_any_width_of_a_head(width: int) -> None:
    ours = states(len(COMB), (4, 2), torch.float64, width=width)
    found = attend_by_parts(*ours, layout(COMB), 0.3)
    expected = by_rule(ours, COMB, 0.3)
    assert gap(found, expected) <= 1e-11
    slope = torch.randn_like(found)
    for mine, other in zip(
        torch.autograd.grad(found, ours, slope, retain_graph=True),
        torch.autograd.grad(expected, ours, slope),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-10)


def test_more_tokens_than_a_block_of_the_kernel() -> None:
    """A long trunk, long branches, and a row beside them; the kernel's blocks are shorter."""
    trunk = list(range(-1, 599))
    parents = [*trunk, 599, *range(600, 899), 300, *range(900, 1299), -1, *range(1300, 1400)]
    ours = states(len(parents), (2, 1), torch.float32)
    found = attend_by_parts(*ours, layout(parents), 0.4)
    expected = by_rule([one.double() for one in ours], parents, 0.4)
    assert gap(found, expected) <= 1e-5
    slope = torch.randn_like(found)
    left = torch.autograd.grad(found, ours, slope)
    right = torch.autograd.grad(expected, ours, slope.double())
    for mine, other in zip(left, right, strict=True):
        assert gap(mine, other) <= 1e-5


def test_large_scores_join_without_overflow() -> None:
    ours = states(len(COMB), (4, 2), torch.float32, scale=60.0)
    found = attend_by_parts(*ours, layout(COMB), 1.0)
    expected = by_rule([one.double() for one in ours], COMB, 1.0)
    assert found.isfinite().all()
    assert gap(found, expected) <= 1e-4
    for slope in torch.autograd.grad(found.sum(), ours):
        assert slope.isfinite().all()


def test_twice_gives_the_same_bits() -> None:
    made = []
    for _ in range(2):
        ours = states(len(COMB) * 1, (4, 2), torch.float32)
        found = attend_by_parts(*ours, layout(COMB), 0.7)
        made.append([found, *torch.autograd.grad(found.square().sum(), ours)])
    for first, second in zip(*made, strict=True):
        assert torch.equal(first, second)


def test_gradients_only_where_they_are_asked_for() -> None:
    query, key, value = states(len(COMB), (4, 2), torch.float32)
    found = attend_by_parts(query, key.detach(), value.detach(), layout(COMB), 0.7)
    (alone,) = torch.autograd.grad(found.sum(), query)
    found = attend_by_parts(query, key, value, layout(COMB), 0.7)
    assert torch.equal(alone, torch.autograd.grad(found.sum(), query)[0])
    with torch.no_grad():
        assert torch.equal(attend_by_parts(query, key, value, layout(COMB), 0.7), found)


def test_numbers_may_lie_in_any_order() -> None:
    """The kernel reads a head's numbers one after the other, whatever the strides say."""
    ours = [one.detach() for one in states(len(COMB), (4, 2), torch.float64)]
    turned = [one.permute(2, 1, 0).contiguous().permute(2, 1, 0) for one in ours]
    assert all(one.stride(-1) != 1 for one in turned)
    made = []
    for given_states in (ours, turned):
        leaves = [one.requires_grad_() for one in given_states]
        found = attend_by_parts(*leaves, layout(COMB), 0.7)
        slope = torch.randn(8, 4, len(COMB), dtype=torch.float64, generator=seeded())
        # Both a slope that is spread from one number, and one in another order.
        total = found.sum() + (found * slope.permute(2, 1, 0)).sum()
        made.append([found, *torch.autograd.grad(total, leaves)])
        (again,) = torch.autograd.grad(
            attend_by_parts(*leaves, layout(COMB), 0.7), leaves[:1], slope.permute(2, 1, 0)
        )
        made[-1].append(again)
    for first, second in zip(*made, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-11, atol=1e-11)
    expected = by_rule(ours, COMB, 0.7)
    (right,) = torch.autograd.grad(expected, ours[:1], slope.permute(2, 1, 0))
    torch.testing.assert_close(made[0][-1], right, rtol=1e-11, atol=1e-11)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def test_values_of_another_width_than_keys() -> None:
    """As in multi-head latent attention; the fused kernel does not take them."""
    query, key, value = states(len(COMB), (4, 4), torch.float64)
    narrow = value[..., :5]
    found = attend_by_segment(
        *(one.transpose(0, 1)[None] for one in (query, key, narrow)), layout(COMB), PLAIN
    )
    expected = by_rule([query, key, narrow], COMB, PLAIN.scale)
    torch.testing.assert_close(found[0], expected, rtol=1e-11, atol=1e-11)


def test_values_of_another_precision_under_autocast() -> None:
    """Rotated queries and keys are fp32 there, and values bf16, as the products make them."""
    query, key, value = states(len(COMB), (4, 4), torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        found = attend_by_segment(
            *(one.transpose(0, 1)[None] for one in (query, key, value.bfloat16())),
            layout(COMB),
            PLAIN,
        )
    assert gap(found[0], by_rule([query, key, value], COMB, PLAIN.scale)) <= 3e-2


@pytest.mark.parametrize(
    ("call", "taken"),
    [
        (PLAIN, True),
        (AttentionCall(scale=1.0, dropout=0.1, window=None, cap=None), False),
        (AttentionCall(scale=1.0, dropout=0.0, window=None, cap=5.0), False),
        (AttentionCall(scale=1.0, dropout=0.0, window=20, cap=None), True),
        (AttentionCall(scale=1.0, dropout=0.0, window=19, cap=None), False),
    ],
)
def test_parts_are_taken_where_nothing_is_masked(call: AttentionCall, *, taken: bool) -> None:
    """The row has 20 tokens: a window of 20 hides nothing, one of 19 the first from the last."""
    assert takes_parts(torch.zeros(1, 4, 20, 8), layout(CHAIN), call) is taken
