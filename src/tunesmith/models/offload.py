"""Inputs of layers that are computed again, in main memory until the backward pass wants them.

    forward     layer i's input leaves while layer i computes; the device's copy is given up
                before layer i + 1 computes
    backward    layer i - 1's input arrives while layer i is computed again

So the device holds two layers' inputs instead of all. The copies run on a CUDA stream of their
own, beside the products. Nothing is rounded: the bits that left come back.

When memory is given back to torch is what makes this safe and small. A tensor is let go only
after the computing stream was told to wait for its copy: whatever takes its place is written
later. (`Tensor.record_stream` is as safe, but memory then returns when the GPU gets there, and
a host that is a whole forward pass ahead finds none of it free.) Pinned memory may be let go
earlier: torch's allocator waits for the copies that use it, and reuses it in the next pass.

Shapes: T tokens, H width of the hidden states.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from weakref import ReferenceType, ref

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from tunesmith.errors import ResourceError

_SMALLEST = 4096
"""Bytes below which a copy costs more than the memory is worth: a page."""


class Carrier(Protocol):
    """Copies between a device and main memory."""

    def room(self, like: Tensor) -> Tensor:
        """Main memory for a tensor's numbers."""

    def carry(self, source: Tensor, target: Tensor) -> object:
        """Begin a copy, after all that is asked of the device so far; a mark to wait for."""

    def wait(self, mark: object) -> None:
        """Let all that is asked of the device from here on come after a copy."""


class PlainCarrier:
    """Copies at once: what a CPU does."""

    def room(self, like: Tensor) -> Tensor:
        """Memory as any other."""
        return torch.empty(like.shape, dtype=like.dtype)

    def carry(self, source: Tensor, target: Tensor) -> object:
        """The copy is done when this returns."""
        return target.copy_(source)

    def wait(self, mark: object) -> None:
        """There is nothing to wait for."""


class CudaCarrier:
    """Copies through pinned memory on a stream of their own."""

    def __init__(self, device: torch.device) -> None:
        """Begin a stream on `device`."""
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._largest = 0

    def room(self, like: Tensor) -> Tensor:
        """Pinned memory.

        Every piece is as large as the largest so far, so that all of them can be reused for one
        another: torch keeps pieces of other sizes apart.

        Raises:
            ResourceError: the system gives no more pinned memory.
        """
        size = like.numel() * like.element_size()
        self._largest = max(self._largest, size)
        try:
            piece = torch.empty(self._largest, dtype=torch.uint8, pin_memory=True)
        except RuntimeError as error:
            raise ResourceError(
                f"the system gives no {self._largest / 2**20:,.0f} MiB of pinned main memory",
                hint="use train.activation_offloading: false, and a smaller "
                "train.tokens_per_forest where the device then has too little memory",
            ) from error
        return piece[:size].view(like.dtype).view(like.shape)

    def carry(self, source: Tensor, target: Tensor) -> object:
        """Begin the copy when the present stream has come to where it is now."""
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._stream):
            target.copy_(source, non_blocking=True)
            return self._stream.record_event()

    def wait(self, mark: object) -> None:
        """The device waits; the host does not."""
        assert isinstance(mark, torch.cuda.Event), "`carry` has made it"
        torch.cuda.current_stream(self._device).wait_event(mark)


def carrier_for(device: torch.device) -> Carrier:
    """What copies between this device and main memory."""
    return CudaCarrier(device) if device.type == "cuda" else PlainCarrier()


@dataclass(slots=True, kw_only=True, eq=False, weakref_slot=True)
class _Input:
    """A layer's input: on the device, in main memory, or in both while it is copied."""

    previous: _Input | None
    """That of the layer below."""
    here_TH: Tensor | None
    away_TH: Tensor | None = None
    mark: object = None
    """Of the copy that began last."""


class Offload:
    """The inputs of one model's layers, on their way out and back."""

    def __init__(
        self,
        carriers: Callable[[torch.device], Carrier] = carrier_for,
        *,
        smallest: int = _SMALLEST,
    ) -> None:
        """Nothing is away.

        Args:
            carriers: makes what copies, when the device is known.
            smallest: bytes from which on a tensor leaves the device.
        """
        self._carriers, self._smallest = carriers, smallest
        self._carrier: Carrier | None = None
        self._device = torch.device("cpu")
        self._newest: ReferenceType[_Input] | None = None  # the backward pass is who keeps it
        self._leaving: _Input | None = None
        self._arriving: _Input | None = None

    def begin(self) -> None:
        """A forward pass begins: what a broken one has left behind is let go."""
        self._newest = None
        self._let_leave()
        self._let_arrive()

    def keeping(self, *, stays: bool) -> saved_tensors_hooks:
        """Within the block, what is kept for the backward pass is kept in main memory.

        Args:
            stays: the backward pass begins with this layer: its input is not worth sending.
        """
        return saved_tensors_hooks(self._stay if stays else self._send, self._fetch)

    def _send(self, states_TH: Tensor) -> Tensor | _Input:
        size = states_TH.numel() * states_TH.element_size()
        if size < self._smallest or not states_TH.is_contiguous():
            return states_TH
        self._let_leave()
        if self._carrier is None:
            self._device = states_TH.device
            self._carrier = self._carriers(self._device)
        away_TH = self._carrier.room(states_TH)
        mark = self._carrier.carry(states_TH, away_TH)
        sent = _Input(previous=self._before(), here_TH=states_TH, away_TH=away_TH, mark=mark)
        self._newest, self._leaving = ref(sent), sent
        return sent

    def _stay(self, states_TH: Tensor) -> Tensor | _Input:
        if states_TH.numel() == 0:
            return states_TH
        self._let_leave()
        return _Input(previous=self._before(), here_TH=states_TH)

    def _before(self) -> _Input | None:
        return None if self._newest is None else self._newest()

    def _fetch(self, kept: Tensor | _Input) -> Tensor:
        if isinstance(kept, Tensor):
            return kept
        self._let_leave()
        if kept.away_TH is not None and kept is not self._arriving:
            self._call_back(kept)
        states_TH = kept.here_TH
        assert states_TH is not None, "it has stayed, or arrives"
        self._let_arrive()
        if kept.previous is not None:
            self._call_back(kept.previous)
        return states_TH

    def _call_back(self, sent: _Input) -> None:
        """Let an input begin to arrive."""
        self._let_arrive()
        assert self._carrier is not None and sent.away_TH is not None, "it was sent"
        sent.here_TH = torch.empty_like(sent.away_TH, device=self._device)
        sent.mark = self._carrier.carry(sent.away_TH, sent.here_TH)
        self._arriving = sent

    def _let_leave(self) -> None:
        """Give up the device's copy of the input that has left."""
        leaving, self._leaving = self._leaving, None
        if leaving is not None:
            self._wait_for(leaving)

    def _let_arrive(self) -> None:
        """Hand over the input that is arriving, which the device's copy is given up with."""
        arriving, self._arriving = self._arriving, None
        if arriving is not None:
            self._wait_for(arriving)

    def _wait_for(self, copied: _Input) -> None:
        assert self._carrier is not None, "it has begun this copy"
        self._carrier.wait(copied.mark)
        copied.here_TH = copied.mark = None
