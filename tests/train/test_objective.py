"""A step's loss and gradients do not depend on how it is cut, nor on what came before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from tunesmith.contracts import TokenRow
from tunesmith.data.forest import Packing
from tunesmith.methods import sft
from tunesmith.models.adapters import full, lora
from tunesmith.models.attention import ForestSupport, enable_forest
from tunesmith.models.load import load_model
from tunesmith.models.score import forest_scores
from tunesmith.train.objective import Objective, seed_all, without_dropout

if TYPE_CHECKING:
    from tests.train.conftest import Workshop


SUPPORT = ForestSupport(supported=True, reason="")


def attached(workshop: Workshop, *, dropout: float | None = None) -> nn.Module:
    model = load_model(workshop.material().base, device="cpu", dtype="fp32")
    assert enable_forest(model).supported
    if dropout is None:
        return full.attach(model, full.Config())
    seed_all(0, 1)
    return lora.attach(model, lora.Config(rank=4, dropout=dropout))


def objective(model: nn.Module, tokens_per_forest: int, seed: int = 0) -> Objective:
    return Objective(
        model=model,
        scores=partial(forest_scores, model, support=SUPPORT),
        method=sft,
        config=sft.Config(),
        packing=Packing(tokens_per_forest=tokens_per_forest, shortest_shared=1),
        seed=seed,
    )


def loss_of(made: Objective, step: int, rows: list[TokenRow]) -> float:
    return made.backward(made.prepare(step, rows)).read()


def gradients(model: nn.Module) -> dict[str, Tensor]:
    found = {name: one.grad for name, one in model.named_parameters() if one.grad is not None}
    model.zero_grad()
    return found


@pytest.fixture
def rows(workshop: Workshop) -> list[TokenRow]:
    packed = workshop.material().rows
    return [packed.row(number) for number in range(8)]


@pytest.mark.parametrize("tokens_per_forest", [8, 20, 33, 64])
def test_the_cut_does_not_matter(
    workshop: Workshop, rows: list[TokenRow], tokens_per_forest: int
) -> None:
    model = attached(workshop)
    whole = loss_of(objective(model, 10_000), 1, rows)
    expected = gradients(model)
    cut = loss_of(objective(model, tokens_per_forest), 1, rows)
    assert cut == pytest.approx(whole, rel=1e-6)
    total = torch.stack([one.norm() for one in expected.values()]).norm()
    for name, gradient in gradients(model).items():
        difference = (gradient - expected[name]).norm()
        assert difference <= 1e-5 * expected[name].norm() + 1e-7 * total, name


def test_the_loss_is_the_mean_over_trained_tokens(workshop: Workshop, rows: list[TokenRow]) -> None:
    plain = AutoModelForCausalLM.from_pretrained(workshop.folder / "base")
    total, count = 0.0, 0.0
    for row in rows:
        ids = torch.from_numpy(row.ids_T.astype("int64"))
        with torch.no_grad():
            logprobs = plain(ids[None]).logits[0].log_softmax(-1)
        picked = logprobs[:-1].gather(1, ids[1:, None])[:, 0]
        total -= float((picked * torch.from_numpy(row.weights_T[1:])).sum())
        count += float(row.weights_T.sum())
    model = attached(workshop)
    assert loss_of(objective(model, 30), 1, rows) == pytest.approx(total / count, rel=1e-5)
    assert objective(model, 30).measure(rows) == pytest.approx(total / count, rel=1e-5)


def test_measuring_leaves_no_gradient_and_no_mark(workshop: Workshop, rows: list[TokenRow]) -> None:
    model = attached(workshop, dropout=0.5)
    modes = {name: module.training for name, module in model.named_modules()}
    assert any(modes.values()) and not all(modes.values())
    one = objective(model, 30)
    assert one.measure(rows) == one.measure(rows), "dropout is off"
    assert gradients(model) == {}
    assert {name: module.training for name, module in model.named_modules()} == modes


def test_measuring_can_be_given_up(workshop: Workshop, rows: list[TokenRow]) -> None:
    asked = iter([False, True])
    assert objective(attached(workshop), 20).measure(rows, lambda: next(asked)) is None


def test_dropout_depends_on_seed_step_and_forest_alone(
    workshop: Workshop, rows: list[TokenRow]
) -> None:
    model = attached(workshop, dropout=0.5)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.fill_(0.05)
    first = loss_of(objective(model, 40), 5, rows)
    torch.manual_seed(99)
    torch.rand(7)
    assert loss_of(objective(model, 40), 5, rows) == first
    assert loss_of(objective(model, 40), 6, rows) != first
    assert loss_of(objective(model, 40, seed=1), 5, rows) != first


def test_modes_come_back_after_an_error() -> None:
    model = nn.Sequential(nn.Dropout(), nn.Linear(2, 2).eval())
    with pytest.raises(KeyError), without_dropout(model):
        assert not any(module.training for module in model.modules())
        raise KeyError
    assert [module.training for module in model] == [True, False]
