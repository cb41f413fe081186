"""How much of what the device can multiply a training step uses.

    share = operations of the step / (seconds of the step x rate of large matrix products)

The rate is that of the fastest of a few shapes: a square one, and those of an 8B model's layers.
Operations are those of `benchmarks.limit`: what the step's forests need, once. What is computed
twice to save memory does not count, and FP8 is measured by the rate of bf16 as well.
"""

from __future__ import annotations

import time
from functools import cache

import torch

# Rows, inputs and outputs of x W.
SHAPES = {
    "cuda": ((8192, 8192, 8192), (8192, 4096, 14336), (8192, 14336, 4096), (16384, 8192, 8192)),
    "cpu": ((512, 512, 512),),
}
TIMES = 10


@cache
def product_rate(device: str) -> float:
    """Operations a second of large products, the best of all: bf16 on CUDA, fp32 on a CPU."""
    return max(_rate(device, *shape) for shape in SHAPES[device])


def _rate(device: str, rows: int, inputs: int, outputs: int) -> float:
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    left = torch.randn(rows, inputs, device=device, dtype=dtype)
    right = torch.randn(inputs, outputs, device=device, dtype=dtype)
    for _ in range(3):
        left @ right
    synchronize(device)
    began = time.perf_counter()
    for _ in range(TIMES):
        left @ right
    synchronize(device)
    return TIMES * 2 * rows * inputs * outputs / (time.perf_counter() - began)


def synchronize(device: str) -> None:
    """Wait for the device."""
    if device == "cuda":
        torch.cuda.synchronize()
