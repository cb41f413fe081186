"""What this machine is, and the precision that suits it.

Memory is what a process may take here, not what the machine has: containers limit it by
control groups, whose own files are read.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Literal

import torch

from tunesmith.contracts import Hardware
from tunesmith.errors import RecipeError

Precision = Literal["fp32", "bf16"]
_GROUPS = Path("/sys/fs/cgroup")
_LINUX = platform.system() == "Linux"
# Below this many weights a CPU spends its time elsewhere, and bf16 gains nothing.
_LARGE_ON_CPU = 300_000_000


def detect(device: Literal["auto", "cpu", "cuda", "mps"] = "auto") -> Hardware:
    """Describe the device that is asked for, or the best that is there.

    Raises:
        RecipeError: the device is not there, or is not supported.
    """
    if device == "mps":
        raise RecipeError(
            "train.device: mps is not supported in this release",
            hint="use train.device: cpu (auto picks it on this machine)",
        )
    if device == "cuda" and not torch.cuda.is_available():
        built = torch.version.cuda is not None
        raise RecipeError(
            "train.device is cuda, but torch sees no CUDA device",
            hint="check the driver (nvidia-smi), or use train.device: auto"
            if built
            else "this torch is built without CUDA: install a CUDA build, or use auto",
        )
    if device in ("auto", "cuda") and torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        return Hardware(
            device="cuda",
            name=torch.cuda.get_device_name(),
            memory_bytes=free,
            main_memory_bytes=_free_memory(),
            threads=_threads(),
            fast_bf16=torch.cuda.is_bf16_supported(including_emulation=False),
        )
    free = _free_memory()
    return Hardware(
        device="cpu",
        name=_processor_name(),
        memory_bytes=free,
        main_memory_bytes=free,
        threads=_threads(),
        fast_bf16=bool({"avx512_bf16", "amx_bf16"} & _processor_flags()),
    )


def choose_precision(
    requested: Literal["auto", "fp32", "bf16"], hardware: Hardware, parameters: int = 0
) -> tuple[Precision, str]:
    """The precision to run in, and why.

    Args:
        requested: what the recipe says.
        hardware: from `detect`.
        parameters: weights of the base; decides on CPUs with bf16 instructions.

    Raises:
        RecipeError: bf16 on a CUDA device that lacks it.
    """
    if requested == "bf16" and hardware.device == "cuda" and not hardware.fast_bf16:
        raise RecipeError(
            f"base.precision: {hardware.name} has no bf16", hint="use base.precision: fp32"
        )
    if requested == "bf16" and not hardware.fast_bf16:
        return "bf16", "as the recipe says; without bf16 instructions this is many times slower"
    if requested != "auto":
        return requested, "as the recipe says"
    if not hardware.fast_bf16:
        return "fp32", "this device has no fast bf16"
    if hardware.device == "cpu" and parameters < _LARGE_ON_CPU:
        return "fp32", "a model of this size is as fast in fp32 on a CPU, and more exact"
    return "bf16", "this device has fast bf16"


def has_fp8_products(device: torch.device) -> bool:
    """Whether a device multiplies matrices in FP8: CUDA from compute capability 8.9 on."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 9)


def _threads() -> int:
    if _LINUX:
        return min(torch.get_num_threads(), len(os.sched_getaffinity(0)))
    return torch.get_num_threads()


def _processor_name() -> str:
    for line in _lines(Path("/proc/cpuinfo")):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _processor_flags() -> set[str]:
    for line in _lines(Path("/proc/cpuinfo")):
        if line.startswith("flags"):
            return set(line.split(":", 1)[1].split())
    return set()


def _free_memory() -> int:
    """Bytes that this process can still take."""
    free = [
        int(line.split()[1]) * 1024
        for line in _lines(Path("/proc/meminfo"))
        if line.startswith("MemAvailable:")
    ]
    if not free:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([*free, *_group_room()])


def _group_room() -> list[int]:
    """What each control group around this process leaves; unlimited groups say nothing."""
    room = []
    for line in _lines(Path("/proc/self/cgroup")):
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, limit, usage = _GROUPS, "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            root = _GROUPS / "memory"
            limit, usage = "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        group = root / path.strip().lstrip("/")
        # Inside a container the path may be the host's: the root of the mount is then ours.
        for folder in {group, *group.parents} if group.exists() else {root}:
            allowed, used = _lines(folder / limit), _lines(folder / usage)
            if not folder.is_relative_to(root) or not used or not allowed:
                continue
            if allowed[0] != "max":
                room.append(max(0, int(allowed[0]) - int(used[0]) + _reclaimable(folder)))
    return room


def _reclaimable(folder: Path) -> int:
    """The page cache that counts as used and is given back on demand."""
    for line in _lines(folder / "memory.stat"):
        if line.startswith(("inactive_file ", "total_inactive_file ")):
            return int(line.split()[1])
    return 0


def _lines(path: Path) -> list[str]:
    """A kernel file's lines; none where there is no such file (another system)."""
    if not path.is_file():
        return []
    return path.read_text("utf-8", errors="replace").splitlines()
