"""Forests give what their rows give alone: the loss, and every gradient of every weight.

The oracle knows nothing of forests: each row goes by itself through a fresh copy of the model
as Transformers has it, and its weighted cross entropy is taken from the whole logits. Trees
and the cut into forests are random; tolerances are by norm,

    |g - g'| <= 1e-5 |g| + 1e-7 |all gradients|
"""

from __future__ import annotations

import copy
from functools import cache

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn

from tests.models.tiny import BORDER, CONFIGS, LENGTHWISE, random_rows, tiny_model
from tests.models.trees import BRANCHING, row, tree_rows
from tunesmith.contracts import TokenRow
from tunesmith.data.forest import Packing, build_forests
from tunesmith.methods import sft
from tunesmith.models.adapters import full, lora
from tunesmith.models.attention import ForestSupport, enable_forest
from tunesmith.models.score import forest_hidden, forest_scores

EXPERTS = "ignore:The following (rank|alpha)_pattern keys:RuntimeWarning"
"""PEFT says of fused experts that all-linear does not mean them."""
ALL = CONFIGS | LENGTHWISE
REPEATABLE = settings().derandomize
FEW = settings(
    max_examples=3 if REPEATABLE else 60, suppress_health_check=list(HealthCheck), deadline=None
)
EVERYTHING = Packing(tokens_per_forest=10_000, shortest_shared=1)
PACKINGS = st.builds(
    Packing,
    tokens_per_forest=st.sampled_from([10_000, 30, 8, 1]),
    share=st.sampled_from([True, True, False]),
    shortest_shared=st.sampled_from([1, 2, 4]),
    rows_together=st.sampled_from([1, 1, 2]),
)


@cache
def pair(name: str, adapter: str) -> tuple[nn.Module, nn.Module, ForestSupport]:
    """The model in plain Transformers and PEFT, the same as training has it, and its support."""
    plain = tiny_model(ALL[name])
    if adapter == "lora":
        plain = get_peft_model(
            plain,
            LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules="all-linear",
                       fan_in_fan_out=name == "gpt2"),
        ).eval()  # fmt: skip
        ours = lora.attach(tiny_model(ALL[name]), lora.Config(rank=4))
        for model in (plain, ours):
            torch.manual_seed(2)
            with torch.no_grad():
                for weight in trained(model).values():
                    weight.normal_(std=0.1)
    else:
        plain.requires_grad_(True)
        ours = full.attach(tiny_model(ALL[name]), full.Config())
    return plain, ours, enable_forest(ours)


def trained(model: nn.Module) -> dict[str, Tensor]:
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


def rows_alone(plain: nn.Module, rows: list[TokenRow]) -> tuple[float, list[Tensor]]:
    """The weighted mean of the rows' losses and its gradients, each row in a fresh model."""
    total = sum(float(row.weights_T.sum()) for row in rows) or 1.0
    loss = 0.0
    gradients = [torch.zeros_like(weight) for weight in trained(plain).values()]
    for one in rows:
        model = copy.deepcopy(plain)
        ids = torch.from_numpy(one.ids_T).long()
        weights = torch.from_numpy(one.weights_T)
        logits = model(input_ids=ids[None]).logits[0].float()
        losses = nn.functional.cross_entropy(logits[:-1], ids[1:], reduction="none")
        summed = (losses * weights[1:]).sum() / total
        summed.backward()
        loss += float(summed.detach())
        for gradient, weight in zip(gradients, trained(model).values(), strict=True):
            if weight.grad is not None:
                gradient += weight.grad
    return loss, gradients


def in_forests(
    ours: nn.Module, rows: list[TokenRow], support: ForestSupport, packing: Packing
) -> tuple[float, list[Tensor]]:
    """The same by forests, as training computes it."""
    ours.zero_grad(set_to_none=True)
    denominator = sft.denominator([row.weights_T for row in rows]) or 1.0
    total = 0.0
    for forest in build_forests(list(enumerate(rows)), support.fit(packing)):
        loss = sft.loss(forest_scores(ours, forest, support=support), sft.Config()) / denominator
        loss.backward()
        total += float(loss.detach())
    return total, [
        torch.zeros_like(weight) if weight.grad is None else weight.grad
        for weight in trained(ours).values()
    ]


def assert_equal(
    names: list[str], expected: tuple[float, list[Tensor]], found: tuple[float, list[Tensor]]
) -> None:
    assert found[0] == pytest.approx(expected[0], rel=1e-5, abs=1e-7)
    everything = torch.cat([gradient.flatten() for gradient in expected[1]]).norm()
    for name, left, right in zip(names, *(side[1] for side in (expected, found)), strict=True):
        assert (left - right).norm() <= 1e-5 * left.norm() + 1e-7 * everything, name


def check(name: str, adapter: str, rows: list[TokenRow], packing: Packing) -> None:
    plain, ours, support = pair(name, adapter)
    names = list(trained(plain))
    assert_equal(names, rows_alone(plain, rows), in_forests(ours, rows, support, packing))


@pytest.mark.filterwarnings(EXPERTS)
@pytest.mark.parametrize("adapter", ["lora", "full"])
@pytest.mark.parametrize("name", ALL)
def test_a_forest_gives_what_its_rows_give_alone(name: str, adapter: str) -> None:
    plain, ours, support = pair(name, adapter)
    assert support.supported == (name != "llama dynamic"), support.reason
    assert list(trained(plain)), "something must be trained"

    @FEW
    @example(rows=BRANCHING, packing=EVERYTHING)
    @given(rows=tree_rows(), packing=PACKINGS)
    def compare(rows: list[TokenRow], packing: Packing) -> None:
        check(name, adapter, rows, packing)

    compare()


@pytest.mark.filterwarnings("ignore:Model has .tie_word_embeddings=True.:UserWarning")
@pytest.mark.parametrize("name", ["llama", "llama_tied", "gemma2", "granite", "cohere"])
def test_an_adapted_head(name: str) -> None:
    """Soft caps, logit scales and tied weights around a head that is trained by LoRA."""
    targets = ["q_proj", "lm_head"]
    plain = get_peft_model(
        tiny_model(CONFIGS[name]),
        LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules=targets),
    ).eval()
    ours = lora.attach(tiny_model(CONFIGS[name]), lora.Config(rank=4, targets=targets))
    for model in (plain, ours):
        torch.manual_seed(2)
        with torch.no_grad():
            for weight in trained(model).values():
                weight.normal_(std=0.1)
    names = list(trained(plain))
    assert any("lm_head" in name for name in names)
    support = enable_forest(ours)
    found = in_forests(ours, BRANCHING, support, Packing(tokens_per_forest=30, shortest_shared=1))
    assert_equal(names, rows_alone(plain, BRANCHING), found)


@pytest.mark.slow
@pytest.mark.filterwarnings(EXPERTS)
@pytest.mark.parametrize("name", ALL)
def test_long_rows_beside_short_ones(name: str) -> None:
    """Many windows long, and several blocks of any kernel."""
    rows = random_rows(120, 3, 70, 9, 120)
    shared = [row([*range(3, 60), *one.ids_T[:40]], [0.0] * 57 + [1.0] * one.ids_T[:40].size)
              for one in rows]  # fmt: skip
    for packing in (EVERYTHING, Packing(tokens_per_forest=100, share=False)):
        check(name, "lora", rows + shared, packing)


def at_border(size: int, first: int, weights: list[float] | None = None) -> TokenRow:
    """A row of `size` tokens that begins as the others do; trained near its start and end."""
    return row(
        [*range(5, 9), *range(first, first + size - 4)],
        weights or [0, 1, *[0] * (size - 5), 0.5, 1, 0],
    )


@pytest.mark.parametrize("together", [1, 2])
@pytest.mark.parametrize("name", LENGTHWISE)
def test_rows_on_either_side_of_the_border(name: str, together: int) -> None:
    """Long before short and short before long; lengths at the border and one beside it.

    The long rows' last tokens are not trained: their length counts all the same.
    """
    sizes = (BORDER + 9, 6, BORDER, BORDER + 1, BORDER - 1, BORDER + 4, 7, BORDER + 1)
    rows = [at_border(size, 20 + place) for place, size in enumerate(sizes)]
    rows[-1] = at_border(BORDER + 1, 40, [0, 1, 1, *[0] * (BORDER - 2)])
    for order in (rows, rows[::-1]):
        check(name, "lora", order, Packing(tokens_per_forest=100, shortest_shared=1,
                                           rows_together=together))  # fmt: skip


def test_the_length_of_a_row_matters_to_these_models() -> None:
    """Or the test above would prove nothing."""
    for name in LENGTHWISE:
        model = tiny_model(LENGTHWISE[name])
        ids = torch.arange(3, 3 + BORDER + 5)[None]
        long = model(input_ids=ids).logits[:, :5]
        short = copy.deepcopy(tiny_model(LENGTHWISE[name]))(input_ids=ids[:, :5]).logits
        assert (long - short).norm() > 1e-3 * long.norm(), name


@pytest.mark.parametrize("name", ["gpt2", "opt", "gpt_neox", "llama", "mistral", "gemma3"])
def test_in_float64(name: str) -> None:
    """To 1e-10 where nothing is cast to fp32 on the way, to 1e-6 where norms and tables are."""
    config = copy.deepcopy(CONFIGS[name])
    if name == "gpt2":
        config.attn_pdrop = config.embd_pdrop = config.resid_pdrop = 0.0
    ours = tiny_model(config).double().requires_grad_(True)
    plain = copy.deepcopy(ours)
    support = enable_forest(ours)
    assert support.supported, support.reason
    (forest,) = build_forests(list(enumerate(BRANCHING)), EVERYTHING)
    torch.manual_seed(0)
    slopes = torch.randn(32, dtype=torch.float64)
    hidden = forest_hidden(ours, forest, support=support)
    found = (torch.from_numpy(forest.weights_N)[:, None] * hidden.sin() * slopes).sum()
    found.backward()
    expected = torch.zeros((), dtype=torch.float64)
    for one in BRANCHING:
        own = plain.base_model(input_ids=torch.from_numpy(one.ids_T).long()[None])
        weights = torch.from_numpy(one.weights_T)[1:, None]
        expected = expected + (weights * own.last_hidden_state[0, :-1].sin() * slopes).sum()
    expected.backward()
    limit = 1e-10 if name in ("gpt2", "opt") else 1e-6
    assert float(((found - expected) / expected).detach().abs()) <= limit
    for key, weight in plain.base_model.named_parameters():
        own = ours.base_model.get_parameter(key)
        assert weight.grad is not None and own.grad is not None, key
        assert (weight.grad - own.grad).norm() <= limit * weight.grad.norm() + 1e-12, key
