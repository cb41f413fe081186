"""Charts as small inline SVG that stretch with the page, in the page's own colours.

Lines live in a box of 1000 by 1000 units that is stretched to whatever room there is, with
strokes that are not stretched; words stand beside it as HTML. So a chart is readable on a
telephone and on paper, in light and dark, and needs no script.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.contracts import Result
from tunesmith.evaluate.record import Interval
from tunesmith.evaluate.wording import metric_name, number, signed, verdict
from tunesmith.report.facts import Facts
from tunesmith.report.verdict import relative, signed_percent

Point = tuple[float, float]
_MOST_POINTS = 400
_SIDE = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The loss over the steps, ready to be drawn in the 1000 by 1000 box."""

    raw: str
    """Path of the training loss."""
    smooth: str
    """Path of its running mean; empty for short runs."""
    held_out: str
    dots: tuple[Point, ...]
    """Held-out measurements."""
    chosen: Point | None
    chosen_label: str
    heights: tuple[tuple[float, str], ...]
    """Share of the height from the top, and the label there."""
    steps: tuple[tuple[float, str], ...]
    """Share of the width, and the label there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One model's figure: its length, and its 95 % interval, as percent of the width."""

    label: str
    length: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Base and tuned, one below the other on a scale of their own."""

    name: str
    better: str
    """An arrow: up where more is better."""
    bars: tuple[tuple[str, Bar], ...]
    """`base` and `tuned`."""
    difference: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A difference with its interval on a common axis, in percent of the width."""

    name: str
    low: float
    high: float
    middle: float
    label: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Several of them, and where the axis has its zero."""

    zero: float
    rows: tuple[Span, ...]


def loss_curve(facts: Facts) -> Curve | None:
    """The training and the held-out loss; None with fewer than two points."""
    train = [(float(step.step), step.loss) for step in facts.steps]
    held_out = [(float(step), loss) for step, loss in facts.held_out]
    points = [*train, *held_out]
    if len(train) < 2 and len(held_out) < 2:
        return None
    right = max(step for step, _ in points)
    ticks = nice_ticks(min(loss for _, loss in points), max(loss for _, loss in points))
    bottom, top = ticks[0], ticks[-1]

    def place(point: Point) -> Point:
        step, loss = point
        return (
            round(_SIDE * step / max(right, 1.0), 1),
            round(_SIDE * (top - loss) / (top - bottom), 1),
        )

    thinned = _thinned(train)
    chosen_step = facts.train.get("chosen_step")
    chosen = next((point for point in held_out if point[0] == chosen_step), None)
    return Curve(
        raw=_path([place(point) for point in thinned]),
        smooth=_path([place(point) for point in _smoothed(thinned)]) if len(thinned) > 20 else "",
        held_out=_path([place(point) for point in held_out]),
        dots=tuple(place(point) for point in held_out),
        chosen=None if chosen is None else place(chosen),
        chosen_label="" if chosen is None else f"step {chosen[0]:.0f}, {number(chosen[1])}",
        heights=tuple(((top - tick) / (top - bottom), f"{tick:g}") for tick in ticks),
        steps=tuple((tick / max(right, 1.0), f"{tick:g}") for tick in nice_ticks(0.0, right)
                    if tick <= right),
    )  # fmt: skip


def pairs(results: Sequence[Result], intervals: Sequence[Interval]) -> tuple[Pair, ...]:
    """Bars of base and tuned for each result of a task; slices of a figure share its scale."""
    known = {(i.task, i.metric, i.slice): i for i in intervals}
    drawn = [
        (result, known.get((result.task, result.metric, result.slice)))
        for result in results
        if result.base is not None
    ]
    largest: dict[str, float] = {}
    for result, interval in drawn:
        largest[result.metric] = max(largest.get(result.metric, 0.0), _reach(result, interval))
    return tuple(_pair(result, interval, largest[result.metric]) for result, interval in drawn)


def spans(named: Sequence[tuple[str, Result]]) -> Spans | None:
    """Differences in percent of the base, on one axis; None where there is nothing to draw."""
    shares = [(name, result, relative(result)) for name, result in named]
    drawn = [(name, result, share) for name, result, share in shares if share is not None]
    if not drawn:
        return None
    left = min(0.0, *(share[1] for _, _, share in drawn))
    right = max(0.0, *(share[2] for _, _, share in drawn))
    room = (right - left) * 0.06 or 1.0
    left, right = left - room, right + room

    def place(share: float) -> float:
        return round(100 * (share - left) / (right - left), 2)

    return Spans(
        zero=place(0.0),
        rows=tuple(
            Span(
                name=name,
                low=place(share[1]),
                high=place(share[2]),
                middle=place(share[0]),
                label=signed_percent(share[0]),
                word=verdict(result),
            )
            for name, result, share in drawn
        ),
    )


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from at most `low` to at least `high`, about `count` of them."""
    # A curve that hardly moves is drawn flat.
    width = max(high - low, 1e-3 * max(abs(low), abs(high), 1e-3))
    raw = width / count
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= raw * 0.999)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(step * index, 10) for index in range(first, max(last, first + 1) + 1)]


def _reach(result: Result, interval: Interval | None) -> float:
    """The largest number to be drawn."""
    ends = [*(interval.base or ()), *(interval.tuned or ())] if interval is not None else []
    numbers: list[float] = [result.base or 0.0, result.tuned, *ends]
    return max(numbers)


def _pair(result: Result, interval: Interval | None, largest: float) -> Pair:
    assert result.base is not None
    scale = _full_width(result, largest)
    part = "" if result.slice == "all" else f", {result.slice.replace('_', ' ')}"

    def bar(value: float, ends: tuple[float, float] | None) -> Bar:
        return Bar(
            label=number(value),
            length=_share(value, scale),
            low=None if ends is None else _share(ends[0], scale),
            high=None if ends is None else _share(ends[1], scale),
        )

    return Pair(
        name=metric_name(result.metric) + part,
        better="↑" if result.higher_is_better else "↓",
        bars=(
            ("base", bar(result.base, interval.base if interval else None)),
            ("tuned", bar(result.tuned, interval.tuned if interval else None)),
        ),
        difference=signed(result.difference),
        word=verdict(result),
    )


def _full_width(result: Result, largest: float) -> float:
    """Scores and shares run to their maximum; other figures to the larger of the two."""
    if result.unit == "0 to 100":
        return 100.0
    if result.unit == "0 to 1" or (result.unit.startswith("share") and result.higher_is_better):
        return 1.0
    return largest * 1.02 or 1.0


def _share(value: float, scale: float) -> float:
    return round(min(100.0, max(0.0, 100 * value / scale)), 2)


def _thinned(points: list[Point]) -> list[Point]:
    """At most 400 points, each the mean of its neighbours."""
    size = math.ceil(len(points) / _MOST_POINTS)
    if size <= 1:
        return points
    groups = [points[start : start + size] for start in range(0, len(points), size)]
    return [
        (sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group))
        for group in groups
    ]


def _smoothed(points: list[Point]) -> list[Point]:
    """The mean of each point and its neighbours."""
    reach = max(2, min(20, len(points) // 16))
    smooth = []
    for index, (step, _) in enumerate(points):
        # At the steep beginning the window is even on both sides; at the end it only looks back.
        side = min(reach, index)
        near = [loss for _, loss in points[index - side : index + side + 1]]
        smooth.append((step, sum(near) / len(near)))
    return smooth


def _path(points: Sequence[Point]) -> str:
    return "" if len(points) < 2 else "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
