"""Arrays on their way to a device: all in one copy that the host does not wait for.

A copy to a GPU from memory that may be paged out waits until it is done. So the arrays are laid
one after the other in pinned memory, copied at once while the host goes on, and viewed apart
over there. On a CPU nothing is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_ALIGNED = 16
"""Bytes to whose multiples an array is moved up, as kernels load that many at once."""


def sent(arrays: Sequence[NDArray[Any]], device: torch.device) -> list[Tensor]:
    """The arrays as tensors on `device`.

    They share one memory there, and on a CPU each shares that of its array: none is to be
    written to.
    """
    if device.type == "cpu":
        return [torch.from_numpy(array) for array in arrays]
    starts = []
    size = 0
    for array in arrays:
        starts.append(size)
        size += array.nbytes + -array.nbytes % _ALIGNED
    # PyTorch keeps pinned memory until the copies from it are done.
    host = torch.empty(size, dtype=torch.uint8, pin_memory=device.type == "cuda")
    for array, start in zip(arrays, starts, strict=True):
        within = host[start : start + array.nbytes].numpy()
        within[:] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    there = host.to(device, non_blocking=True)
    return [
        there[start : start + array.nbytes]
        .view(torch.from_numpy(np.empty(0, array.dtype)).dtype)
        .view(array.shape)
        for array, start in zip(arrays, starts, strict=True)
    ]
