"""Files altered at random: rows, or a sentence about what is wrong; never another exception."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.data.test_read import write
from tunesmith.contracts import JsonObject
from tunesmith.data.examples import read_examples
from tunesmith.errors import InputError
from tunesmith.recipe import Source

ROWS: list[JsonObject] = [{"question": f'q{n}\n"x"', "answer": "é🙂" * 3} for n in range(20)]
PIECES = [b'"', b"{", b"}", b"[", b"\0", b"\n", b",", b"\\", b"\xff", b"1e999", b'{"a":', b"NaN"]
ENDINGS = ["jsonl", "json", "csv", "tsv", "parquet", "xlsx", "jsonl.gz"]


def altered(content: bytes, draw: random.Random) -> bytes:
    """A few bytes changed, removed or put in, or the end cut off."""
    changed = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 5, 20])):
        place = draw.randrange(len(changed))
        match draw.randrange(5):
            case 0 | 1:
                changed[place] = draw.randrange(256)
            case 2:
                del changed[place : place + draw.randrange(1, 30)]
            case 3:
                changed[place:place] = draw.choice(PIECES)
            case _:
                del changed[place + 1 :]
        changed = changed or bytearray(b"x")
    return bytes(changed)


def survives(folder: Path, ending: str, seed: int, times: int) -> None:
    draw = random.Random(seed)
    content = write(folder / f"good.{ending}", ROWS).read_bytes()
    path = folder / f"bad.{ending}"
    refused = 0
    for _ in range(times):
        path.write_bytes(altered(content, draw))
        try:
            list(read_examples(Source(path=str(path))))
        except InputError as error:
            refused += 1
            assert error.hint
    assert refused > times // 2


@pytest.mark.timeout(60)
@pytest.mark.parametrize("ending", ENDINGS)
def test_damage_is_refused_in_words(tmp_path: Path, ending: str) -> None:
    survives(tmp_path, ending, seed=0, times=60)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("seed", range(1, 4))
def test_much_damage_is_refused_in_words(tmp_path: Path, ending: str, seed: int) -> None:
    survives(tmp_path, ending, seed=seed, times=2000)
