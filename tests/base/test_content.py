"""The digest of large files."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from tunesmith.base import content
from tunesmith.base.content import digest_of


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 16, 61])
def test_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(content, "PIECE", 8)
    monkeypatch.setattr(content, "_AT_ONCE", 3)
    data = random.Random(size).randbytes(size)
    (tmp_path / "a").write_bytes(data)
    pieces = [sha256(data[start : start + 8]) for start in range(0, size, 8)]
    wanted = hashlib.sha256(b"head" + sha256(b"".join(pieces))).hexdigest()
    assert digest_of(b"head", [tmp_path / "a"]) == wanted


def test_every_byte_and_the_order_count(tmp_path: Path) -> None:
    size = 2 * content.PIECE + 5
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(bytes(size))
    other.write_bytes(b"other")
    before = digest_of(b"", [one, other])
    assert digest_of(b"", [one, other]) == before
    assert digest_of(b"", [other, one]) != before
    seen = {before}
    for place in (0, content.PIECE - 1, content.PIECE, 2 * content.PIECE, size - 1):
        with one.open("r+b") as stream:
            stream.seek(place)
            stream.write(b"\x01")
            stream.flush()
            seen.add(digest_of(b"", [one, other]))
            stream.seek(place)
            stream.write(b"\x00")
    assert len(seen) == 6
    assert digest_of(b"", [one, other]) == before
    with one.open("r+b") as stream:
        stream.truncate(size - 1)
    assert digest_of(b"", [one, other]) not in seen
