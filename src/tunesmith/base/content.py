"""A digest of everything in large files, made on every core at once.

    of a file    sha256(sha256(piece 1) sha256(piece 2) ...)     pieces of 16 MiB

One sha256 after another is slower than a disk, and a base of 7B would take longer to look at than
to load.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PIECE = 2**24
"""Bytes; part of what a digest means."""
_AT_ONCE = 2**20
"""Bytes that a thread reads at a time: they are still in its cache when they are hashed."""
_MOST_THREADS = 32


def digest_of(head: bytes, files: Iterable[Path]) -> str:
    """sha256 over `head` and the digests of the files, in this order; every byte is read."""
    total = hashlib.sha256(head)
    with ThreadPoolExecutor(_threads()) as pool:
        for file in files:
            whole = hashlib.sha256()
            # As long as its pieces say: a file that shrinks meanwhile has another digest.
            starts = range(0, file.stat().st_size, PIECE)
            for piece in pool.map(_of_piece, [file] * len(starts), starts):
                whole.update(piece)
            total.update(whole.digest())
    return total.hexdigest()


def _of_piece(file: Path, start: int) -> bytes:
    """sha256 of one piece; hashing and reading let other threads work."""
    made = hashlib.sha256()
    room = memoryview(bytearray(min(_AT_ONCE, PIECE)))
    end = start + PIECE
    with file.open("rb", buffering=0) as stream:
        stream.seek(start)
        while start < end and (count := stream.readinto(room[: end - start])):
            made.update(room[:count])
            start += count
    return made.digest()


def _threads() -> int:
    here = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(here, _MOST_THREADS)
