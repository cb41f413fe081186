"""Products of one input against autograd through the formula, in float64."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn

from tunesmith.models.fused import product as product_module
from tunesmith.models.fused.product import WEIGHTS, Product, ProductGroup, product_of

INPUTS = 6
FLAVOURS = ("plain", "bias", "lora", "lora bias")
WIDTHS = (5, 3, 7)
RANKS = (2, 1, 4)
SCALES = (2.0, 0.5, 1.0)


def made(flavours: Sequence[str]) -> list[Product]:
    torch.manual_seed(len(flavours))

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=torch.float64, requires_grad=True)

    return [
        Product(
            weight_OI=random(width, INPUTS),
            bias_O=random(width) if "bias" in flavour else None,
            down_RI=random(rank, INPUTS) if "lora" in flavour else None,
            up_OR=random(width, rank) if "lora" in flavour else None,
            scale=scale,
        )
        for flavour, width, rank, scale in zip(flavours, WIDTHS, RANKS, SCALES, strict=False)
    ]


def by_formula(product: Product, inputs: Tensor) -> Tensor:
    output = inputs @ product.weight_OI.t()
    if product.bias_O is not None:
        output = output + product.bias_O
    if product.down_RI is not None and product.up_OR is not None:
        output = output + product.scale * ((inputs @ product.down_RI.t()) @ product.up_OR.t())
    return output


def by_group(
    products: Sequence[Product], inputs: Tensor, slopes: Sequence[Tensor], needed: Sequence[bool]
) -> tuple[list[Tensor], Tensor, list[Tensor | None]]:
    """Outputs, the gradient by the inputs and those by the weights, in blocks of 4 tokens."""
    with torch.no_grad():
        group = ProductGroup(products, tokens=len(inputs))
        outputs = [torch.full_like(slope, torch.nan) for slope in slopes]
        into = torch.full_like(inputs, torch.nan)
        group.begin_backward(needed)
        for start in range(0, len(inputs), 4):
            block = slice(start, start + 4)
            group.forward(inputs[block], [one[block] for one in outputs])
            group.backward([one[block] for one in slopes], inputs[block], into[block], add=False)
        return outputs, into, group.slopes()


@pytest.mark.parametrize("merged_from", [1, 1000], ids=["merged", "beside"])
@example(flavours=list(FLAVOURS[1:]), needed=[True] * 12, tokens=9)
@given(
    flavours=st.lists(st.sampled_from(FLAVOURS), min_size=1, max_size=3),
    needed=st.lists(st.booleans(), min_size=12, max_size=12),
    tokens=st.integers(1, 9),
)
def test_any_mixture(
    merged_from: int, flavours: list[str], needed: list[bool], tokens: int
) -> None:
    products = made(flavours)
    needed = needed[: len(products) * WEIGHTS]
    inputs = torch.randn(tokens, INPUTS, dtype=torch.float64, requires_grad=True)
    expected = [by_formula(product, inputs) for product in products]
    slopes = [torch.randn_like(one) for one in expected]
    weights = [weight for product in products for weight in product.weights]
    leaves = [inputs, *(weight for weight in weights if weight is not None)]
    theirs = dict(zip(map(id, leaves), torch.autograd.grad(expected, leaves, slopes), strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(product_module, "MERGED_FROM", merged_from)
        outputs, into, found = by_group(products, inputs, slopes, needed)
    for mine, other in zip(outputs, expected, strict=True):
        torch.testing.assert_close(mine, other)
    torch.testing.assert_close(into, theirs[id(inputs)])
    for mine, weight, need in zip(found, weights, needed, strict=True):
        if weight is None or not need:
            assert mine is None
        else:
            torch.testing.assert_close(mine, theirs[id(weight)])


@pytest.mark.parametrize("merged_from", [1, 1000])
def test_adds_to_what_is_there(monkeypatch: pytest.MonkeyPatch, merged_from: int) -> None:
    monkeypatch.setattr(product_module, "MERGED_FROM", merged_from)
    products = made(["lora bias", "lora"])
    inputs = torch.randn(3, INPUTS, dtype=torch.float64)
    with torch.no_grad():
        group = ProductGroup(products, tokens=3)
        outputs = [torch.ones(3, width, dtype=torch.float64) for width in WIDTHS[:2]]
        group.forward(inputs, outputs, add=True)
        for mine, product in zip(outputs, products, strict=True):
            torch.testing.assert_close(mine, by_formula(product, inputs) + 1)
        once, twice = torch.zeros_like(inputs), torch.ones_like(inputs)
        group.begin_backward([False] * 8)
        group.backward(outputs, inputs, once, add=False)
        group.backward(outputs, inputs, twice, add=True)
        torch.testing.assert_close(twice, once + 1)
        group.backward(outputs, inputs, None, add=False)
        assert group.slopes() == [None] * 8


def test_merging_starts_where_it_says() -> None:
    (product,) = made(["lora"])
    with torch.no_grad():
        for tokens in (product_module.MERGED_FROM - 1, product_module.MERGED_FROM):
            inputs = torch.randn(tokens, INPUTS, dtype=torch.float64)
            out = torch.empty(tokens, WIDTHS[0], dtype=torch.float64)
            ProductGroup([product], tokens=tokens).forward(inputs, [out])
            torch.testing.assert_close(out, by_formula(product, inputs))


class Two(nn.Module):
    """Two linear layers, for PEFT to adapt."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(INPUTS, 4), nn.Linear(INPUTS, 4, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        first: Tensor = self.first(inputs)
        second: Tensor = self.second(inputs)
        return first + second


def adapted(**options: object) -> nn.Module:
    torch.manual_seed(0)
    config = LoraConfig(**{"r": 2, "target_modules": ["first", "second"], **options})  # type: ignore[arg-type]
    model = get_peft_model(Two(), config)  # type: ignore[arg-type]
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_()
    return model


def read(layer: nn.Module) -> Tensor | None:
    """What the product that was read off a layer computes."""
    product = product_of(layer)
    if product is None:
        return None
    return by_formula(product, probe())


def probe() -> Tensor:
    return torch.linspace(-1, 1, 3 * INPUTS).view(3, INPUTS)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"lora_alpha": 3},
        {"use_rslora": True, "r": 4},
        {"rank_pattern": {"first": 3}},
        {"lora_dropout": 0.5},
    ],
)
@pytest.mark.parametrize("name", ["first", "second"])
def test_reads_what_the_layer_computes(options: dict[str, object], name: str) -> None:
    layer = adapted(**options).eval().get_submodule(f"base_model.model.{name}")
    found = read(layer)
    assert found is not None
    torch.testing.assert_close(found, layer(probe()))


@pytest.mark.parametrize(
    "options",
    [
        {"lora_dropout": 0.5},
        {"use_dora": True},
        {"lora_bias": True, "target_modules": ["first"]},
    ],
    ids=["dropout", "dora", "bias"],
)
def test_does_not_read_what_it_cannot_compute(options: dict[str, object]) -> None:
    layer = adapted(**options).train().get_submodule("base_model.model.first")
    assert product_of(layer) is None


def test_switched_off_merged_and_swapped_adapters() -> None:
    model = adapted()
    layer = model.get_submodule("base_model.model.first")
    base = layer.get_submodule("base_layer")
    with model.disable_adapter():  # type: ignore[operator]
        torch.testing.assert_close(read(layer), base(probe()))
    model.merge_adapter()  # type: ignore[operator]
    assert product_of(layer) is None
    model.unmerge_adapter()  # type: ignore[operator]
    # A second adapter that leaves this layer alone.
    model.add_adapter("other", LoraConfig(r=2, target_modules=["second"]))  # type: ignore[operator]
    model.set_adapter("other")  # type: ignore[operator]
    torch.testing.assert_close(read(layer), layer(probe()))
    torch.testing.assert_close(layer(probe()), base(probe()))
    second = model.get_submodule("base_model.model.second")
    torch.testing.assert_close(read(second), second(probe()))
    model.base_model.set_adapter(["default", "other"])  # type: ignore[operator, union-attr]
    assert product_of(second) is None


def test_other_layers_are_not_products() -> None:
    class Scaled(nn.Linear):
        def forward(self, inputs: Tensor) -> Tensor:
            return 1.001 * super().forward(inputs)

    assert product_of(Scaled(3, 3)) is None
    assert product_of(nn.Embedding(3, 3)) is None
