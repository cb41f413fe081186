"""How a run computes its output head on a GPU: measured once, recorded, replayed on resume.

In state.json the choice stands as `{"choices": {"head": "chunked", ...}}`, and in events.jsonl
with its figures. Elsewhere nothing is measured: there `models.output` has its order. Nor where
the model lies in parts on several processes: its head is whole only while all of them run it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from tunesmith.data.store import PackedRows
from tunesmith.errors import RunError
from tunesmith.models.output.choice import Choice, Stopwatch, choose_way, states_like
from tunesmith.models.output.logprobs import use_way, why_not
from tunesmith.models.precision import products
from tunesmith.train.processes import Group
from tunesmith.train.resume import Identity

_LOOKED_AT = 2**20
"""Tokens from whose weights the share of the trained ones is told."""
_EXTRAS = {"liger": "liger", "cut_cross_entropy": "cut-cross-entropy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What a head will have to do."""

    tokens: int
    """Trained ones of a forest."""
    repeatable: bool
    """Whether the same bits are asked for each time."""


def workload(rows: PackedRows, room: int, rows_per_step: int, *, repeatable: bool) -> Workload:
    """What is usual in a run whose forests have room for so many tokens."""
    trained = float(np.count_nonzero(rows.weights[:_LOOKED_AT]))
    share = trained / max(len(rows.weights[:_LOOKED_AT]), 1)
    step = rows_per_step * len(rows.ids) / max(len(rows.lengths), 1)
    return Workload(tokens=max(round(min(room, step) * share), 1), repeatable=repeatable)


def settle_head(
    model: nn.Module,
    identity: Identity,
    group: Group,
    *,
    load: Workload,
    report: Callable[[Choice], None],
    stopwatch: Stopwatch | None = None,
) -> Identity:
    """The run with its way of computing the head chosen, and the model set to it.

    Args:
        model: as it is trained.
        identity: with the choice of an earlier attempt, where there was one.
        group: the processes that train together; the first one measures.
        load: what to measure with.
        report: is given a new choice.
        stopwatch: by default the GPU's.

    Raises:
        RunError: what was chosen cannot be had here.
    """
    if identity.versions["device"] != "cuda" or identity.versions["placement"] == "fsdp":
        return identity
    recorded = identity.choices.get("head")
    if isinstance(recorded, str):
        _require(model, recorded)
        use_way(model, recorded)
        return identity

    def chosen() -> Choice:
        choice = choose_way(model, load.tokens, repeatable=load.repeatable, stopwatch=stopwatch)
        report(choice)
        return choice

    choice = group.shared(chosen)
    use_way(model, choice.way)
    return replace(identity, choices={**identity.choices, "head": choice.way})


def _require(model: nn.Module, name: str) -> None:
    like_ND = states_like(model)
    if like_ND is None or name == "general":
        return
    with products(model):
        reason = why_not(model, name, like_ND)
    if reason:
        extra = _EXTRAS.get(name)
        fix = f"pip install 'tunesmith[{extra}]', or " if extra else ""
        raise RunError(
            f"this run computes its output head by {name}, and here that cannot be: {reason}",
            hint=f"{fix}go on where the run began, or start a new one with another --output",
        )
