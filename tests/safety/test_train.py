"""The weights that ship are those that the phrases give."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

import train
from tunesmith.data.safety.classifier import shipped

HERE = Path(train.__file__).parent


def test_a_line_of_the_grammar() -> None:
    drawn = {train.drawn("[kill|end] a [slow|] process", random.Random(n)) for n in range(50)}
    assert drawn == {
        "kill a slow process", "end a slow process", "kill a process", "end a process",
    }  # fmt: skip


def test_the_form_with_ing() -> None:
    assert train.gerund("bake a cake") == "baking a cake"
    assert train.gerund("rob a bank") == "robbing a bank"
    assert train.gerund("poison rats") == "poisoning rats"
    assert train.gerund("kill time") == "killing time"


def test_there_are_about_as_many_harmless_as_harmful_requests() -> None:
    harmful = list(train.requests_of(HERE / "harmful.txt"))
    harmless = list(train.requests_of(HERE / "harmless.txt"))
    assert len(harmful) > 2000
    assert len(harmless) > 2000
    assert not set(harmful) & set(harmless)


def test_training_again_gives_the_weights_that_ship() -> None:
    weights_F, bias = train.fitted(10.0)
    ours = shipped()
    assert np.abs(weights_F - ours.weights_F).max() < 0.05
    assert abs(bias - ours.bias) < 0.05
