"""A race: contestants do the same steps on the same rows, and are timed alike.

Every contestant begins each set of rows with the same weights and a fresh optimizer. Its first
steps are not timed. Where memory does not suffice, it does the set again in parts of half the
size, as long as it can: the figures are those of the largest parts that fit.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmarks.gpu.part import line, what_failed
from benchmarks.gpu.rate import product_rate, synchronize
from benchmarks.gpu.rows import LONGEST, TINY_SCALE, RowSet
from benchmarks.gpu.shapes import Case
from benchmarks.limit import operations, shapes_of, work_of_rows
from benchmarks.task import peak_gib
from tunesmith.contracts import TokenRow
from tunesmith.data.forest import Packing

RATES = {"lora": 1e-3, "full": 1e-4}
"""Learning rate of all contestants, in every step."""
KINDS = ("own", "shared", "bench")
"""Of rows; see `rows`."""
Tell = Callable[[float | Tensor, int], None]
"""Says after a step what its loss is, which may still be on its way, and how many tokens its rows
have."""
Steps = Callable[[Sequence[Sequence[TokenRow]], int, Tell], None]
"""Does the steps of a set from the start, with at most so many tokens at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A model that is ready to train."""

    steps: Steps
    note: str = ""
    """How it computes, where that was decided by what is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """Who does the steps."""

    name: str
    prepare: Callable[[], Ready]
    """Makes the model."""
    shares: bool = False
    """Whether it computes what rows begin with once for all: it then has less to do."""
    kinds: tuple[str, ...] = KINDS
    """The rows that it is measured with."""
    same_steps: bool = True
    """Whether its steps have the rows of the others' steps, so that its losses must be theirs."""
    base: str = ""
    """What the base is kept in, where it is not that of the others: the losses differ then."""


class Clock:
    """Moments on the device, which are read at the end: nothing waits for them."""

    def __init__(self, device: str) -> None:
        """No moment yet."""
        self.device = device
        self._events: list[torch.cuda.Event] = []
        self._moments: list[float] = []

    def tick(self) -> None:
        """The device has done what it was told so far."""
        if self.device == "cuda":
            event = torch.cuda.Event(enable_timing=True)
            event.record()
            self._events.append(event)
        else:
            self._moments.append(time.perf_counter())

    def seconds(self) -> list[float]:
        """Between one tick and the next."""
        synchronize(self.device)
        if self.device == "cuda":
            pairs = zip(self._events, self._events[1:], strict=False)
            return [one.elapsed_time(other) / 1000 for one, other in pairs]
        pairs_of_moments = zip(self._moments, self._moments[1:], strict=False)
        return [other - one for one, other in pairs_of_moments]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lap:
    """What a contestant did with a set of rows."""

    seconds: list[float]
    """Of each step, those that warm up included."""
    losses: list[float]
    tokens: list[int]
    """Of each step, once a row."""
    gib: float
    room: int
    """Tokens at once, padding included."""


def run(contestant: Contestant, case: Case, sets: Sequence[RowSet], room: int) -> None:
    """Print a line for each set of rows."""
    shown: dict[str, Any] = {
        "model": case.shape,
        "trained": case.adapter,
        "contestant": contestant.name,
        "base": contestant.base or str(case.dtype).removeprefix("torch."),
    }
    rows = ""
    try:
        clear(case)
        ready = contestant.prepare()
        shown |= {"note": ready.note} if ready.note else {}
        for one in sets:
            rows = one.name
            if rows in contestant.kinds:
                lap = lap_of(ready.steps, case, one, room)
                room = lap.room
                line(**shown, **figures(contestant, case, one, lap))
    except torch.cuda.OutOfMemoryError:
        line(**shown, rows=rows, skipped="out of memory")
    except Exception as error:  # the other contestants are measured all the same
        line(**shown, rows=rows, ok=False, failed=what_failed(error))


def room_of(case: Case) -> int:
    """Tokens that may be computed at once, where memory suffices: 8 of the longest rows."""
    return 8 * LONGEST // (TINY_SCALE if case.tiny else 1)


def clear(case: Case) -> None:
    """Forget what the last one left."""
    gc.collect()
    if case.device == "cuda":
        torch.cuda.empty_cache()


def lap_of(steps: Steps, case: Case, rows: RowSet, room: int) -> Lap:
    """The steps of a set, in parts of at most `room` tokens, or of half where they do not fit."""
    longest = max(row.ids_T.size for step in rows.steps for row in step)
    while True:
        try:
            return _lap(steps, case, rows, room)
        except torch.cuda.OutOfMemoryError:
            if room // 2 < longest:
                raise
            room //= 2
        clear(case)


def _lap(steps: Steps, case: Case, rows: RowSet, room: int) -> Lap:
    on_gpu = case.device == "cuda"
    clock = Clock(case.device)
    losses: list[float | Tensor] = []
    tokens: list[int] = []

    def tell(loss: float | Tensor, count: int) -> None:
        clock.tick()
        losses.append(loss)
        tokens.append(count)
        if len(losses) == 1 and on_gpu:  # what was needed to begin does not count
            torch.cuda.reset_peak_memory_stats()

    clock.tick()
    steps(rows.steps, room, tell)
    return Lap(
        seconds=clock.seconds(),
        losses=[float(loss) for loss in losses],
        tokens=tokens,
        gib=torch.cuda.max_memory_allocated() / 2**30 if on_gpu else peak_gib(),
        room=room,
    )


def figures(contestant: Contestant, case: Case, rows: RowSet, lap: Lap) -> dict[str, Any]:
    """What is printed of it."""
    timed, tokens = lap.seconds[rows.warm :], sum(lap.tokens[rows.warm :])
    seconds = sum(timed)
    packing = Packing(tokens_per_forest=2**40, share=contestant.shares)
    shapes = shapes_of(case.config)
    done = sum(operations(shapes, work_of_rows(step, packing), case.adapter) for step in rows.timed)
    done *= tokens / rows.tokens  # steps of other rows of the set have about as many pairs a token
    return {
        "rows": rows.name,
        "ok": all(math.isfinite(loss) for loss in lap.losses),
        "tokens_per_s": tokens / seconds,
        "share": done / seconds / product_rate(case.device),
        "gib": lap.gib,
        "seconds_a_step": seconds / len(timed),
        # Far above the mean: something was compiled, or made room, in a timed step.
        "slowest": max(timed) / seconds * len(timed),
        "first_step": lap.seconds[0],
        "tokens_at_once": lap.room,
        "losses": lap.losses,
        "same_steps": contestant.same_steps,
    }
