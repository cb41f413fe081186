"""Which machine and which versions figures belong to, and whether it had other work to do."""

from __future__ import annotations

import importlib.util
import os
import platform
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

PACKAGES = ("tunesmith", "torch", "transformers", "peft", "trl", "datasets", "accelerate")
INSTRUCTIONS = (
    "avx2", "fma", "avx512f", "avx512_bf16", "avx512_vnni", "avx512_fp16", "amx_tile", "amx_bf16",
    "amx_int8", "asimd", "sve", "bf16",
)  # fmt: skip
_VERSIONS = """
import sys
from importlib import metadata
for name in sys.argv[1:]:
    try:
        print(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        pass
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """Seconds that all processors worked, and that the hypervisor took, since the start."""

    worked: float
    stolen: float


def describe_machine() -> dict[str, str]:
    """Processor, cores, memory, instruction sets, system and Python."""
    facts = {"processor": _processor(), "cores": str(_cores())}
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    facts["memory"] = f"{pages / 2**30:.0f} GiB"
    flags = _flags()
    if flags:
        facts["instruction sets"] = ", ".join(name for name in INSTRUCTIONS if name in flags)
    facts["system"] = f"{platform.system()} {platform.release()}"
    facts["python"] = platform.python_version()
    facts["threads"] = os.environ.get("OMP_NUM_THREADS", "all cores")
    return facts


def versions(python: Path | None = None) -> dict[str, str]:
    """Versions of the packages that matter, here or in another environment."""
    if python is None:
        return {
            name: metadata.version(name)
            for name in PACKAGES
            if importlib.util.find_spec(name) is not None
        }
    names = [*PACKAGES, "llamafactory"]
    command = [str(python), "-c", _VERSIONS, *names]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def busy_so_far() -> Busy | None:
    """From /proc/stat, for comparing two moments; None on other systems."""
    file = Path("/proc/stat")
    if not file.exists():
        return None
    ticks = [int(word) for word in file.read_text().splitlines()[0].split()[1:]]
    second = os.sysconf("SC_CLK_TCK")
    idle = ticks[3] + ticks[4]
    return Busy(worked=(sum(ticks[:7]) - idle) / second, stolen=ticks[7] / second)


def _processor() -> str:
    for line in _lines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    if platform.system() == "Linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _flags() -> set[str]:
    for line in _lines():
        if line.startswith(("flags", "Features")):
            return set(line.split(":", 1)[1].split())
    return set()


def _lines() -> list[str]:
    file = Path("/proc/cpuinfo")
    return file.read_text(errors="replace").splitlines() if file.exists() else []
