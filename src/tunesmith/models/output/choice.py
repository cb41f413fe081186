"""Which way of computing the head is fastest on a GPU, found by measuring once for a run.

Every file of `models/heads` that takes the head, and proves to be right on this device, runs
on random hidden states of the run's width and usual number of trained tokens: the
log-probabilities, and their gradients by what is trained. Chosen is the fastest whose peak
memory the plan has room for. A way that waits for the device costs a step more than it takes
itself, so it has to be faster by `_GAIN`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from statistics import median

import torch
from torch import Tensor, nn

from tunesmith import plugins
from tunesmith.contracts import JsonObject
from tunesmith.models.compiled import said
from tunesmith.models.output.agreement import failures
from tunesmith.models.output.logprobs import way_called, why_not
from tunesmith.models.output.reading import HeadReading, read_head
from tunesmith.models.precision import products

ROOM = 2**30
"""Bytes beyond what is given that a head may take: what the memory plan sets aside on a GPU."""
_OWN = "chunked"
_GAIN = 0.97
_WARM_UP, _RUNS = 2, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What one way took; the figures are None where it does not run."""

    way: str
    milliseconds: float | None = None
    peak_bytes: int | None = None
    """Beyond what was there before."""
    why_not: str = ""

    @property
    def ran(self) -> bool:
        """Whether there are figures."""
        return self.milliseconds is not None

    def __str__(self) -> str:
        peak = (self.peak_bytes or 0) / 2**20
        return f"{self.way} {self.milliseconds or 0:.1f} ms and {peak:,.0f} MiB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The way that was chosen, and all figures."""

    way: str
    tokens: int
    timings: tuple[Timing, ...]

    def as_json(self) -> JsonObject:
        """Plain data, for events.jsonl."""
        timings = [asdict(timing) for timing in self.timings]
        return {"way": self.way, "tokens": self.tokens, "timings": [*timings]}

    def __str__(self) -> str:
        figures = "; ".join(str(timing) for timing in self.timings if timing.ran)
        measured = f" (for {self.tokens:,} trained tokens: {figures})" if figures else ""
        return f"output head: {self.way}{measured}"


Stopwatch = Callable[[Callable[[], object]], tuple[float, int]]
"""Milliseconds of some work, and the bytes that it takes at its peak."""


def choose_way(
    model: nn.Module, tokens: int, *, repeatable: bool, stopwatch: Stopwatch | None = None
) -> Choice:
    """Measure every way that there is for the head of a model.

    Args:
        model: on the device, as it is trained.
        tokens: that go through the head at once in this run.
        repeatable: whether only ways count that give the same bits twice.
        stopwatch: by default the device's own.
    """
    timings = tuple(_timings(model, max(tokens, 2), repeatable, stopwatch or on_cuda))
    return Choice(way=_best(timings), tokens=tokens, timings=timings)


def states_like(model: nn.Module) -> Tensor | None:
    """No hidden states, of the device and precision that the head gets; None without a reading."""
    reading = read_head(model).reading
    return None if reading is None else _states(reading, 0)


def on_cuda(work: Callable[[], object]) -> tuple[float, int]:
    """The median of a few runs, by the device's clock, after what has to be compiled is."""
    for _ in range(_WARM_UP):
        work()
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    taken = []
    for _ in range(_RUNS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        start.record()
        work()
        end.record()
        end.synchronize()
        taken.append(start.elapsed_time(end))
    peak = torch.cuda.max_memory_allocated() - before
    torch.cuda.empty_cache()
    return median(taken), peak


def _timings(
    model: nn.Module, tokens: int, repeatable: bool, stopwatch: Stopwatch
) -> Iterator[Timing]:
    head = read_head(model)
    if head.reading is None:
        yield Timing(way="general", why_not="it is the only one that takes this head")
        return
    hidden_ND = _states(head.reading, tokens).requires_grad_()
    targets_N = torch.arange(tokens, device=hidden_ND.device) % head.vocabulary
    slopes_N = torch.ones_like(targets_N, dtype=torch.float32)
    weights = (head.reading.weight_VD, head.reading.bias_V)
    leaves = [hidden_ND, *(one for one in weights if one is not None and one.requires_grad)]
    for name in plugins.names("heads"):
        way = way_called(name)

        def work(name: str = name) -> object:
            logprobs_N = way_called(name).logprobs(head, hidden_ND, targets_N)
            return torch.autograd.grad(logprobs_N, leaves, slopes_N)

        with products(model), torch.enable_grad():
            reason = why_not(model, name, hidden_ND)
            if not reason and repeatable and not way.REPEATABLE:
                reason = "it does not give the same bits twice (train.deterministic)"
            if reason:
                yield Timing(way=name, why_not=reason)
                continue
            try:
                milliseconds, peak = stopwatch(work)
            except failures() as error:  # too little memory among them
                yield Timing(way=name, why_not=f"it fails: {said(error)}")
            else:
                yield Timing(way=name, milliseconds=milliseconds, peak_bytes=peak)


def _best(timings: tuple[Timing, ...]) -> str:
    own = next((timing for timing in timings if timing.way == _OWN), Timing(way=_OWN))
    room = max(ROOM, own.peak_bytes or 0)
    took = {
        timing.way: timing.milliseconds / (1.0 if timing.way == _OWN else _GAIN)
        for timing in timings
        if timing.milliseconds is not None and (timing.peak_bytes or 0) <= room
    }
    return min(took, key=lambda way: took[way], default="general")


def _states(reading: HeadReading, tokens: int) -> Tensor:
    device = reading.weight_VD.device
    generator = torch.Generator(device).manual_seed(0)
    width = reading.weight_VD.shape[1]
    made = torch.randn(tokens, width, device=device, generator=generator)
    return made.to(reading.weight_VD.dtype)
