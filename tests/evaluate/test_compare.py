"""The bootstrap: what it covers, what it does with nothing, and that it is paired."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.contracts import Metric, Result
from tunesmith.evaluate.compare import (
    bootstrap_interval,
    bootstrap_p_value,
    compare,
    expanded_tail,
    student_t,
)
from tunesmith.evaluate.contracts import Measure
from tunesmith.evaluate.ratios import Floats, exponential, ratio

SCORE = Metric(name="score", unit="0 to 1", higher_is_better=True)


def measure(values: Floats, groups: list[str] | None = None) -> Measure:
    values = np.asarray(values, dtype=np.float64)
    keys = tuple(f"r:{index}" for index in range(len(values)))
    return Measure(
        metric=SCORE,
        slice="all",
        keys=keys,
        groups=tuple(groups) if groups else keys,
        statistics_RK=np.stack([values, np.ones(len(values))], axis=1),
        value=ratio,
    )


def result(base: Measure, tuned: Measure, seed: int = 0) -> Result:
    compared = compare("task", 1, base, tuned, seed=seed)
    assert compared is not None
    return compared.result


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=30), st.integers(0, 5))
def test_no_difference_has_an_interval_around_nothing(values: list[float], seed: int) -> None:
    same = measure(np.array(values))
    found = result(same, same, seed)
    assert found.difference == 0
    assert found.low == found.high == 0
    assert found.p_value == 1


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=40),
    st.integers(0, 1000),
)
def test_the_interval_is_ordered_and_fits_the_p_value(
    pairs: list[tuple[float, float]], seed: int
) -> None:
    base, tuned = np.array(pairs).T
    found = result(measure(base), measure(tuned), seed)
    assert found.low is not None and found.high is not None and found.p_value is not None
    assert found.low <= found.high
    assert 0 < found.p_value <= 1
    assert found.difference == pytest.approx(tuned.mean() - base.mean())
    # Right at the border the two may differ by one resample.
    if found.low > 1e-9 or found.high < -1e-9:
        assert found.p_value <= 0.055
    if found.low < -1e-9 and found.high > 1e-9:
        assert found.p_value >= 0.045


@pytest.mark.parametrize(("rows", "least"), [(8, 0.90), (20, 0.92), (40, 0.925)])
def test_the_interval_covers_the_truth_about_95_times_in_100(rows: int, least: float) -> None:
    generator = np.random.default_rng(rows)
    truth, covered, trials = 0.3, 0, 300
    for trial in range(trials):
        base = generator.normal(0, 1, rows)
        tuned = base + truth + generator.normal(0, 0.7, rows)
        found = result(measure(base), measure(tuned), trial)
        assert found.low is not None and found.high is not None
        covered += found.low <= truth <= found.high
    assert least <= covered / trials <= 0.985


def test_pairing_makes_the_interval_narrow() -> None:
    generator = np.random.default_rng(0)
    base = generator.normal(0, 10, 60)
    tuned = base + 0.5 + generator.normal(0, 0.1, 60)
    found = result(measure(base), measure(tuned))
    assert found.low is not None and found.high is not None and found.p_value is not None
    assert 0.45 < found.low < found.high < 0.55
    assert found.p_value <= 0.001


def test_rows_of_a_group_are_not_independent() -> None:
    generator = np.random.default_rng(1)
    effects = np.repeat(generator.normal(0, 1, 10), 20)
    base = np.zeros(200)
    groups = [str(number) for number in np.repeat(np.arange(10), 20)]
    alone = result(measure(base), measure(effects))
    together = result(measure(base, groups), measure(effects, groups))
    assert alone.groups == 200 and together.groups == 10 and together.n == 200
    assert together.low is not None and alone.low is not None
    assert together.high is not None and alone.high is not None
    assert together.high - together.low > 3 * (alone.high - alone.low)


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_rows_have_no_interval(rows: int) -> None:
    values = np.ones(rows)
    compared = compare("task", 1, measure(values * 0), measure(values), seed=0)
    if rows == 0:
        assert compared is None
        return
    assert compared is not None
    found = compared.result
    assert (found.base, found.tuned, found.difference, found.n) == (0, 1, 1, 1)
    assert found.low is None and found.high is None and found.p_value is None
    assert compared.tuned_interval is None


def test_a_base_that_was_not_measured_leaves_the_difference_open() -> None:
    compared = compare("task", 1, None, measure(np.arange(10.0)), seed=0)
    assert compared is not None
    assert compared.result.base is None and compared.result.difference is None
    assert compared.result.low is None
    assert compared.tuned_interval is not None


def test_the_seed_decides_the_resamples() -> None:
    generator = np.random.default_rng(2)
    base, tuned = measure(generator.random(30)), measure(generator.random(30))
    assert result(base, tuned, 1) == result(base, tuned, 1)
    assert result(base, tuned, 1).low != result(base, tuned, 2).low


def test_strata_are_resampled_apart() -> None:
    """Rows of two kinds: were they mixed, some resamples would have none of the second kind."""
    held_out, train = np.full(20, 2.0), np.full(2, 1.0)
    zeros = np.zeros(22)
    statistics = np.stack(
        [
            np.concatenate([held_out, zeros[:2]]),
            np.concatenate([np.ones(20), zeros[:2]]),
            np.concatenate([zeros[:20], train]),
            np.concatenate([zeros[:20], np.ones(2)]),
        ],
        axis=1,
    )
    keys = tuple(str(index) for index in range(22))
    gap = Measure(
        metric=SCORE,
        slice="all",
        keys=keys,
        groups=keys,
        strata=("held_out",) * 20 + ("train",) * 2,
        statistics_RK=statistics,
        value=lambda sums: ratio(sums[..., :2]) - ratio(sums[..., 2:]),
    )
    compared = compare("task", 1, gap, gap, seed=0)
    assert compared is not None
    assert compared.tuned_interval == (1.0, 1.0)


def test_a_figure_that_is_not_linear_is_computed_from_sums() -> None:
    nats = measure(np.linspace(1.0, 4.0, 30))
    perplexity = Measure(
        metric=SCORE, slice="all", keys=nats.keys, groups=nats.groups,
        statistics_RK=nats.statistics_RK, value=exponential,
    )  # fmt: skip
    compared = compare("task", 1, perplexity, perplexity, seed=0)
    assert compared is not None
    assert compared.result.tuned == pytest.approx(math.exp(2.5))
    assert compared.base_interval is not None
    assert compared.base_interval[0] > math.exp(1.0)


def test_undefined_resamples_are_left_out_and_too_many_give_none() -> None:
    drawn = np.concatenate([np.full(1200, np.nan), np.linspace(0, 1, 800)])
    assert bootstrap_interval(drawn, 10) is None
    interval = bootstrap_interval(np.concatenate([np.full(10, np.nan), np.linspace(0, 1, 800)]), 10)
    assert interval is not None and np.isfinite(interval).all()


def test_student_t_and_the_tails_agree_with_tables() -> None:
    for freedom, quantile in ((5, 2.5706), (10, 2.2281), (30, 2.0423), (1000, 1.9623)):
        assert student_t(0.975, freedom) == pytest.approx(quantile, rel=2e-3)
    assert expanded_tail(0.05, 10**6) == pytest.approx(0.025, abs=1e-5)
    assert expanded_tail(0.05, 8) < 0.01
    assert expanded_tail(1.0, 8) == 0.5 and expanded_tail(0.0, 8) == 0.0


def test_the_p_value_never_claims_more_than_the_resamples_show() -> None:
    assert bootstrap_p_value(np.linspace(1, 2, 2000), 50) == pytest.approx(2 / 2001)
    assert bootstrap_p_value(np.linspace(-1, 1, 2000), 50) == pytest.approx(1.0, abs=0.01)
