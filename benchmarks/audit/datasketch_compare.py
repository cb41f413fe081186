"""Near-duplicate pairs beside datasketch: same rows, same shingles, same threshold.

    python -m benchmarks.audit.datasketch_compare ../shared/data/medquad/medquad.jsonl

Three searches, each in a process of its own: ours with its template rules off (so that both
answer the same question), ours as the audit uses it, and datasketch's MinHashLSH with 128
permutations whose candidates are compared exactly. Rows whose normalised text is a copy of an
earlier one are left out of all three. The truth is every pair that contains one of SAMPLE rows,
found by comparing it with all rows. Needs datasketch, which the tests install.

Shapes: R rows, S shingles.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tunesmith.data.near.pairs import Search, near_pairs
from tunesmith.data.near.sketch import Sketches
from tunesmith.data.near.text import normalised, shingles, words

Pairs = set[tuple[int, int]]
SAMPLE = 1000
PLAIN = Search(distinct=0.0, short_threshold=0.0, reach=64, most=1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What a search gave and took."""

    pairs: Pairs
    seconds: float
    """Of processor time: the machine may be busy with other things."""
    megabytes: int
    """Peak of the process beyond what it held before the search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A line of the table."""

    name: str
    pairs: int
    seconds: float
    megabytes: int
    recall: float
    """Of the sample's true pairs."""
    precision: float
    """Of the sample's found pairs."""


def texts_of(path: Path) -> list[str]:
    """Question and answer of each row, copies left out."""
    seen: dict[str, str] = {}
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            text = f"{row['question']}\n{row['answer']}"
            seen.setdefault(normalised(text), text)
    return list(seen.values())


def ours(texts: list[str], threshold: float, search: Search) -> Pairs:
    """The pairs that the audit's search finds."""
    sketches = Sketches()
    for text in texts:
        sketches.add(text)
    pairs = near_pairs(sketches, texts.__getitem__, threshold, search)
    return set(zip(pairs.first_P.tolist(), pairs.second_P.tolist(), strict=True))


def plain(texts: list[str], threshold: float) -> Pairs:
    """Ours, by similarity alone."""
    return ours(texts, threshold, PLAIN)


def as_used(texts: list[str], threshold: float) -> Pairs:
    """Ours, as the audit uses it."""
    return ours(texts, threshold, Search())


def theirs(texts: list[str], threshold: float) -> Pairs:
    """The candidates of datasketch's MinHashLSH that an exact comparison confirms."""
    from datasketch import MinHash, MinHashLSH

    sets = [shingles(words(text)) for text in texts]
    lsh = MinHashLSH(threshold=threshold, num_perm=128)
    found: Pairs = set()
    for second, own in enumerate(sets):
        sketch = MinHash(num_perm=128)
        sketch.update_batch([shingle.encode() for shingle in own])
        for first in lsh.query(sketch):
            shared = len(own & sets[first])
            if shared >= threshold * (len(own) + len(sets[first]) - shared):
                found.add((first, second))
        lsh.insert(second, sketch)
    return found


def truth(texts: list[str], threshold: float) -> tuple[Pairs, set[int]]:
    """All pairs that contain a row of the sample, and the sample."""
    numbers: dict[str, int] = {}
    sets = [
        np.array([numbers.setdefault(one, len(numbers)) for one in shingles(words(text))])
        for text in texts
    ]
    sizes_R = np.array([len(own) for own in sets])
    owners = np.repeat(np.arange(len(sets)), sizes_R)
    flat = np.concatenate(sets)
    order = np.argsort(flat, kind="stable")
    rows_by_shingle = owners[order]
    bounds_S = np.searchsorted(flat[order], np.arange(len(numbers) + 1))
    sample = np.unique(np.linspace(0, len(sets) - 1, SAMPLE).astype(np.int64)).tolist()
    found: Pairs = set()
    for row in sample:
        holding = [rows_by_shingle[bounds_S[one] : bounds_S[one + 1]] for one in sets[row]]
        shared_R = np.bincount(np.concatenate(holding), minlength=len(sets))
        near = shared_R >= threshold * (sizes_R[row] + sizes_R - shared_R)
        found |= {(min(row, other), max(row, other)) for other in np.flatnonzero(near).tolist()}
    return {pair for pair in found if pair[0] != pair[1]}, set(sample)


def apart(search: Callable[[list[str], float], Pairs], path: Path, threshold: float) -> Searched:
    """A search in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_measured, (search, path, threshold))


def _measured(
    search: Callable[[list[str], float], Pairs], path: Path, threshold: float
) -> Searched:
    texts = texts_of(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.process_time()
    pairs = search(texts, threshold)
    return Searched(
        pairs=pairs,
        seconds=time.process_time() - begin,
        megabytes=(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024,
    )


def compared(name: str, searched: Searched, true: Pairs, sample: set[int]) -> Compared:
    """A search against the truth."""
    found = {pair for pair in searched.pairs if pair[0] in sample or pair[1] in sample}
    return Compared(
        name=name,
        pairs=len(searched.pairs),
        seconds=round(searched.seconds, 1),
        megabytes=searched.megabytes,
        recall=round(len(found & true) / max(1, len(true)), 4),
        precision=round(len(found & true) / max(1, len(found)), 4),
    )


def main() -> int:
    """Search, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, help="JSON lines with question and answer")
    parser.add_argument("--threshold", type=float, default=0.8)
    chosen = parser.parse_args()
    searches = {"ours": plain, "ours, as used": as_used, "datasketch": theirs}
    # before the truth is looked for: a process begins with the peak of the one that starts it
    done = {name: apart(search, chosen.path, chosen.threshold) for name, search in searches.items()}
    texts = texts_of(chosen.path)
    true, sample = truth(texts, chosen.threshold)
    table = [compared(name, searched, true, sample) for name, searched in done.items()]
    both = done["ours"].pairs & done["datasketch"].pairs
    either = done["ours"].pairs | done["datasketch"].pairs
    rows = [{row for pair in done[name].pairs for row in pair} for name in ("ours", "datasketch")]
    report = {
        "rows": len(texts),
        "threshold": chosen.threshold,
        "sampled_rows": len(sample),
        "true_pairs_of_the_sample": len(true),
        "searches": [asdict(line) for line in table],
        "pairs_of_both": len(both),
        "only_ours": len(done["ours"].pairs - both),
        "only_datasketch": len(done["datasketch"].pairs - both),
        "agreement": round(len(both) / max(1, len(either)), 4),
        "rows_of_both": len(rows[0] & rows[1]),
        "rows_only_ours": len(rows[0] - rows[1]),
        "rows_only_datasketch": len(rows[1] - rows[0]),
    }
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
