"""The cache of tokens: one entry for one content, remade when damaged, safe for several."""

from __future__ import annotations

import multiprocessing
import os
import stat
import time
from pathlib import Path

import numpy as np
import pytest

from tunesmith.contracts import TokenRow
from tunesmith.data.cache import cache_folder, cached
from tunesmith.data.store import PackedRow, PackedRows, open_packed, write_packed
from tunesmith.errors import DataError, Place


def make(folder: Path) -> PackedRows:
    rows = [
        PackedRow(
            row=TokenRow(
                ids_T=np.arange(size, dtype=np.int32),
                weights_T=np.ones(size, dtype=np.float32),
                place=Place(file="0", line=1),
                digest="0" * 64,
            )
        )
        for size in (3, 4)
    ]
    return write_packed(folder, rows)


def never(folder: Path) -> PackedRows:
    raise AssertionError("it should have been found")


def entries() -> list[str]:
    return sorted(path.name for path in cache_folder().iterdir())


def test_the_second_time_it_is_found() -> None:
    cached("key", make)
    assert len(cached("key", never)) == 2
    assert entries() == ["key"]


def test_a_damaged_entry_is_made_again() -> None:
    cached("key", make)
    path = cache_folder() / "key" / "ids.i32"
    path.write_bytes(path.read_bytes()[:-1])
    assert cached("key", make).row(1).ids_T.tolist() == [0, 1, 2, 3]
    assert entries() == ["key"]


def test_a_maker_that_fails_leaves_nothing() -> None:
    def failing(folder: Path) -> PackedRows:
        make(folder)
        raise DataError("broken")

    with pytest.raises(DataError, match="broken"):
        cached("key", failing)
    assert entries() == []


def test_another_process_may_be_faster() -> None:
    def slow(folder: Path) -> PackedRows:
        cached("key", make)
        return make(folder)

    assert len(cached("key", slow)) == 2
    assert entries() == ["key"]


def _use(barrier: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    assert len(cached("key", make)) == 2


def test_many_processes_at_once() -> None:
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(4)
    workers = [context.Process(target=_use, args=(barrier,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    assert entries() == ["key"]
    assert len(open_packed(cache_folder() / "key")) == 2


def test_the_folder_follows_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine" / "tunesmith" / "tokens"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "tunesmith" / "tokens"


def test_a_home_that_cannot_be_written_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    folder = cache_folder()
    assert folder.is_dir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert os.access(folder, os.W_OK)


def test_what_nobody_needs_any_more_is_deleted() -> None:
    for key in ("old", "used", "new"):
        cached(key, make)
    (cache_folder() / ".left-by-a-killed-process").mkdir()
    (cache_folder() / ".being-written").mkdir()
    now = time.time()
    for name in ("old", "used"):
        os.utime(cache_folder() / name, (now, now - 31 * 86_400))
    os.utime(cache_folder() / ".left-by-a-killed-process", (now, now - 2 * 86_400))
    cached("used", never)
    cached("newest", make)
    assert entries() == [".being-written", "new", "newest", "used"]
