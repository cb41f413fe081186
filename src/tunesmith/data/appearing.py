"""Files that appear together when they are complete, or not at all.

    with appearing([folder / "train.jsonl", folder / "heldout.jsonl"], force=False) as (one, other):
        ...write to `one` and `other`...

Inside the block they have other names beside the final ones; an error removes them.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tunesmith.errors import DataError, Place
from tunesmith.runs.durable import full_disk_named, sync_file, sync_folder


@contextlib.contextmanager
def appearing(
    paths: Sequence[Path], *, force: bool, sources: Iterable[Path] = ()
) -> Iterator[tuple[Path, ...]]:
    """Names to write to; they become `paths`, the first one last, when the block ends well.

    Args:
        paths: the files to be written, in folders that exist.
        force: replace files that exist.
        sources: files that are read meanwhile and must never be replaced.

    Raises:
        DataError: a file exists already, is a source, or cannot be written.
        ResourceError: the disk is full.
    """
    read = {source.resolve() for source in sources}
    for path in paths:
        _require_free(path, read, force=force)
    temporaries = tuple(path.with_name(f".writing-{path.name}") for path in paths)
    try:
        for path, temporary in zip(paths, temporaries, strict=True):
            _begin(path, temporary)
        with full_disk_named(paths[0]):
            yield temporaries
            for temporary in temporaries:
                sync_file(temporary)
        for path, temporary in reversed(list(zip(paths, temporaries, strict=True))):
            temporary.replace(path)
        for folder in {path.parent for path in paths}:
            sync_folder(folder)
    finally:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)


def require_outside(path: Path, data: str) -> None:
    """Refuse a file in the folder that is read: it would be read with it the next time.

    Args:
        path: the file to be written.
        data: the file or folder that is read.

    Raises:
        DataError: it lies there.
    """
    folder = Path(data).expanduser()
    if folder.is_dir() and path.parent.resolve() == folder.resolve():
        raise DataError(
            f"the file would lie in {data}, whose files are the data",
            hint="name a file in another folder",
            place=Place(file=path),
        )


def _require_free(path: Path, read: set[Path], *, force: bool) -> None:
    place = Place(file=path)
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass  # as it should be; a folder that is missing is told below
    except OSError as error:
        raise _unwritable(path, error) from None
    if not path.parent.is_dir():
        raise DataError(
            f"there is no folder {path.parent}",
            hint=f"make it first: mkdir -p {path.parent}",
            place=place,
        )
    if path.is_dir():
        raise DataError("this is a folder; a file is written", hint="name a file", place=place)
    if path.resolve() in read:
        raise DataError(
            "this is the file that is read; it is never overwritten",
            hint="name another file",
            place=place,
        )
    if path.exists() and not force:
        raise DataError(
            "the file exists already", hint="name another one, or replace it: --force", place=place
        )


def _begin(path: Path, temporary: Path) -> None:
    with full_disk_named(path):
        try:
            temporary.open("wb").close()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"cannot be written: {error.strerror}",
        hint="name a file that you may write",
        place=Place(file=str(path)[:200]),
    )
