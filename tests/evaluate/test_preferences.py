"""Pairs: the margin over the base, worked out by hand; and what other tasks say of pairs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.data.shops import prepare
from tests.evaluate.fakes import FakeSubject, material, pair
from tunesmith import plugins
from tunesmith.data.coding import load_coding
from tunesmith.evaluate.contracts import Material
from tunesmith.evaluate.record import find
from tunesmith.evaluate.stage import Ground, evaluate
from tunesmith.evaluate.tasks import preferences
from tunesmith.recipe import PluginChoice, Source

if TYPE_CHECKING:
    from tests.evaluate.conftest import Scene

PAIRS = (pair("a", "yes", "nope", 1), pair("b", "fine", "no", 2), pair("c", "sure", "also", 3))


def dpo(**options: float) -> PluginChoice:
    return PluginChoice.model_validate({"name": "dpo", **options})


def figures(subject: FakeSubject, data: Material) -> dict[str, float]:
    measured = preferences.measure(subject, data)
    return {
        one.metric.name: float(one.value(one.statistics_RK.sum(axis=0)))
        for one in measured.measures
    }


def test_a_margin_is_what_chosen_gains_less_what_rejected_gains() -> None:
    """Known texts cost half a nat a character, others two: the base knows `nope` and `no`."""
    base = FakeSubject(known=frozenset({"nope", "no"}))
    tuned = FakeSubject(known=frozenset({"yes", "fine", "no"}), base=base)
    data = material(held_out=PAIRS, method=dpo(beta=0.5, label_smoothing=0.1))
    # gains: yes +4.5, nope -6 -> 10.5; fine +6, no 0 -> 6; sure 0, also 0 -> 0
    margins = [0.5 * 10.5, 0.5 * 6.0, 0.0]
    found = figures(tuned, data)
    assert found["reward_margin"] == pytest.approx(sum(margins) / 3)
    assert found["reward_accuracy"] == pytest.approx(2.5 / 3)
    # log-probabilities: yes -1.5 > nope -8; fine -2 < no -1; sure = also
    assert found["ranking_accuracy"] == pytest.approx(1.5 / 3)
    losses = [0.9 * math.log1p(math.exp(-m)) + 0.1 * math.log1p(math.exp(m)) for m in margins]
    assert found["loss"] == pytest.approx(sum(losses) / 3)
    assert found["chosen_loss"] == pytest.approx((1.5 + 2.0 + 8.0) / 11)


def test_the_base_has_no_margin_over_itself() -> None:
    base = FakeSubject(known=frozenset({"nope"}))
    found = figures(base, material(held_out=PAIRS, method=dpo(beta=0.1)))
    assert found["reward_margin"] == 0.0
    assert found["reward_accuracy"] == 0.5
    assert found["loss"] == pytest.approx(math.log(2))


def test_pairs_are_not_read_as_answers() -> None:
    data = material(held_out=PAIRS, train=PAIRS)
    for name in ("heldout", "overfitting", "classification"):
        assert "pairs" in plugins.load("tasks", name).missing(data)
    assert preferences.missing(data) == ""
    assert preferences.missing(material()) == "no rows are held out"


@pytest.mark.parametrize("adapter", [True, False])
def test_a_run_on_pairs_is_measured(make_scene: Callable[..., Scene], adapter: bool) -> None:
    scene = make_scene(adapter=adapter)
    path = Path(scene.recipe.data.sources[0].path).with_name("pairs.jsonl")
    rows = [
        {"prompt": f"is {n} ok?", "chosen": f"No. {n} is fine.", "rejected": f"{n} it is."}
        for n in range(30)
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    data = scene.recipe.data.model_copy(update={"sources": (Source(path=str(path)),)})
    recipe = scene.recipe.model_copy(update={"data": data, "method": dpo(beta=0.1), "gates": ()})
    run = scene.run
    run.path("data", "provenance.json").unlink()
    prepare(recipe.data, base=scene.base.path, run_folder=run.folder, seed=0, max_length=100)
    coding = load_coding(scene.base.path, None, "all", datetime(2026, 1, 1))
    record = evaluate(recipe, run, Ground(base=scene.base, coding=coding))
    assert set(record.skipped) == {"heldout", "overfitting", "classification"}
    accuracy = find(record.results, "preferences", "reward_accuracy")
    assert accuracy is not None and accuracy.n == 12 and accuracy.base == 0.5
    assert accuracy.low is not None
    margin = find(record.results, "preferences", "reward_margin")
    assert margin is not None and margin.base == 0.0 and margin.tuned != 0.0
    loss = find(record.results, "preferences", "loss")
    assert loss is not None and loss.base == pytest.approx(math.log(2))
    assert find(record.results, "retention", "bits_per_byte") is not None
    assert find(record.results, "answers", "f1") is not None
    assert record.generations[0].reference.startswith("No. ")
    again = evaluate(recipe, run, Ground(base=scene.base, coding=coding))
    assert replace(again, seconds=0) == replace(record, seconds=0)
