"""Both halves of a layer for all tokens at once, against autograd through the formulas."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from tests.models.fused.test_halves import (
    HEAD,
    INNER,
    KEY,
    KINDS,
    OFFSETS,
    QUERY,
    WIDTH,
    assert_gradients,
    inputs_by_formula,
    norm,
    outputs_by_formula,
    product,
    random,
)
from tests.models.fused.test_rotary import waves
from tunesmith.models.fused.activation import NAMES, Activation
from tunesmith.models.fused.halves import InputHalf, OutputHalf
from tunesmith.models.fused.maps import LinearMap
from tunesmith.models.fused.matrix import Dense
from tunesmith.models.fused.product import Correction, Product
from tunesmith.models.fused.whole import (
    Waves,
    WholeInputHalf,
    WholeOutputHalf,
    whole_attention_inputs,
    whole_attention_outputs,
)

BF16 = torch.bfloat16


def mapped(product: Product) -> LinearMap:
    correction = None
    if product.down_RI is not None and product.up_OR is not None:
        correction = Correction(down_RI=product.down_RI, up_OR=product.up_OR, scale=product.scale)
    return LinearMap(
        matrix=Dense(weight_OI=product.weight_OI), bias_O=product.bias_O, correction=correction
    )


def whole_inputs(
    half: InputHalf, states: Tensor, turns: Waves | None, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, ...]:
    query, key, value = (mapped(one) for one in half.products)
    whole = WholeInputHalf(
        norm=half.norm, maps=(query, key, value), head_norms=half.head_norms, width=half.width,
        dtype=dtype, waves=turns,
    )  # fmt: skip
    return tuple(one.flatten(1) for one in whole_attention_inputs(whole, states))


def whole_outputs(
    half: OutputHalf, states: Tensor, attended: Tensor, dtype: torch.dtype = torch.float64
) -> Tensor:
    output, gate, up, down = (mapped(one) for one in half.products)
    whole = WholeOutputHalf(
        norm=half.norm, output=output, gated=(gate, up), down=down,
        activation=half.activation.name, dtype=dtype,
    )  # fmt: skip
    return whole_attention_outputs(whole, states, attended)


def input_half(kinds: list[str], offset: float, *, heads: bool) -> InputHalf:
    head_norms = (norm(HEAD, offset, kinds[3]), norm(HEAD, offset, kinds[0])) if heads else None
    return InputHalf(
        norm=norm(WIDTH, offset, kinds[3]),
        products=(
            product(QUERY, WIDTH, kinds[0]),
            product(KEY, WIDTH, kinds[1]),
            product(KEY, WIDTH, kinds[2]),
        ),
        head_norms=head_norms,
        width=HEAD,
    )


def output_half(kinds: list[str], offset: float, name: str) -> OutputHalf:
    return OutputHalf(
        norm=norm(WIDTH, offset, kinds[4]),
        products=(
            product(WIDTH, QUERY, kinds[0]),
            product(INNER, WIDTH, kinds[1]),
            product(INNER, WIDTH, kinds[2]),
            product(WIDTH, INNER, kinds[3]),
        ),
        activation=Activation(name=name),  # type: ignore[arg-type]
    )


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
    kinds: list[str], offset: float, *, heads: bool, turned: bool, onwards: bool, tokens: int
) -> None:
    torch.manual_seed(tokens)
    half = input_half(kinds, offset, heads=heads)
    states = random(tokens, WIDTH, trained=onwards)
    turns = waves(tokens, HEAD // 2) if turned else None
    before = states.detach().clone()
    found = whole_inputs(half, states, turns)
    assert_gradients(found, inputs_by_formula(half, states, turns), [states, *half.weights()])
    assert torch.equal(states.detach(), before)


@example(kinds=["lora"] * 5, name="silu", offset=0.0, onwards=(False, True), tokens=9)
@given(
    kinds=st.lists(KINDS, min_size=5, max_size=5),
    name=st.sampled_from(NAMES),
    offset=OFFSETS,
    onwards=st.tuples(st.booleans(), st.booleans()),
    tokens=st.integers(1, 11),
)
def test_after_attention(
    kinds: list[str], name: str, offset: float, onwards: tuple[bool, bool], tokens: int
) -> None:
    torch.manual_seed(tokens)
    half = output_half(kinds, offset, name)
    states = random(tokens, WIDTH, trained=onwards[0])
    attended = random(tokens, QUERY, trained=onwards[1])
    before = [one.detach().clone() for one in (states, attended)]
    found = whole_outputs(half, states, attended)
    leaves = [states, attended, *half.weights()]
    assert_gradients((found,), (outputs_by_formula(half, states, attended),), leaves)
    assert torch.equal(states.detach(), before[0])
    assert torch.equal(attended.detach(), before[1])


@pytest.mark.parametrize("stream", [torch.float32, BF16])
@pytest.mark.parametrize("kind", ["lora", "full", "full bias"])
def test_in_bf16_gradients_of_fp32_weights_are_fp32(kind: str, stream: torch.dtype) -> None:
    """`stream`: of the states between layers, which autocast leaves in fp32."""
    torch.manual_seed(0)
    half = output_half([kind] * 5, 0.0, "silu")
    for weight in half.weights():
        if weight is not None:
            weight.data = weight.data.float()
    frozen = [one.weight_OI for one in half.products if kind == "lora"]
    for weight in frozen:
        weight.data = weight.data.to(BF16)
    states = random(40, WIDTH).to(stream).detach().requires_grad_()
    attended = random(40, QUERY).to(BF16).detach().requires_grad_()
    made = whole_outputs(half, states, attended, BF16)
    assert made.dtype == stream
    trained = [one for one in half.weights() if one is not None and one.requires_grad]
    found = torch.autograd.grad(made.float().sum(), [states, attended, *trained])
    assert [one.dtype for one in found] == [stream, BF16] + [torch.float32] * len(trained)
    for weight in half.weights():
        if weight is not None:
            weight.data = weight.data.double()
    exact = outputs_by_formula(half, states.double(), attended.double())
    wanted = torch.autograd.grad(exact.sum(), [states, attended, *trained])
    for mine, theirs in zip(found, wanted, strict=True):
        assert (mine.double() - theirs.double()).norm() <= 0.05 * theirs.double().norm()


@pytest.fixture
def kept() -> Iterator[dict[int, int]]:
    """Bytes by storage of what a graph keeps for its backward pass."""
    found: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        found[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        yield found


def test_what_is_kept_for_the_backward_pass(kept: dict[int, int]) -> None:
    """x, o, z, both inputs of the activation, and x A^T of every correction; nothing else."""
    torch.manual_seed(0)
    tokens, rank = 33, 2
    states = random(tokens, WIDTH)
    whole_inputs(input_half(["lora"] * 4, 0.0, heads=False), states, waves(tokens, HEAD // 2))
    assert sum(kept.values()) == 8 * tokens * (WIDTH + 3 * rank)
    kept.clear()
    attended = random(tokens, QUERY)
    whole_outputs(output_half(["lora"] * 5, 0.0, "silu"), states, attended)
    own = QUERY + WIDTH + 2 * INNER + 4 * rank
    assert sum(kept.values()) == 8 * tokens * own
