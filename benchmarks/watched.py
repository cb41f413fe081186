"""A command with the memory and the processor time of all its processes, followed from outside.

Linux only: /proc is looked at four times a second. `VmHWM` is the kernel's own record of a
process's peak, so that nothing between two looks is missed, but for processes that live shorter
than that; mapped files count in it as far as they are in memory.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PAUSE = 0.25
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What a command took."""

    code: int
    """Exit code; -9 where it was killed."""
    output: str
    errors: str
    seconds: float
    cpu_seconds: float
    """Of all its processes."""
    peak_mib: float
    """Most memory of the first process."""
    workers_mib: tuple[float, ...] = field(default=())
    """Most memory of each further process."""


@dataclass(slots=True)
class _Seen:
    peak_mib: float = 0.0
    cpu_seconds: float = 0.0


def watch(command: Sequence[str], log: Path, variables: Mapping[str, str]) -> Watched:
    """Run a command to its end, and wait for the processes that it leaves.

    Args:
        command: program and arguments.
        log: folder for what it prints.
        variables: of the environment, beside those that are set.
    """
    log.mkdir(parents=True, exist_ok=True)
    seen: dict[int, _Seen] = {}
    began = time.perf_counter()
    with (log / "stdout").open("w+") as output, (log / "stderr").open("w+") as errors:
        process = subprocess.Popen(
            command, stdout=output, stderr=errors, env={**os.environ, **variables}
        )
        family = [process.pid]
        while process.poll() is None:
            family = [process.pid, *_descendants(process.pid)]
            for number in family:
                _look(number, seen)
            time.sleep(_PAUSE)
        seconds = time.perf_counter() - began
        while any(Path(f"/proc/{number}").exists() for number in family[1:]):
            time.sleep(0.05)  # workers end by themselves when their parent is gone
        said = [stream.seek(0) or stream.read() for stream in (output, errors)]
    first = seen.get(process.pid, _Seen())
    return Watched(
        code=process.returncode,
        output=said[0],
        errors=said[1],
        seconds=seconds,
        cpu_seconds=sum(one.cpu_seconds for one in seen.values()),
        peak_mib=first.peak_mib,
        workers_mib=tuple(one.peak_mib for pid, one in seen.items() if pid != process.pid),
    )


def _descendants(parent: int) -> list[int]:
    try:
        listed = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [pid for child in map(int, listed) for pid in (child, *_descendants(child))]


def _look(number: int, seen: dict[int, _Seen]) -> None:
    folder = Path(f"/proc/{number}")
    try:
        status = folder.joinpath("status").read_text()
        times = folder.joinpath("stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return  # it has just ended
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            one = seen.setdefault(number, _Seen())
            one.peak_mib = int(line.split()[1]) / 1024
            one.cpu_seconds = (int(times[11]) + int(times[12])) / _TICKS
