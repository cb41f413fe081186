"""The DPO loss: its formula by hand, its gradient by finite differences, its bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from tunesmith.contracts import Scores
from tunesmith.methods import dpo


def scores_of(logprobs_N: Tensor, rows: list[int], weights: list[float] | None = None) -> Scores:
    reference = torch.linspace(-2, -1, len(rows), dtype=logprobs_N.dtype)
    return Scores(
        logprobs_N=logprobs_N,
        weights_N=torch.tensor(weights or [1.0] * len(rows), dtype=logprobs_N.dtype),
        rows_N=torch.tensor(rows),
        reference_N=reference,
    )


def by_hand(scores: Scores, beta: float, smoothing: float) -> float:
    assert scores.reference_N is not None
    gains: dict[int, float] = {}
    for n, row in enumerate(scores.rows_N.tolist()):
        gain = float(scores.weights_N[n]) * float(scores.logprobs_N[n] - scores.reference_N[n])
        gains[row] = gains.get(row, 0.0) + gain
    total = 0.0
    for chosen in (row for row in gains if row % 2 == 0):
        x = beta * (gains[chosen] - gains[chosen + 1])
        total += (1 - smoothing) * math.log1p(math.exp(-x)) + smoothing * math.log1p(math.exp(x))
    return total


ROWS = [3, 3, 2, 6, 7, 7, 7]
"""Two of the step's pairs, their rows in the order of a forest."""


@pytest.mark.parametrize("beta", [0.05, 0.1, 2.0])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("weights", [None, [1.0, 0.5, 2.0, 1.0, 0.25, 1.0, 1.0]])
def test_the_loss_is_the_formula(
    beta: float, smoothing: float, weights: list[float] | None
) -> None:
    logprobs_N = -torch.rand(7, generator=torch.Generator().manual_seed(1)).double() * 3
    scores = scores_of(logprobs_N, ROWS, weights)
    config = dpo.Config(beta=beta, label_smoothing=smoothing)
    wanted = by_hand(scores, beta, smoothing)
    assert float(dpo.loss(scores, config)) == pytest.approx(wanted, rel=1e-12)


def test_a_model_that_has_not_moved_has_the_loss_of_a_coin() -> None:
    reference = torch.tensor([-1.0, -2.0, -3.0])
    scores = Scores(
        logprobs_N=reference,
        weights_N=torch.ones(3),
        rows_N=torch.tensor([0, 1, 1]),
        reference_N=reference,
    )
    assert float(dpo.loss(scores, dpo.Config())) == pytest.approx(math.log(2))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_gradient_is_that_of_finite_differences(smoothing: float) -> None:
    config = dpo.Config(beta=0.7, label_smoothing=smoothing)
    logprobs_N = (-torch.rand(7, generator=torch.Generator().manual_seed(2)).double() * 3).detach()
    logprobs_N.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda values: dpo.loss(scores_of(values, ROWS, [1.0, 0.5, 2, 1, 1, 3, 1]), config),
        logprobs_N,
    )


def test_pairs_may_be_computed_apart() -> None:
    logprobs_N = -torch.rand(7, generator=torch.Generator().manual_seed(3)).double()
    whole = scores_of(logprobs_N, ROWS)
    assert whole.reference_N is not None
    parts = []
    for pair in (1, 3):
        own = torch.tensor([row // 2 == pair for row in ROWS])
        parts.append(
            Scores(
                logprobs_N=whole.logprobs_N[own],
                weights_N=whole.weights_N[own],
                rows_N=whole.rows_N[own],
                reference_N=whole.reference_N[own],
            )
        )
    config = dpo.Config()
    apart = sum(float(dpo.loss(part, config)) for part in parts)
    assert float(dpo.loss(whole, config)) == pytest.approx(apart, rel=1e-12)


def test_extreme_margins_stay_finite() -> None:
    for sign in (1.0, -1.0):
        logprobs_N = torch.tensor([-1.0, -1.0 - sign * 1e6], requires_grad=True)
        loss = dpo.loss(scores_of(logprobs_N, [0, 1]), dpo.Config(beta=1.0))
        loss.backward()
        assert math.isfinite(loss.item())
        assert logprobs_N.grad is not None and bool(torch.isfinite(logprobs_N.grad).all())


def test_the_denominator_is_the_number_of_pairs() -> None:
    assert dpo.denominator([np.ones(3, dtype=np.float32)] * 6) == 3.0


@pytest.mark.parametrize(
    "options", [{"beta": 0.0}, {"beta": -1.0}, {"label_smoothing": 0.6}, {"gamma": 1.0}]
)
def test_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        dpo.Config.model_validate(options)
