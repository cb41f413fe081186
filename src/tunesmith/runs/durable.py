"""Writing that survives a crash: a file or folder is there whole, or it is not there.

    write beside the target -> fsync the file -> rename over the target -> fsync the folder

After a power cut the target is the old one or the new one, never a mixture. A full disk is
a ResourceError that names the target and leaves the old one as it was.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tunesmith.errors import ResourceError
from tunesmith.runs.fault import reach

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def full_disk_named(path: Path, size: int = 0) -> Iterator[None]:
    """Turn "no space left" inside the block into a ResourceError about `path`.

    Args:
        path: what is being written.
        size: how many bytes it needs, 0 where unknown.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise disk_full(path, size) from error


def disk_full(path: Path, size: int = 0) -> ResourceError:
    """The error for a full disk, with what is free and what is needed."""
    free = shutil.disk_usage(_existing(path)).free
    need = f"{_megabytes(size)} are needed and " if size else ""
    return ResourceError(
        f"disk full: {path} could not be written ({need}{_megabytes(free)} are free)",
        hint="free some space or a quota, then continue with --resume; "
        "what was saved before is intact",
    )


def write_bytes(path: Path, data: bytes) -> None:
    """Replace or create `path` with `data`, atomically and durably.

    Raises:
        ResourceError: the disk is full; the old file is untouched.
    """
    temporary = path.with_name(f".writing-{path.name}")
    with full_disk_named(path, len(data)):
        try:
            with temporary.open("wb") as file:
                reach("write")
                file.write(data)
                file.flush()
                reach("fsync")
                os.fsync(file.fileno())
            reach("rename")
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    sync_folder(path.parent)


def append_line(path: Path, line: str, *, sync: bool = False) -> None:
    """Add one line to `path`; with `sync` it also survives a power cut.

    Where a crash left the last line unfinished, that piece is ended first, so that it
    spoils no line but its own.

    Raises:
        ResourceError: the disk is full.
    """
    with full_disk_named(path, len(line)), path.open("a+b") as file:
        reach("append")
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = f"\n{line}"
        file.write(f"{line}\n".encode())
        file.flush()
        if sync:
            os.fsync(file.fileno())


def sync_file(path: Path) -> None:
    """Wait until the content of `path` is on the disk."""
    with path.open("rb") as file:
        reach("fsync")
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the entries of the folder `path` (names, not contents) are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        reach("fsync")
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_folder(temporary: Path, final: Path) -> None:
    """Make the finished folder `temporary` visible as `final`, on the same file system.

    Its files must be synced already. Where `final` exists it is moved aside first and
    deleted last: a crash in between leaves no `final`, never a mixed one, and an error puts
    it back.
    """
    aside = final.with_name(f".removing-{final.name}")
    sync_folder(temporary)
    if final.exists():
        if aside.exists():
            shutil.rmtree(aside)
        reach("rename")
        final.rename(aside)
    try:
        reach("rename")
        temporary.rename(final)
    except OSError:
        if aside.exists():
            aside.rename(final)
        raise
    sync_folder(final.parent)
    if aside.exists():
        shutil.rmtree(aside)


def remove_folder(path: Path) -> None:
    """Delete the folder `path`; a crash half-way leaves `.removing-NAME`, not half of `path`."""
    aside = path.with_name(f".removing-{path.name}")
    if aside.exists():
        shutil.rmtree(aside)
    reach("rename")
    path.rename(aside)
    reach("remove")
    shutil.rmtree(aside)


def sweep(folder: Path) -> list[str]:
    """Delete what a crash left in `folder` (`.writing-*`, `.removing-*`); the names, sorted."""
    left = sorted([*folder.glob(".writing-*"), *folder.glob(".removing-*")])
    for path in left:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return [path.name for path in left]


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
