"""Freed memory stays with the process: the next step takes it again without asking the system.

The C library gives large pieces back when they are freed, and the system clears each page
when it hands it out anew; a training step frees and takes the same pieces over and over.
Pieces beyond 32 MiB, such as logits of a large vocabulary, still come and go: on the heap they
would be kept apart by the small results between them. Source of the settings: mallopt(3).
"""

from __future__ import annotations

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST = 2**31 - 1
_LARGE_PIECE = 32 * 2**20


def keep_freed_memory() -> bool:
    """Tell the C library to keep what is freed; whether there is one that understands."""
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    settings = ((_TRIM_THRESHOLD, _LARGEST), (_MMAP_THRESHOLD, _LARGE_PIECE))
    return all(bool(library.mallopt(setting, value)) for setting, value in settings)
