"""Sending work to a device without waiting for it, and still knowing how long steps take.

A GPU works through a queue. Were the host to wait for every step, the GPU would idle while the
next one is prepared and sent; were it never to wait, the clock would only see how fast work is
sent. So the host waits for the step before the last one: the queue never empties, and from one
such moment to the next passes the time that a step takes.
"""

from __future__ import annotations

import time
from collections import deque

import numpy as np
import torch
from torch import Tensor

STEPS_AHEAD = 2


def send(windows_BT: np.ndarray, device: torch.device) -> Tensor:
    """Token ids on the device; to a GPU from pinned memory, while it works on."""
    windows = torch.from_numpy(windows_BT)
    if device.type != "cuda":
        return windows.to(device)
    return windows.pin_memory().to(device, non_blocking=True)


class Pace:
    """Seconds a step.

    Args:
        device: Where the steps run.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.marks: deque[torch.cuda.Event] = deque()
        self.last = time.monotonic()

    def step(self) -> float:
        """Seconds since the last call, to be called after each step was sent."""
        if self.device.type == "cuda":
            mark = torch.cuda.Event()
            mark.record(torch.cuda.current_stream(self.device))
            self.marks.append(mark)
            if len(self.marks) > STEPS_AHEAD:
                self.marks.popleft().synchronize()
        now = time.monotonic()
        seconds, self.last = now - self.last, now
        return seconds

    def rest(self) -> None:
        """Begin anew: what passed since the last call was no step."""
        self.marks.clear()
        self.last = time.monotonic()
