"""Layers that are computed again: the same numbers, fewer of them kept."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.models.tiny import CONFIGS, random_rows, tiny_model
from tunesmith.data.forest import Packing, build_forests
from tunesmith.models.adapters import full, lora
from tunesmith.models.attention import enable_forest
from tunesmith.models.recompute import RecomputedLayer, recompute_layers
from tunesmith.models.score import forest_scores


def gradients(model: nn.Module) -> tuple[float, dict[str, torch.Tensor]]:
    support = enable_forest(model)
    (forest,) = build_forests(list(enumerate(random_rows(9, 14))), Packing(tokens_per_forest=64))
    loss = -forest_scores(model, forest, support=support).logprobs_N.sum()
    loss.backward()
    found = {name: one.grad for name, one in model.named_parameters() if one.grad is not None}
    return float(loss.detach()), found


@pytest.mark.parametrize("name", ["llama", "gemma2", "gpt2"])
@pytest.mark.parametrize("adapter", ["lora", "full"])
@pytest.mark.parametrize("count", [1, 2])
def test_the_same_loss_and_gradients(name: str, adapter: str, count: int) -> None:
    def trainable() -> nn.Module:
        torch.manual_seed(3)
        kind = lora if adapter == "lora" else full
        return kind.attach(tiny_model(CONFIGS[name]), kind.Config())

    plain = trainable()
    again = trainable()
    enable_forest(again)
    assert recompute_layers(again, count) == count
    assert recompute_layers(again, count) == count, "twice is no more than once"
    loss, expected = gradients(plain)
    loss_again, found = gradients(again)
    assert loss_again == loss
    assert found.keys() == expected.keys()
    for key, gradient in expected.items():
        torch.testing.assert_close(found[key], gradient, rtol=1e-6, atol=1e-8)
    assert list(again.state_dict()) == list(plain.state_dict())


def test_less_is_kept() -> None:
    def kept(count: int) -> int:
        model = full.attach(tiny_model(CONFIGS["llama"]), full.Config())
        support = enable_forest(model)
        recompute_layers(model, count)
        rows = list(enumerate(random_rows(30, 40)))
        (forest,) = build_forests(rows, Packing(tokens_per_forest=200))
        sizes: list[int] = []

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            forest_scores(model, forest, support=support)
        return sum(sizes)

    none, one, both = kept(0), kept(1), kept(2)
    assert both < one < none


def test_only_the_first_layers() -> None:
    model = tiny_model(CONFIGS["llama"])
    recompute_layers(model, 1)
    assert [isinstance(layer, RecomputedLayer) for layer in model.model.layers] == [True, False]
