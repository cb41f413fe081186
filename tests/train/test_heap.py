"""Memory that is freed and taken again costs the system's pages once."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from tunesmith.train.heap import keep_freed_memory
import numpy as np
if sys.argv[1] == "keep":
    assert keep_freed_memory()
size = int(sys.argv[2]) * 2**20
for time in range(12):
    if time == 2:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    pieces = [np.full(size, 1, dtype=np.uint8) for piece in range(3)]
    del pieces
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str, mebibytes: int) -> int:
    command = [sys.executable, "-c", FAULTS, how, str(mebibytes)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_pages_are_taken_once() -> None:
    assert faults("keep", 24) < 0.1 * faults("leave", 24)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_large_pieces_still_go_back() -> None:
    pages_of_one = 40 * 2**20 // (64 * 2**10)
    assert faults("keep", 40) > pages_of_one, "each is a mapping of its own"
