"""Which device, driver and packages the figures belong to."""

from __future__ import annotations

import importlib.util
from importlib import metadata

import torch

from benchmarks.gpu.part import line, read_part

PACKAGES = (
    "torch", "triton", "transformers", "peft", "trl", "liger-kernel", "bitsandbytes", "pydantic",
    "ruamel.yaml", "accelerate", "datasets",
)  # fmt: skip


def main() -> None:
    """Print what is there."""
    part = read_part(__doc__)
    if part.device == "cuda":
        free, total = torch.cuda.mem_get_info()
        major, minor = torch.cuda.get_device_capability()
        line(
            what="device",
            value=f"{torch.cuda.get_device_name()}, compute capability {major}.{minor}, "
            f"{free / 2**30:.0f} of {total / 2**30:.0f} GiB free, CUDA {torch.version.cuda}",
        )
    else:
        line(what="device", value=f"CPU, {torch.get_num_threads()} threads")
    for name in PACKAGES:
        there = importlib.util.find_spec(name.replace("-", "_").split(".")[0]) is not None
        line(what=name, value=metadata.version(name) if there else "absent")
    if part.device == "cuda":
        line(what="bf16 products, TFLOP/s", value=round(products(), 1))


def products() -> float:
    """Rate of a large matrix product."""
    size = 8192
    left, right = (torch.randn(size, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    for _ in range(3):
        left @ right
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(10):
        left @ right
    end.record()
    torch.cuda.synchronize()
    return 10 * 2 * size**3 / (start.elapsed_time(end) / 1e3) / 1e12


if __name__ == "__main__":
    main()
