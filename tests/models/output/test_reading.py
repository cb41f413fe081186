"""What is read of a head: proven on every size of score, and nothing where it is not all."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.utils.generic import ModelOutput

from tests.models.tiny import CONFIGS, tiny_model
from tunesmith.models.output.reading import own_head, read_head

FORMULAS = {"gemma2": (1.0, 3.0), "granite": (0.25, None), "cohere": (0.25, None)}


@pytest.mark.parametrize("name", CONFIGS)
def test_every_head_is_read(name: str) -> None:
    model = tiny_model(CONFIGS[name])
    found = read_head(model).reading
    assert found is not None
    assert (found.scale, found.cap) == FORMULAS.get(name, (1.0, None))
    hidden = 30 * torch.randn(5, 32)
    scores = functional.linear(hidden, found.weight_VD, found.bias_V) * found.scale
    if found.cap is not None:
        scores = torch.tanh(scores / found.cap) * found.cap
    made = own_head(model)(inputs_embeds=hidden[None], use_cache=False).logits[0]
    torch.testing.assert_close(scores, made)


@pytest.mark.parametrize("cap", [3.0, 30.0, 1e3])
def test_a_cap_is_seen_whatever_the_weights(cap: float) -> None:
    """Where logits are small a cap hides: the weights of a fresh head are."""
    model = tiny_model(CONFIGS["gemma2"])
    model.config.final_logit_softcapping = cap
    with torch.no_grad():
        model.lm_head.weight.mul_(0.02)
    found = read_head(model).reading
    assert found is not None
    assert found.cap == cap


def changed(model: nn.Module, change: object) -> nn.Module:
    """The model with something more done in its forward."""
    stock = type(model).forward

    class Changed(type(model)):  # type: ignore[misc]
        def forward(self, **given: object) -> ModelOutput:
            output = stock(self, **given)
            output.logits = change(output.logits)
            return output

    model.__class__ = Changed
    return model


def masked(logits: Tensor) -> Tensor:
    logits = logits.clone()
    logits[..., 90:] = -1e9
    return logits


@pytest.mark.parametrize(
    "change",
    [
        masked,
        lambda logits: logits[..., :90],
        lambda logits: logits + 1.0,
        lambda logits: logits * 1.001,
        lambda logits: logits.clamp(max=9e3),
        lambda logits: logits[:, :, torch.tensor([100])],
    ],
)
def test_what_is_more_than_a_formula_has_no_reading(change: object) -> None:
    assert read_head(changed(tiny_model(CONFIGS["llama"]), change)).reading is None


def test_the_configuration_alone_proves_nothing() -> None:
    model = tiny_model(CONFIGS["llama"])
    model.config.final_logit_softcapping = 5.0
    found = read_head(model).reading
    assert found is not None
    assert found.cap is None


def test_hooks_and_other_layers_are_not_read() -> None:
    model = tiny_model(CONFIGS["llama"])
    assert read_head(model).reading is not None
    handle = model.lm_head.register_forward_hook(lambda *given: None)
    assert read_head(model).reading is None
    handle.remove()
    assert read_head(model).reading is not None

    class Special(nn.Linear):
        pass

    model.lm_head = Special(32, 97)
    assert read_head(model).reading is None


def test_no_random_numbers_are_used_up() -> None:
    """A run's random state depends on its seed alone."""
    model = tiny_model(CONFIGS["llama"])
    before = torch.random.get_rng_state()
    read_head(model)
    assert torch.equal(torch.random.get_rng_state(), before)
