"""Gates: the conditions of a recipe, judged against what was measured.

    {task: retention, metric: bits_per_byte, of: difference, max: 0.05}   ->   passed or not

A gate whose figure was not measured fails: what nobody measured cannot be vouched for.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith import plugins
from tunesmith.contracts import Result
from tunesmith.errors import RecipeError, Refused
from tunesmith.recipe import Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A gate, the figure that it looks at (None: not measured), and whether it passes."""

    gate: Gate
    value: float | None
    passed: bool

    def __str__(self) -> str:
        """`retention bits_per_byte difference = 0.12, must be at most 0.05: failed`."""
        gate = self.gate
        name = f"{gate.task} {gate.metric}" + (f" [{gate.slice}]" if gate.slice != "all" else "")
        name += " difference" if gate.of == "difference" else ""
        value = "was not measured" if self.value is None else f"= {self.value:.4g}"
        bounds = [f"at least {gate.min:g}"] if gate.min is not None else []
        bounds += [f"at most {gate.max:g}"] if gate.max is not None else []
        outcome = "passed" if self.passed else "failed"
        return f"{name} {value}, must be {' and '.join(bounds)}: {outcome}"


def judge_gates(gates: Sequence[Gate], results: Sequence[Result]) -> tuple[Verdict, ...]:
    """The verdict on each gate, in order."""
    figures = {(result.task, result.metric, result.slice): result for result in results}
    verdicts = []
    for gate in gates:
        result = figures.get((gate.task, gate.metric, gate.slice))
        value = None
        if result is not None:
            value = result.tuned if gate.of == "tuned" else result.difference
        passed = (
            value is not None
            and (gate.min is None or value >= gate.min)
            and (gate.max is None or value <= gate.max)
        )
        verdicts.append(Verdict(gate=gate, value=value, passed=passed))
    return tuple(verdicts)


def refuse_failed(verdicts: Sequence[Verdict]) -> None:
    """Say no where a gate fails; called when everything is written.

    Raises:
        Refused: at least one gate fails; all of them are named.
    """
    failed = [str(verdict) for verdict in verdicts if not verdict.passed]
    if failed:
        raise Refused(
            "; ".join(failed),
            hint="the model and the report are written; read report.html before you change"
            " the gate or train again",
        )


def check_names(tasks: Sequence[str] | None, gates: Sequence[Gate]) -> None:
    """Check, before anything is computed, that tasks and gates name what exists.

    Raises:
        RecipeError: there is no such task or metric; or a gate's task is not evaluated.
    """
    for name in tasks or ():
        plugins.load("tasks", name)
    for gate in gates:
        metrics = [metric.name for metric in plugins.load("tasks", gate.task).METRICS]
        if gate.metric not in metrics:
            near = difflib.get_close_matches(gate.metric, metrics, n=1)
            suggestion = f"did you mean {near[0]}? " if near else ""
            raise RecipeError(
                f"gates: {gate.task} has no metric {gate.metric}",
                hint=f"{suggestion}there are: {', '.join(metrics)}",
            )
        if tasks is not None and gate.task not in tasks:
            raise RecipeError(
                f"gates: {gate.task} is not among evaluate.tasks, so the gate can never pass",
                hint=f"add {gate.task} to evaluate.tasks, or remove the gate",
            )
