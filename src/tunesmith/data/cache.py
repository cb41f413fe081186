"""Tokens that were made before, found again by what decided them.

    $XDG_CACHE_HOME/tunesmith/tokens/<sha256 of everything that decides the tokens>/

A damaged entry is noticed by its manifest and made again; one that nobody asked for in a
month is deleted. Several processes may make the
same entry at once: each writes a folder of its own, and the first to rename it wins.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from tunesmith.data.store import PackedRows, open_packed
from tunesmith.errors import DataError

_UNUSED_DAYS = 30
_UNFINISHED_DAYS = 1


def cache_folder() -> Path:
    """Where tokens are kept; a folder for this process where the home cannot be written to."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    # the XDG specification: a relative path is to be ignored
    base = Path(root) if root.startswith("/") else Path("~/.cache").expanduser()
    folder = base / "tunesmith" / "tokens"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return _of_this_process()  # a read-only home is no reason to stop
    return folder if os.access(folder, os.W_OK | os.X_OK) else _of_this_process()


@functools.cache
def _of_this_process() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tunesmith-tokens-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def cached(key: str, make: Callable[[Path], PackedRows]) -> PackedRows:
    """The entry `key`, made by `make(folder)` where it is absent or damaged.

    Raises:
        Whatever `make` raises; nothing is left behind then.
    """
    final = cache_folder() / key
    if final.exists():
        try:
            opened = open_packed(final)
            with contextlib.suppress(PermissionError):  # another user's entry may be read
                os.utime(final)
            return opened
        except DataError:
            discard(final)
    final.parent.mkdir(parents=True, exist_ok=True)
    _sweep(final.parent)
    own = final.with_name(f".{key[:16]}-{uuid.uuid4().hex}")
    try:
        make(own)
        try:
            own.rename(final)
        except OSError:
            # another process was faster; the same key means the same content
            if not final.is_dir():
                raise
    finally:
        shutil.rmtree(own, ignore_errors=True)
    return open_packed(final)


def _sweep(folder: Path) -> None:
    """Delete what was not asked for in a month, and what a killed process left yesterday."""
    now = time.time()
    for entry in folder.iterdir():
        days = _UNFINISHED_DAYS if entry.name.startswith(".") else _UNUSED_DAYS
        try:
            old = now - entry.stat().st_mtime > days * 86_400
        except FileNotFoundError:
            continue  # another process was faster
        if old:
            discard(entry)


def discard(folder: Path) -> None:
    """Delete an entry at once: nobody finds half of it."""
    aside = folder.with_name(f".{folder.name[:16]}-{uuid.uuid4().hex}")
    try:
        folder.rename(aside)
    except FileNotFoundError:
        return  # another process has discarded it
    shutil.rmtree(aside, ignore_errors=True)
