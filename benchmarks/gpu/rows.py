"""The rows of the steps, of three kinds, the same for every contestant.

    own       rows of 384 to 1,024 random tokens that share no beginning
    shared    the same lengths, 256 tokens in common at the beginning
    bench     chats under one system prompt: support.jsonl of the folder `shared/bench`, in the
              checkout or beside it, as ChatML; what the assistant says is trained

A step has 16. Of random rows the second half is trained; their tokens are as frequent as words
are (the number k with a probability near 1 / k), so that there is something to learn.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from transformers import AutoTokenizer

from benchmarks.gpu.part import what_failed
from benchmarks.gpu.shapes import Case
from benchmarks.gpu.training import ROOT
from tunesmith.contracts import TokenRow
from tunesmith.errors import Place

ROWS, SHORTEST, LONGEST, COMMON = 16, 384, 1024, 256
WARM, TIMED = 2, 5
TINY_ROWS, TINY_SCALE = 4, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSet:
    """Rows of one kind, a list a step; the first `warm` steps are not timed."""

    name: str
    steps: list[list[TokenRow]]
    warm: int = WARM

    @property
    def timed(self) -> list[list[TokenRow]]:
        """The steps that count."""
        return self.steps[self.warm :]

    @property
    def tokens(self) -> int:
        """Of the steps that count, once a row."""
        return sum(row.ids_T.size for rows in self.timed for row in rows)


def row_sets(case: Case) -> tuple[list[RowSet], dict[str, str]]:
    """All kinds of rows that can be had, and why others cannot, by name."""
    vocabulary = case.config.vocab_size
    sets = [
        RowSet(name="own", steps=drawn(0, vocabulary, tiny=case.tiny)),
        RowSet(name="shared", steps=drawn(COMMON, vocabulary, tiny=case.tiny)),
    ]
    folder = bench_folder()
    if folder is None:
        return sets, {"bench": "no folder shared/bench in the checkout or beside it"}
    try:
        steps = chats(folder, tiny=case.tiny)
    except (ImportError, OSError, ValueError) as error:  # the template needs a package, say
        return sets, {"bench": what_failed(error)}
    highest = max(int(row.ids_T.max()) for rows in steps for row in rows)
    if highest >= vocabulary:
        return sets, {"bench": f"token {highest} is beyond the vocabulary of {vocabulary}"}
    return [*sets, RowSet(name="bench", steps=steps)], {}


def drawn(common: int, vocabulary: int, *, tiny: bool) -> list[list[TokenRow]]:
    """Random rows whose first `common` tokens are the same."""
    scale = TINY_SCALE if tiny else 1
    random = np.random.default_rng(0)

    def tokens(count: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        # log-uniform: P(k) falls as 1 / k; the first three are special tokens
        ranks = np.exp(random.uniform(0, np.log(vocabulary - 3), count))
        return (ranks.astype(np.int32) + 2).clip(3, vocabulary - 1)

    beginning = tokens(common // scale)
    steps = []
    for _ in range(WARM + TIMED):
        rows = []
        for _ in range(TINY_ROWS if tiny else ROWS):
            size = int(random.integers(SHORTEST // scale, LONGEST // scale + 1))
            ids = np.concatenate([beginning, tokens(size - beginning.size)])
            rows.append(_row(ids, (np.arange(size) >= size // 2).astype(np.float32)))
        steps.append(rows)
    return steps


def bench_folder() -> Path | None:
    """Where the chats are, if they are here."""
    folders = (place / "shared" / "bench" for place in (ROOT, ROOT.parent, ROOT.parent.parent))
    return next((one for one in folders if (one / "support.jsonl").is_file()), None)


def chats(folder: Path, *, tiny: bool) -> list[list[TokenRow]]:
    """The first rows of support.jsonl, in its order, cut after 1,024 tokens."""
    tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer-8k", local_files_only=True)
    each = TINY_ROWS if tiny else ROWS
    longest = LONGEST // (TINY_SCALE // 2) if tiny else LONGEST
    lines = (folder / "support.jsonl").read_text(encoding="utf-8").splitlines()
    rows = []
    for line in lines[: (WARM + TIMED) * each]:
        made = tokenizer.apply_chat_template(
            json.loads(line)["messages"],
            tokenize=True,
            return_dict=True,
            return_assistant_tokens_mask=True,
        )
        ids = np.array(made["input_ids"][:longest], dtype=np.int32)
        rows.append(_row(ids, np.array(made["assistant_masks"][:longest], dtype=np.float32)))
    return [rows[start : start + each] for start in range(0, len(rows), each)]


def _row(
    ids: np.ndarray[tuple[int], np.dtype[np.int32]],
    weights: np.ndarray[tuple[int], np.dtype[np.float32]],
) -> TokenRow:
    return TokenRow(ids_T=ids, weights_T=weights, place=Place(file="rows"), digest="")
