"""Puts the scripts under starter/, which are no package, on the import path.

A small stand-in for the shared folder takes the place of the books.
"""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "starter"))

BOOK = "The old keeper lit the lamp and looked out over the sea.\n\n“Is it you?” he said.\n\n"
INSTRUCTIONS = [
    {"template": "qasc_is_correct_1", "prompt": "Do ducks swim?", "completion": "Yes<|endoftext|>"},
    {"template": "quartz_heres", "prompt": "Hot or cold?<|endoftext|>", "completion": "hot"},
    {"template": "samsum_Summarize_", "prompt": "FORBIDDEN", "completion": "FORBIDDEN"},
    {"template": "qascade_other", "prompt": "FORBIDDEN", "completion": "FORBIDDEN"},
]


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    with lzma.open(path, "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def small_shared(tmp_path: Path) -> Path:
    """A shared folder with four very short books and four instruction rows."""
    folder = tmp_path / "shared" / "pretrain"
    folder.mkdir(parents=True)
    for name in ("books-0", "books-1", "books-2", "books-heldout"):
        write_rows(folder / f"{name}.jsonl.xz", [{"author": "-", "title": name, "text": BOOK * 40}])
    write_rows(folder / "instructions-t0.jsonl.xz", INSTRUCTIONS)
    return tmp_path / "shared"
