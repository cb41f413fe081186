"""Freed memory stays with the process: the next step takes it again without asking the system.

The C library gives large pieces back when they are freed, and the system clears each page
when it hands it out anew; a training step frees and takes the same pieces over and over.
Source of the two settings: mallopt(3).
"""

from __future__ import annotations

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST = 2**31 - 1
_LARGEST_OF_OLD = 32 * 2**20


def keep_freed_memory() -> bool:
    """Tell the C library to keep what is freed; whether there is one that understands."""
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)

    def set_to(setting: int, value: int) -> bool:
        return bool(library.mallopt(setting, value))

    # Before 2.35 the C library takes no more than 32 MiB as the second.
    return set_to(_TRIM_THRESHOLD, _LARGEST) and (
        set_to(_MMAP_THRESHOLD, _LARGEST) or set_to(_MMAP_THRESHOLD, _LARGEST_OF_OLD)
    )
