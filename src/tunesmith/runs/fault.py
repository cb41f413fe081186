"""Faults on demand, for tests: `TUNESMITH_FAULT=point:n:action`, and nothing otherwise.

Code that must survive a crash calls `reach("fsync")` at its named points. With
`TUNESMITH_FAULT=fsync:3:kill` the third arrival at `fsync` kills the process as `kill -9`
does; `stop` suspends it until SIGCONT; `raise` raises an OSError (input/output error),
`enospc` says that the disk is full.
The variable is read at each arrival, so that a test may set it late.
"""

from __future__ import annotations

import errno
import os
import signal
from collections import Counter

VARIABLE = "TUNESMITH_FAULT"
_arrivals: Counter[str] = Counter()


def reach(point: str) -> None:
    """Note that `point` is reached, and fail there if this is the arrival asked for.

    Raises:
        OSError: the action is `raise` (EIO) or `enospc` (ENOSPC).
    """
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    _arrivals[point] += 1
    where, number, action = wanted.split(":")
    if where != point or _arrivals[point] != int(number):
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
        return
    code = {"raise": errno.EIO, "enospc": errno.ENOSPC}[action]
    raise OSError(code, f"{os.strerror(code)} (asked for by {VARIABLE})")
