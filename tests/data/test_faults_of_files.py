"""Every way in which a data file can be wrong: refused with its place, the reason and a fix.

Each case runs under a limit of memory, so that a bomb fails the test and not the machine.
"""

from __future__ import annotations

import gzip
import io
import os
import resource
import socket
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.workbooks import formula, write_workbook
from tunesmith.data import lines, read
from tunesmith.data.examples import read_examples
from tunesmith.data.readers import workbook
from tunesmith.errors import DataError
from tunesmith.recipe import Source

GOOD = b'{"question": "Open?", "answer": "Yes."}\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A file that must be refused."""

    name: str
    content: bytes | Callable[[Path], None]
    says: str
    line: int = 0
    column: int = 0


def parquet_bytes(rows: int = 3) -> bytes:
    buffer = io.BytesIO()
    table = pa.table({"question": ["Open?"] * rows, "answer": ["Yes."] * rows})
    pq.write_table(table, buffer)
    return buffer.getvalue()


def parquet_bomb(path: Path) -> None:
    pq.write_table(pa.table({"text": pa.nulls(2_000_000, pa.string())}), path)


def parquet_with_damaged_page(path: Path) -> None:
    content = bytearray(parquet_bytes(1000))
    content[4:60] = b"\xff" * 56
    path.write_bytes(bytes(content))


def zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        zeros = bytes(2**20)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as entry:
            for _ in range(9):
                entry.write(zeros)


def entity_bomb(path: Path) -> None:
    write_workbook(path, {"a": [["x"]]})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(
            "xl/worksheets/sheet9.xml",
            '<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><x>&c;</x>',
        )


def gzip_bomb(path: Path) -> None:
    with gzip.open(path, "wb") as file:
        for _ in range(9):
            file.write(b" " * (2**20 - 1) + b"\n")


def sparse(size: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(size)

    return make


def loop(path: Path) -> None:
    path.symlink_to(path)


def dangling(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def listen(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def sheet(rows: list[list[str | float | None]], merged: str = "") -> Callable[[Path], None]:
    return lambda path: void(write_workbook(path, {"a": rows}, merged))


def void(_: object) -> None:
    """For a lambda that must give nothing."""


ROW_DEEP = b'{"question": ' + b"[" * 10_000 + b"]" * 10_000 + b', "answer": "Yes."}\n'
ROW_101 = b'{"a": ' + b"[" * 101 + b"]" * 101 + b"}\n"

FAULTS = [
    Fault(name="empty.jsonl", content=b"", says="empty"),
    Fault(name="blank.jsonl", content=b" \n\n\t\n", says="no rows"),
    Fault(name="mark.jsonl", content=b"\xef\xbb\xbf", says="no rows"),
    Fault(name="blank.json", content=b" \n ", says="no rows"),
    Fault(name="none.json", content=b"[]", says="no rows"),
    Fault(name="header.csv", content=b"question,answer\n", says="no rows"),
    Fault(name="blank.txt", content=b"\n---\n \n", says="no rows"),
    Fault(name="utf16.jsonl", content=GOOD.decode().encode("utf-16"), says="UTF-16", line=1),
    Fault(name="utf16.csv", content="q,a\n1,2\n".encode("utf-16-le"), says="UTF-16", line=1),
    Fault(name="utf32.json", content="[]".encode("utf-32"), says="UTF-32", line=1),
    Fault(
        name="latin.jsonl",
        content=GOOD + b'{"question": "caf\xe9", "answer": "b"}\n',
        says="not UTF-8 (0xe9)",
        line=2,
        column=18,
    ),
    Fault(name="latin.json", content=b'[\n{"a": "\xc3\xa9\xe9"}]', says="0xe9", line=2, column=9),
    Fault(name="latin.csv", content=b"q,a\nx,\xff\n", says="0xff", line=2, column=3),
    Fault(name="latin.txt", content=b"one\ntwo \xe4\n", says="0xe4", line=2, column=5),
    Fault(name="cut.json", content=b'[{"a": "\xc3', says="cut-off character", line=1),
    Fault(name="nul.jsonl", content=GOOD + b'{"a": "\0"}\n', says="NUL", line=2, column=8),
    Fault(name="nul.json", content=b'[\n {"a": "\0"}]', says="NUL", line=2, column=9),
    Fault(name="nul.csv", content=b"q,a\n1,\0\n", says="NUL", line=2, column=3),
    Fault(name="half.jsonl", content=GOOD + b'{"a": "\\ud800"}\n', says="half a character", line=2),
    Fault(name="half.json", content=b'[{"a": ["\\udc00 x"]}]', says="half a character", line=1),
    Fault(name="cut.jsonl", content=GOOD + GOOD[:20], says="cut off", line=2, column=21),
    Fault(name="array.jsonl", content=b"[" + GOOD.strip() + b"]\n", says="is a list", line=1),
    Fault(name="scalar.jsonl", content=GOOD + b"7\n", says="is a number", line=2),
    Fault(
        name="two.jsonl",
        content=GOOD.strip() + b" " + GOOD,
        says="more than one value",
        line=1,
        column=41,
    ),
    Fault(name="indented.jsonl", content=b'{\n  "a": 1\n}\n', says="not JSON", line=1),
    Fault(name="comma.jsonl", content=b'{"a": 1,}\n', says="not JSON", line=1),
    Fault(name="python.jsonl", content=b"{'a': 1}\n", says="not JSON", line=1, column=2),
    Fault(name="nan.jsonl", content=GOOD + b'{"a": NaN}\n', says="NaN", line=2),
    Fault(name="infinity.jsonl", content=b'{"a": [-Infinity]}\n', says="-Infinity", line=1),
    Fault(name="huge.jsonl", content=b'{"a": 1e999}\n', says="infinite", line=1),
    Fault(name="integer.jsonl", content=b'{"a": 18446744073709551616}\n', says="64 bits", line=1),
    Fault(name="long.jsonl", content=b'{"a": ' + b"9" * 9999 + b"}\n", says="64 bits", line=1),
    Fault(name="keys.jsonl", content=b'{"a": 1, "a": 2}\n', says='"a" occurs twice', line=1),
    Fault(name="inner.json", content=b'[{"m": [{"r": 1, "r": 2}]}]', says="twice", line=1),
    Fault(name="deep.jsonl", content=GOOD + ROW_DEEP, says="levels deep", line=2),
    Fault(name="deep.json", content=b"[" + ROW_DEEP + b"]", says="levels deep", line=1),
    Fault(name="deeper.jsonl", content=ROW_101, says="levels deep", line=1),
    Fault(name="line.jsonl", content=sparse(500 * 2**20), says="longer than 64 MB", line=1),
    Fault(name="line.txt", content=sparse(500 * 2**20), says="longer than 64 MB", line=1),
    Fault(name="number.json", content=b"3", says="is a number", line=1, column=1),
    Fault(name="entry.json", content=b'[\n{"a": 1},\n 5]', says="is a number", line=3, column=2),
    Fault(name="missing.json", content=b'[{"a": 1}\n {"a": 2}]', says=", is expected", line=2),
    Fault(name="ended.json", content=b'[{"a": 1},\n {"a": "x', says="not JSON", line=2, column=8),
    Fault(name="open.json", content=b'[{"a": 1},\n', says="not JSON", line=2),
    Fault(name="after.json", content=b'[{"a": 1}]\n]', says="follows", line=2, column=1),
    Fault(name="lists.json", content=b'{"x": [{}], "y": [{}]}', says="two lists", line=1),
    Fault(name="value.json", content=b'{"a": 1,\n "b": }', says="not JSON", line=2, column=7),
    Fault(name="twice.json", content=b'{"a": 1, "a": 2}', says='"a" occurs twice', line=1),
    Fault(name="comma.json", content=b'{"a": 1,}', says="not JSON", line=1, column=9),
    Fault(name="comma2.json", content=b'[{"a": 1},]', says="not JSON", line=1, column=11),
    Fault(name="parquet.csv", content=parquet_bytes(), says="is Parquet"),
    Fault(name="csv.parquet", content=b"q,a\n1,2\n", says="is text"),
    Fault(name="xlsx.jsonl", content=b"PK\x03\x04....", says="XLSX or ZIP"),
    Fault(name="gzip.jsonl", content=gzip.compress(GOOD), says="is gzip"),
    Fault(name="text.jsonl.gz", content=GOOD, says="is text"),
    Fault(name="page.jsonl", content=b"<!DOCTYPE html><html>", says="a web page"),
    Fault(name="lfs.jsonl", content=b"version https://git-lfs.github.com/spec/v1", says="Git LFS"),
    Fault(name="pickle.jsonl", content=b"\x80\x04\x95", says="pickle"),
    Fault(name="table.parquet.gz", content=gzip.compress(parquet_bytes()), says="not read"),
    Fault(name="file.pdf", content=b"%PDF-1.7", says="not read"),
    Fault(name="footer.parquet", content=parquet_bytes()[:-9], says="damaged"),
    Fault(name="start.parquet", content=parquet_bytes()[:40], says="damaged"),
    Fault(name="page.parquet", content=parquet_with_damaged_page, says="damaged"),
    Fault(name="bomb.parquet", content=parquet_bomb, says="2,000,000 rows"),
    Fault(name="ragged.csv", content=b"q,a\n1,2\n1,2,3\n", says="3 cells", line=3),
    Fault(name="short.csv", content=b"q,a\n\n1\n", says="1 cells", line=3),
    Fault(name="quote.csv", content=b'q,a\n1,2\n1,"2\n3,4\n', says="never closed", line=3),
    Fault(name="stray.csv", content=b'q,a\n"1"x,2\n', says="not CSV", line=2),
    Fault(name="twice.csv", content=b"q,a,q\n1,2,3\n", says="called q", line=1),
    Fault(name="unnamed.csv", content=b",q\n0,x\n", says="column 1 has no name", line=1),
    Fault(name="old.csv", content=b"q,a\r1,2\r", says="not CSV", line=1),
    Fault(
        name="formula.xlsx",
        content=sheet([["q", "a"], ["x", formula("A2", None)]]),
        says="cell B2",
        line=2,
    ),
    Fault(name="merged.xlsx", content=sheet([["q", "a"], ["x"]], "A2:B2"), says="merged", line=2),
    Fault(name="twice.xlsx", content=sheet([["q", "q"], ["x", "y"]]), says="called q", line=1),
    Fault(name="unnamed.xlsx", content=sheet([["q"], ["x", "y"]]), says="no name", line=1),
    Fault(name="sheets.xlsx", content=sheet([]), says="no rows"),
    Fault(name="locked.xlsx", content=b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", says="password"),
    Fault(name="broken.xlsx", content=b"PK\x03\x04 and no more", says="damaged"),
    Fault(name="bomb.xlsx", content=zip_bomb, says="unpacks to more than 8 MB"),
    Fault(name="entities.xlsx", content=entity_bomb, says="entities"),
    Fault(name="cut.jsonl.gz", content=gzip.compress(GOOD * 100)[:-12], says="ends in the middle"),
    Fault(name="sum.jsonl.gz", content=gzip.compress(GOOD)[:-8] + bytes(8), says="is damaged"),
    Fault(name="bits.jsonl.gz", content=gzip.compress(GOOD)[:10] + b"\xff" * 9, says="damaged"),
    Fault(name="bomb.jsonl.gz", content=gzip_bomb, says="times its size"),
    Fault(name="pipe.jsonl", content=os.mkfifo, says="not a regular file"),
    Fault(name="device.jsonl", content=to_device, says="not a regular file"),
    Fault(name="socket.jsonl", content=listen, says="not a regular file"),
    Fault(name="loop.jsonl", content=loop, says="cannot be opened"),
    Fault(name="dangling.jsonl", content=dangling, says="leads nowhere"),
    Fault(name="folder.jsonl", content=Path.mkdir, says="no file that can be read"),
]


@pytest.fixture(autouse=True)
def limited_memory() -> Iterator[None]:
    """2 GiB beyond what the process has already."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**31, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture(autouse=True)
def small_bombs(monkeypatch: pytest.MonkeyPatch) -> None:
    """8 MiB are a bomb: making a real one takes seconds."""
    monkeypatch.setattr(lines, "BOMB_BYTES", 2**23)
    monkeypatch.setattr(workbook, "MAX_UNPACKED", 2**23)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_refused_with_its_place(tmp_path: Path, fault: Fault) -> None:
    path = tmp_path / fault.name
    if isinstance(fault.content, bytes):
        path.write_bytes(fault.content)
    else:
        fault.content(path)
    with pytest.raises(DataError) as caught:
        list(read_examples(Source(path=str(path))))
    error = caught.value
    assert fault.says in error.what
    assert error.hint
    assert error.exit_code == 2
    assert error.place is not None
    assert error.place.file == path
    if fault.line:
        assert error.place.line == fault.line
    if fault.column:
        assert error.place.column == fault.column


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("absent.jsonl", "no such file"),
        ("no/folder/here.jsonl", "no such file"),
        ("a" * 5000 + ".jsonl", "cannot be opened"),
        ("nul\0.jsonl", "cannot be opened"),
        ("/dev/zero", "not a regular file"),
        ("bundled:nothing", "nothing called"),
        ("bundled:../errors.py", "nothing called"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(path: str, says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        list(read.read_rows(path))
    assert caught.value.hint


def test_a_misspelt_name_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "tickets.jsonl").write_bytes(GOOD)
    with pytest.raises(DataError) as caught:
        list(read.read_rows(tmp_path / "ticket.jsonl"))
    assert "did you mean tickets.jsonl" in caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.jsonl"
    path.write_bytes(GOOD)
    path.chmod(0)
    with pytest.raises(DataError, match="permission"):
        list(read.read_rows(path))


def test_rows_before_a_fault_are_read_and_the_first_fault_stops(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(GOOD * 3 + b"{\n" + GOOD)
    seen = []
    with pytest.raises(DataError) as caught:
        for row in read.read_rows(path):
            seen.append(row.place.line)
    assert seen == [1, 2, 3]
    assert caught.value.place is not None
    assert caught.value.place.line == 4
