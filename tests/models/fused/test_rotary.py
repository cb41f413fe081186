"""Rotation in place against Transformers' own, and back again."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from tunesmith.models.fused.rotary import rotate


def waves(tokens: int, pairs: int) -> tuple[Tensor, Tensor]:
    angles = torch.arange(tokens)[:, None] * torch.tensor([0.7**step for step in range(pairs)])
    # Scaled, as YaRN and longrope do.
    return 1.1 * angles.double().cos(), 1.1 * angles.double().sin()


def by_transformers(states: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    rotated = 2 * cosine.shape[1]
    whole = (torch.cat([wave, wave], dim=-1)[None] for wave in (cosine, sine))
    moved, _ = apply_rotary_pos_emb(
        states[None, ..., :rotated], states[None, ..., :rotated], *whole, unsqueeze_dim=2
    )
    return torch.cat([moved[0], states[..., rotated:]], dim=-1)


@pytest.mark.parametrize("pairs", [1, 3, 4])
def test_equals_transformers_and_leaves_the_rest(pairs: int) -> None:
    """Heads of 8 numbers, of which 2, 6 or all are rotated."""
    torch.manual_seed(0)
    states = torch.randn(5, 3, 8, dtype=torch.float64)
    cosine, sine = waves(5, pairs)
    found = states.clone()
    rotate(found, cosine, sine, back=False)
    torch.testing.assert_close(found, by_transformers(states, cosine, sine))
    assert torch.equal(found[..., 2 * pairs :], states[..., 2 * pairs :])


@pytest.mark.parametrize("pairs", [1, 3, 4])
def test_back_is_the_gradient_and_undoes_it(pairs: int) -> None:
    torch.manual_seed(0)
    states = torch.randn(5, 3, 8, dtype=torch.float64, requires_grad=True)
    cosine, sine = waves(5, pairs)
    slope = torch.randn(5, 3, 8, dtype=torch.float64)
    (expected,) = torch.autograd.grad(by_transformers(states, cosine, sine), states, slope)
    found = slope.clone()
    rotate(found, cosine, sine, back=True)
    torch.testing.assert_close(found, expected)
    there_and_back = states.detach().clone()
    rotate(there_and_back, cosine / 1.1, sine / 1.1, back=False)
    rotate(there_and_back, cosine / 1.1, sine / 1.1, back=True)
    torch.testing.assert_close(there_and_back, states.detach())


def test_a_block_within_other_numbers() -> None:
    """A view is changed where it lies, and nothing beside it."""
    buffer = torch.randn(7, 24, dtype=torch.float64)
    before = buffer.clone()
    cosine, sine = waves(5, 4)
    rotate(buffer[1:6].view(5, 3, 8), cosine, sine, back=False)
    assert torch.equal(buffer[[0, 6]], before[[0, 6]])
    torch.testing.assert_close(
        buffer[1:6].view(5, 3, 8), by_transformers(before[1:6].view(5, 3, 8), cosine, sine)
    )
