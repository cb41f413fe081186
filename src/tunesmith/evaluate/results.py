"""From what two models showed to results with intervals, and to scores of single rows.

Shapes: R rows, K statistics.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tunesmith.contracts import Result
from tunesmith.evaluate.compare import compare
from tunesmith.evaluate.contracts import Measure, Measurement, Task
from tunesmith.evaluate.record import Interval, PairOfScores

Measurements = Mapping[str, Measurement]
"""By task."""
RowScores = dict[str, dict[str, dict[str, PairOfScores]]]
"""By task, place of the row, and metric."""


def compare_all(
    tasks: Mapping[str, Task], base: Measurements, tuned: Measurements, seed: int
) -> tuple[tuple[Result, ...], tuple[Interval, ...]]:
    """Every figure with its interval, in the order of the tasks and of their metrics."""
    results, intervals = [], []
    for name, task in tasks.items():
        before = {(m.metric.name, m.slice): m for m in base[name].measures}
        for measure in tuned[name].measures:
            other = before[measure.metric.name, measure.slice]
            compared = compare(name, task.VERSION, other, measure, seed=seed)
            if compared is None:
                continue
            results.append(compared.result)
            intervals.append(
                Interval(
                    task=name,
                    metric=measure.metric.name,
                    slice=measure.slice,
                    base=compared.base_interval,
                    tuned=compared.tuned_interval,
                )
            )
    return tuple(results), tuple(intervals)


def score_rows(base: Measurements, tuned: Measurements) -> RowScores:
    """Each row's own figures; rows from one place (the turns of a conversation) are summed."""
    scores: RowScores = {}
    for name, measurement in tuned.items():
        before = {(m.metric.name, m.slice): m for m in base[name].measures}
        places = scores.setdefault(name, {})
        for measure in measurement.measures:
            if measure.slice != "all":
                continue
            own_base = _by_place(before[measure.metric.name, "all"])
            for place, value in _by_place(measure).items():
                pair = PairOfScores(base=own_base[place], tuned=value)
                places.setdefault(place, {})[measure.metric.name] = pair
    return scores


def _by_place(measure: Measure) -> dict[str, float | None]:
    sums: dict[str, np.ndarray] = {}
    for key, row_K in zip(measure.keys, measure.statistics_RK, strict=True):
        sums[key] = sums[key] + row_K if key in sums else row_K
    values = {key: float(measure.value(row_K)) for key, row_K in sums.items()}
    return {key: value if np.isfinite(value) else None for key, value in values.items()}
