"""Charts: round ticks, figures within their frame, the chosen step marked."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.evaluate.records import make_record
from tests.report.fake_run import make_run
from tunesmith.report.facts import read_facts
from tunesmith.report.plots import loss_curve, nice_ticks, pairs, spans


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_ticks_are_round_and_enclose_the_data(low: float, width: float) -> None:
    high = low + width
    ticks = nice_ticks(low, high)
    slack = 1e-6 * max(1.0, abs(low), abs(high))
    assert ticks[0] <= low + slack and ticks[-1] >= high - slack
    assert 2 <= len(ticks) <= 12 and ticks == sorted(set(ticks))


def test_the_loss_curve_lies_in_its_box_and_marks_the_chosen_step(tmp_path: Path) -> None:
    curve = loss_curve(read_facts(make_run(tmp_path / "run", steps=2400)))
    assert curve is not None and curve.chosen is not None
    assert curve.chosen in curve.dots and curve.chosen[0] == 875.0
    assert curve.chosen_label.startswith("step 2100")
    for path in (curve.raw, curve.smooth, curve.held_out):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", path)]
        assert 4 <= len(numbers) <= 2 * 400 and all(0 <= number <= 1000 for number in numbers)
    assert all(0 <= share <= 1 for share, _ in (*curve.heights, *curve.steps))


def test_one_step_is_no_curve(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", steps=1)
    run.path("events.jsonl").unlink()
    assert loss_curve(read_facts(run)) is None


def test_bars_share_the_scale_of_their_metric() -> None:
    record = make_record()
    drawn = {pair.name: pair for pair in pairs(record.results, record.intervals)}
    (_, base), (_, tuned) = drawn["ROUGE-L"].bars
    assert (base.length, tuned.length) == (5.0, 71.0) and drawn["ROUGE-L"].better == "↑"
    (_, base), (_, tuned) = drawn["chrF"].bars
    assert tuned.length == 61.2
    (_, base), (_, tuned) = drawn["perplexity"].bars
    assert base.length > 90 and tuned.length < 6 and drawn["perplexity"].better == "↓"
    for pair in drawn.values():
        for _, bar in pair.bars:
            assert 0 <= bar.length <= 100
            assert bar.low is None or 0 <= bar.low <= bar.length <= (bar.high or 100) <= 100


def test_spans_stand_on_one_axis_with_zero() -> None:
    record = make_record()
    named = [(r.slice, r) for r in record.results if r.task == "retention"]
    drawn = spans(named)
    assert drawn is not None
    by_name = {row.name: row for row in drawn.rows}
    assert by_name["stories"].low < drawn.zero < by_name["stories"].high
    assert drawn.zero < by_name["code"].low < by_name["code"].middle < by_name["code"].high < 100
    assert by_name["all"].label == "+4.1 %" and by_name["stories"].word == "same"
    assert spans([]) is None
