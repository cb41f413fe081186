"""The watch stops what has gone wrong, and lets pass what only looks so."""

from __future__ import annotations

import math

import pytest

from tunesmith.errors import Diverged, Place
from tunesmith.train.watch import PATIENCE, Watch, check_finite, check_spike, named

PLACES = [Place(file="rows.jsonl", line=line) for line in range(1, 13)]


def after(losses: list[float]) -> Watch:
    watch = Watch()
    for loss in losses:
        watch = watch.saw(loss)
    return watch


@pytest.mark.parametrize(
    ("loss", "norm", "what"),
    [(math.nan, 1.0, "loss"), (math.inf, 1.0, "loss"), (1.0, math.nan, "gradient")],
)
def test_not_finite_names_step_and_rows(loss: float, norm: float, what: str) -> None:
    with pytest.raises(Diverged, match=rf"the {what} of step 7 .*rows\.jsonl:1, ") as caught:
        check_finite(7, loss, norm, PLACES)
    assert caught.value.exit_code == 5


def test_finite_passes() -> None:
    check_finite(7, 3.0, 1e30, PLACES)


def test_three_spikes_in_a_row_are_an_explosion() -> None:
    watch = after([2.0] * 20 + [80.0] * (PATIENCE - 1))
    check_spike(22, 80.0, watch, PLACES)
    assert not watch.calm
    with pytest.raises(Diverged, match="exploded: 90 at step 23"):
        check_spike(23, 90.0, watch.saw(90.0), PLACES)


def test_single_spikes_are_not() -> None:
    watch = after([2.0, 80.0, 80.0] * 20)
    check_spike(60, 80.0, watch, PLACES)
    assert after([2.0, 80.0, 80.0, 2.0]).calm


def test_a_hard_source_after_an_easy_one_is_not() -> None:
    watch = after([0.02] * 50 + [4.5] * 10)
    check_spike(60, 4.5, watch, PLACES)


def test_collapse_to_guessing_is_seen() -> None:
    watch = after([2.5] * 50 + [math.log(50_000)] * PATIENCE)
    with pytest.raises(Diverged):
        check_spike(53, math.log(50_000), watch, PLACES)


def test_spikes_do_not_move_the_median() -> None:
    assert after([2.0, 80.0, 80.0]).limit() == after([2.0]).limit()


def test_long_lists_are_cut() -> None:
    assert named(PLACES) == ", ".join(f"rows.jsonl:{n}" for n in range(1, 9)) + " and 4 more"
    assert named(PLACES[:2]) == "rows.jsonl:1, rows.jsonl:2"
