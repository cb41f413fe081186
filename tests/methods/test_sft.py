"""The objective: weighted negative log-likelihood, over the weights of the step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tunesmith.contracts import Scores
from tunesmith.methods import sft


def test_the_loss_is_the_weighted_sum() -> None:
    scores = Scores(
        logprobs_N=torch.tensor([-1.0, -2.0, -3.0]),
        weights_N=torch.tensor([1.0, 0.5, 2.0]),
        rows_N=torch.tensor([0, 0, 1]),
    )
    assert float(sft.loss(scores, sft.Config())) == 1.0 + 1.0 + 6.0


def test_the_denominator_is_the_sum_of_the_weights() -> None:
    weights = [np.array([0.0, 1.0, 0.5], np.float32), np.array([0.0, 2.0], np.float32)]
    assert sft.denominator(weights) == 3.5
    many = [np.full(10**6, 0.1, np.float32)] * 20
    assert sft.denominator(many) == pytest.approx(20 * 10**6 * float(np.float32(0.1)), rel=1e-12)


def test_there_are_no_options() -> None:
    with pytest.raises(ValidationError):
        sft.Config.model_validate({"label_smoothing": 0.1})
