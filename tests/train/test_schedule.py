"""The learning rate rises to the full rate once, never falls to zero, and never rises again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.errors import RecipeError
from tunesmith.train.schedule import Schedule, rate_share, warmup_steps

KINDS = st.sampled_from(["linear", "cosine", "constant"])
RUNS = st.integers(1, 300).flatmap(
    lambda total: st.tuples(st.just(total), st.integers(0, total - 1))
)


def shares(kind: Schedule, total: int, warmup: int) -> list[float]:
    return [rate_share(kind, step, total=total, warmup=warmup) for step in range(1, total + 1)]


@settings(deadline=None)
@given(KINDS, RUNS)
def test_it_rises_to_one_and_then_falls(kind: Schedule, run: tuple[int, int]) -> None:
    total, warmup = run
    found = shares(kind, total, warmup)
    assert all(0 < share <= 1 for share in found)
    rising, falling = found[: warmup + 1], found[warmup:]
    assert rising == sorted(set(rising)), "strictly rising while it warms up"
    assert found[warmup] == 1.0
    assert falling == sorted(falling, reverse=True)


@settings(deadline=None)
@given(RUNS)
def test_linear_steps_are_equal(run: tuple[int, int]) -> None:
    total, warmup = run
    falling = shares("linear", total, warmup)[warmup:]
    drops = [before - after for before, after in zip(falling, falling[1:], strict=False)]
    assert drops == pytest.approx([1 / (total - warmup)] * len(drops))


@settings(deadline=None)
@given(RUNS)
def test_cosine_is_symmetric_about_its_middle(run: tuple[int, int]) -> None:
    total, warmup = run
    falling = shares("cosine", total, warmup)[warmup:]
    mirrored = [1 - share for share in reversed(falling[1:])]
    assert falling[1:] == pytest.approx(mirrored)


def test_constant_stays() -> None:
    assert shares("constant", 5, 2) == pytest.approx([1 / 3, 2 / 3, 1, 1, 1])


@settings(deadline=None)
@given(st.floats(0, 0.999), st.integers(1, 10_000))
def test_a_share_below_one_is_of_all_steps(share: float, total: int) -> None:
    steps = warmup_steps(share, total)
    assert 0 <= steps < total
    assert abs(steps - share * total) <= 1


def test_from_one_on_it_counts_steps() -> None:
    assert warmup_steps(7.0, 100) == 7


@pytest.mark.parametrize("warmup", [10.0, 11.0, 9.5])
def test_a_warmup_as_long_as_the_run_is_refused(warmup: float) -> None:
    with pytest.raises(RecipeError, match=r"train\.warmup .* only 10"):
        warmup_steps(warmup, 10)
