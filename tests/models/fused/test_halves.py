"""Both halves of a layer against autograd through the formulas, in blocks smaller than the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from tests.models.fused.test_product import by_formula
from tests.models.fused.test_rotary import by_transformers, waves
from tunesmith.models.fused import halves
from tunesmith.models.fused import product as product_module
from tunesmith.models.fused.activation import NAMES, Activation
from tunesmith.models.fused.halves import (
    InputHalf,
    OutputHalf,
    attention_inputs,
    attention_outputs,
)
from tunesmith.models.fused.norm import Norm
from tunesmith.models.fused.product import Product

BLOCK_ROWS = halves._block_rows
WIDTH, HEAD, INNER, QUERY, KEY = 10, 4, 14, 12, 8


@pytest.fixture(autouse=True)
def small_blocks() -> Iterator[None]:
    """Blocks of 4 tokens, so that a handful of tokens has several and a rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(halves, "_block_rows", lambda products: 4)
        yield


def random(*shape: int, trained: bool = True) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64).requires_grad_(trained)


def product(outputs: int, inputs: int, kind: str) -> Product:
    """`full` trains the weight; `lora` freezes it and trains the correction, and so on."""
    corrected = "lora" in kind
    return Product(
        weight_OI=random(outputs, inputs, trained="full" in kind),
        bias_O=random(outputs, trained="full" in kind) if "bias" in kind else None,
        down_RI=random(2, inputs) if corrected else None,
        up_OR=random(outputs, 2) if corrected else None,
        scale=1.5,
    )


def norm(width: int, offset: float, kind: str) -> Norm:
    return Norm(weight_D=random(width, trained="full" in kind), epsilon=0.2, offset=offset)


def normed(norm: Norm, states: Tensor) -> Tensor:
    rates = (states.square().mean(-1, keepdim=True) + norm.epsilon).rsqrt()
    return (norm.weight_D + norm.offset) * states * rates


def inputs_by_formula(
    half: InputHalf, states: Tensor, turns: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, ...]:
    made = [by_formula(one, normed(half.norm, states)) for one in half.products]
    heads = [one.view(len(states), -1, HEAD) for one in made[:2]]
    if half.head_norms is not None:
        heads = [normed(own, one) for own, one in zip(half.head_norms, heads, strict=True)]
    if turns is not None:
        heads = [by_transformers(one, *turns) for one in heads]
    return (*(one.flatten(1) for one in heads), made[2])


def outputs_by_formula(half: OutputHalf, states: Tensor, attended: Tensor) -> Tensor:
    output, gate, up, down = half.products
    middle = states + by_formula(output, attended)
    inner = normed(half.norm, middle)
    gates = by_formula(gate, inner)
    if half.activation.name == "silu":
        active = functional.silu(gates)
    else:
        form = "tanh" if half.activation.name == "gelu_tanh" else "none"
        active = functional.gelu(gates, approximate=form)
    return middle + by_formula(down, active * by_formula(up, inner))


def assert_gradients(
    found: tuple[Tensor, ...], expected: tuple[Tensor, ...], leaves: list[Tensor | None]
) -> None:
    trained = [leaf for leaf in leaves if leaf is not None and leaf.requires_grad]
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.requires_grad is bool(trained)
        torch.testing.assert_close(mine.detach(), theirs.detach())
    if not trained:
        return
    # Autograd knows which outputs no trained weight reaches.
    pairs = [(mine, own) for mine, own in zip(found, expected, strict=True) if own.requires_grad]
    found, expected = (tuple(side) for side in zip(*pairs, strict=True))
    slopes = [torch.randn_like(one) for one in expected]
    # Twice through the same graph: nothing that is kept may be used up.
    for _ in range(2):
        mine = torch.autograd.grad(found, trained, slopes, retain_graph=True, allow_unused=True)
        theirs = torch.autograd.grad(
            expected, trained, slopes, retain_graph=True, allow_unused=True
        )
        for own, other in zip(mine, theirs, strict=True):
            torch.testing.assert_close(own, other)


KINDS = st.sampled_from(["frozen", "lora", "full", "full bias", "bias lora", "full lora"])
OFFSETS = st.sampled_from([0.0, 1.0])


@pytest.mark.parametrize("merged_from", [1, 1000], ids=["merged", "beside"])
@example(kinds=["lora"] * 4, offset=0.0, heads=True, turned=True, onwards=False, tokens=9)
@example(kinds=["full"] * 4, offset=1.0, heads=True, turned=False, onwards=False, tokens=4)
@given(
    kinds=st.lists(KINDS, min_size=4, max_size=4),
    offset=OFFSETS,
    heads=st.booleans(),
    turned=st.booleans(),
    onwards=st.booleans(),
    tokens=st.integers(1, 11),
)
def test_before_attention(
    merged_from: int,
    *,
    kinds: list[str],
    offset: float,
    heads: bool,
    turned: bool,
    onwards: bool,
    tokens: int,
) -> None:
    """`onwards`: whether the layers before are trained, so that the states need a gradient."""
    torch.manual_seed(tokens)
    head_norms = (norm(HEAD, offset, kinds[3]), norm(HEAD, offset, kinds[0])) if heads else None
    half = InputHalf(
        norm=norm(WIDTH, offset, kinds[3]),
        products=(
            product(QUERY, WIDTH, kinds[0]),
            product(KEY, WIDTH, kinds[1]),
            product(KEY, WIDTH, kinds[2]),
        ),
        head_norms=head_norms,
        width=HEAD,
    )
    states = random(tokens, WIDTH, trained=onwards)
    turns = waves(tokens, HEAD // 2) if turned else None
    before = states.detach().clone()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(product_module, "MERGED_FROM", merged_from)
        found = attention_inputs(half, states, turns)
        with torch.no_grad():
            for mine, again in zip(found, attention_inputs(half, states, turns), strict=True):
                assert torch.equal(mine, again)
        assert_gradients(found, inputs_by_formula(half, states, turns), [states, *half.weights()])
    assert torch.equal(states.detach(), before)


@pytest.mark.parametrize("merged_from", [1, 1000], ids=["merged", "beside"])
@example(kinds=["lora"] * 5, name="silu", offset=0.0, onwards=(False, True), tokens=9)
@given(
    kinds=st.lists(KINDS, min_size=5, max_size=5),
    name=st.sampled_from(NAMES),
    offset=OFFSETS,
    onwards=st.tuples(st.booleans(), st.booleans()),
    tokens=st.integers(1, 11),
)
def test_after_attention(
    merged_from: int,
    *,
    kinds: list[str],
    name: str,
    offset: float,
    onwards: tuple[bool, bool],
    tokens: int,
) -> None:
    """`onwards`: whether the states and what attention made of them need a gradient."""
    torch.manual_seed(tokens)
    half = OutputHalf(
        norm=norm(WIDTH, offset, kinds[4]),
        products=(
            product(WIDTH, QUERY, kinds[0]),
            product(INNER, WIDTH, kinds[1]),
            product(INNER, WIDTH, kinds[2]),
            product(WIDTH, INNER, kinds[3]),
        ),
        activation=Activation(name=name),  # type: ignore[arg-type]
    )
    states = random(tokens, WIDTH, trained=onwards[0])
    attended = random(tokens, QUERY, trained=onwards[1])
    before = [one.detach().clone() for one in (states, attended)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(product_module, "MERGED_FROM", merged_from)
        found = attention_outputs(half, states, attended)
        with torch.no_grad():
            assert torch.equal(attention_outputs(half, states, attended), found)
        assert_gradients(
            (found,),
            (outputs_by_formula(half, states, attended),),
            [states, attended, *half.weights()],
        )
    assert torch.equal(states.detach(), before[0])
    assert torch.equal(attended.detach(), before[1])


def test_slopes_in_any_order() -> None:
    """Gradients come spread from one number, or with rows and columns changed over."""
    torch.manual_seed(0)
    half = InputHalf(
        norm=norm(WIDTH, 0.0, "full"),
        products=(
            product(QUERY, WIDTH, "lora"),
            product(KEY, WIDTH, "lora"),
            product(KEY, WIDTH, "lora"),
        ),
        head_norms=(norm(HEAD, 0.0, "full"), norm(HEAD, 0.0, "full")),
        width=HEAD,
    )
    states = random(9, WIDTH)
    turns = waves(9, HEAD // 2)
    leaves = [states, half.norm.weight_D, half.products[1].up_OR]
    made = []
    for compute in (attention_inputs, inputs_by_formula):
        total = torch.zeros((), dtype=torch.float64)
        for place, one in enumerate(compute(half, states, turns)):
            weights = torch.linspace(-1, 1, one.numel(), dtype=torch.float64)
            total = total + (one.sum() if place == 2 else (one.t() * weights.view(-1, 9)).sum())
        made.append(torch.autograd.grad(total, leaves))
    for mine, theirs in zip(*made, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_a_weight_that_is_replaced_is_the_one_that_counts() -> None:
    half = OutputHalf(
        norm=norm(WIDTH, 0.0, "full"),
        products=(
            product(WIDTH, QUERY, "full"),
            product(INNER, WIDTH, "full"),
            product(INNER, WIDTH, "full"),
            product(WIDTH, INNER, "full"),
        ),
        activation=Activation(name="silu"),
    )
    weights = [None if one is None else one.detach() + 1 for one in half.weights()]
    other = half.replaced(weights)
    assert [one is two for one, two in zip(other.weights(), weights, strict=True)] == [True] * 17
    assert replace(other, norm=half.norm).norm is half.norm


@pytest.mark.parametrize(
    ("numbers", "width", "rows"), [(1, 8, 64), (10**9, 8, 1024), (8000, 80, 100)]
)
def test_rows_of_a_block(
    monkeypatch: pytest.MonkeyPatch, numbers: int, width: int, rows: int
) -> None:
    """At least 64 and at most 1,024, as many as the widest outputs leave room for."""
    monkeypatch.setattr(halves, "_BLOCK_NUMBERS", numbers)
    assert BLOCK_ROWS([product(width, 3, "frozen"), product(2, 3, "frozen")]) == rows
