"""Near pairs against every pair of all rows, and what they cost in a crowd."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tunesmith.data.near.clusters import clusters
from tunesmith.data.near.pairs import NearPairs, Search, least_similarity, near_pairs
from tunesmith.data.near.sketch import Sketches
from tunesmith.data.near.text import shingles, words

SOURCE = Path(__file__).parents[3] / "src"
PLAIN = Search(distinct=0.0, short_threshold=0.0, reach=64, most=256)
"""Similarity alone."""


def found(texts: list[str], threshold: float, search: Search | None = None) -> NearPairs:
    sketches = Sketches()
    for text in texts:
        sketches.add(text)
    return near_pairs(sketches, texts.__getitem__, threshold, search)


def as_set(pairs: NearPairs) -> set[tuple[int, int]]:
    return set(zip(pairs.first_P.tolist(), pairs.second_P.tolist(), strict=True))


def similarity(one: str, other: str) -> float:
    a, b = shingles(words(one)), shingles(words(other))
    return len(a & b) / len(a | b)


def sentence(rng: random.Random, length: int, vocabulary: int = 4000) -> list[str]:
    return [f"w{rng.randrange(vocabulary)}" for _ in range(length)]


def edited(rng: random.Random, text: list[str], share: float) -> list[str]:
    return [f"n{rng.randrange(10**6)}" if rng.random() < share else word for word in text]


def corpus(seed: int, rows: int, share: float) -> list[str]:
    """Random rows, every second one followed by an edited copy of itself."""
    rng = random.Random(seed)
    texts = []
    for row in range(rows):
        text = sentence(rng, rng.randrange(20, 80))
        texts.append(" ".join(text))
        if row % 2:
            texts.append(" ".join(edited(rng, text, share)))
    return texts


@pytest.mark.parametrize(("threshold", "share"), [(0.45, 0.15), (0.8, 0.04)])
def test_against_every_pair(threshold: float, share: float) -> None:
    texts = corpus(3, 300, share)
    truth = {
        (i, j)
        for j in range(len(texts))
        for i in range(j)
        if similarity(texts[i], texts[j]) >= threshold
    }
    pairs = found(texts, threshold, PLAIN)
    assert as_set(pairs) <= truth
    assert len(truth) > 80
    assert len(as_set(pairs)) >= 0.95 * len(truth)
    for i, j, value in zip(pairs.first_P, pairs.second_P, pairs.similarity_P, strict=True):
        assert value == pytest.approx(similarity(texts[i], texts[j]), abs=1e-6)


def test_pairs_are_ascending_and_distinct() -> None:
    pairs = found(["a b c"] * 3 + corpus(1, 40, 0.1), 0.45)
    order = list(zip(pairs.first_P.tolist(), pairs.second_P.tolist(), strict=True))
    assert order == sorted(set(order))
    assert (pairs.first_P < pairs.second_P).all()


def test_a_template_about_something_else_is_not_near() -> None:
    template = "what are the symptoms of {} the ontology lists these signs for {} ask a doctor soon"
    texts = [template.format(f"disease{row}", f"disease{row}") for row in range(200)]
    texts += [" ".join(sentence(random.Random(row), 30)) for row in range(200)]
    assert not len(found(texts, 0.45))
    assert len(found(texts, 0.45, PLAIN))


def test_short_texts_are_compared_more_strictly() -> None:
    search = Search()
    values = [least_similarity(size, 0.45, search) for size in range(60)]
    assert values == sorted(values, reverse=True)
    assert values[0] == search.short_threshold
    assert values[-1] == 0.45
    assert least_similarity(3, 0.9, search) == 0.9


def test_copies_are_paired_with_the_first_of_their_kind() -> None:
    texts = ["Hello there, you!", "other words here", "hello there you", "HELLO  there you?"]
    pairs = found(texts, 0.8)
    assert as_set(pairs) == {(0, 2), (0, 3)}
    assert pairs.is_copy_P.all()
    assert (pairs.similarity_P == 1).all()


@pytest.mark.parametrize("texts", [[], [""], ["", " "], ["one row only"], ["!", "?"]])
def test_hardly_any_text(texts: list[str]) -> None:
    pairs = found(texts, 0.5)
    assert len(pairs) == (1 if texts == ["", " "] else 0)
    assert clusters(pairs, len(texts)).shape == (len(texts),)


def test_many_copies_cost_linear_time_and_no_text() -> None:
    asked: list[int] = []
    sketches = Sketches()
    rows = 30_000
    for _ in range(rows):
        sketches.add("hi there how are you doing today")
    begin = time.monotonic()
    pairs = near_pairs(sketches, lambda row: asked.append(row) or "", 0.45)
    assert time.monotonic() - begin < 5
    assert len(pairs) == rows - 1
    assert not asked


def test_a_crowd_of_one_template_is_compared_a_few_times_a_row() -> None:
    asked = 0
    texts = [f"the answer to all the questions that you may ever ask is {n}" for n in range(6000)]
    sketches = Sketches()
    for text in texts:
        sketches.add(text)

    def text_of(row: int) -> str:
        nonlocal asked
        asked += 1
        return texts[row]

    search = Search(distinct=0.0, short_threshold=0.0)
    pairs = near_pairs(sketches, text_of, 0.45, search)
    assert len(pairs) <= 2 * search.most * len(texts)
    assert asked <= 2 * 2 * search.most * len(texts)
    joined = clusters(pairs, len(texts))
    assert len(np.unique(joined)) < len(texts) / 4


def test_the_same_in_every_process() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from tests.data.near.test_pairs import corpus, found\n"
        "pairs = found(corpus(9, 120, 0.15), 0.45)\n"
        "print(pairs.first_P.tolist(), pairs.second_P.tolist(), pairs.similarity_P.tolist())\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, str(SOURCE.parent)],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(SOURCE)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(outputs) == 1
    assert outputs != {"[] [] []\n"}


# ---- clusters ------------------------------------------------------------------------------


def pairs_of(edges: list[tuple[int, int]], copies: set[tuple[int, int]]) -> NearPairs:
    edges = sorted(set(edges))
    columns: NDArray[np.int64] = np.array(edges, dtype=np.int64).reshape(-1, 2)
    return NearPairs(
        first_P=columns[:, 0],
        second_P=columns[:, 1],
        similarity_P=np.ones(len(edges), dtype=np.float32),
        is_copy_P=np.array([edge in copies for edge in edges], dtype=bool),
    )


EDGES = st.lists(
    st.tuples(st.integers(0, 19), st.integers(0, 19)).filter(lambda edge: edge[0] < edge[1])
)


@settings(max_examples=200, deadline=None)
@given(EDGES)
def test_every_member_is_near_its_leader(edges: list[tuple[int, int]]) -> None:
    leader_R = clusters(pairs_of(edges, set()), 20)
    joined = set(edges) | {(second, first) for first, second in edges}
    for row, leader in enumerate(leader_R.tolist()):
        assert leader_R[leader] == leader
        assert row == leader or (row, leader) in joined
    for first, second in edges:
        # of two that are near, both lead only if neither could follow
        assert leader_R[first] != first or leader_R[second] != second


def test_a_chain_is_divided() -> None:
    leader_R = clusters(pairs_of([(row, row + 1) for row in range(99)], set()), 100)
    assert np.bincount(leader_R).max() <= 3


def test_copies_go_with_their_original() -> None:
    leader_R = clusters(pairs_of([(0, 2), (1, 2), (2, 5)], {(2, 5)}), 6)
    assert leader_R.tolist() == [2, 2, 2, 3, 4, 2]
    leader_R = clusters(pairs_of([(0, 2), (0, 3), (0, 4), (2, 5)], {(2, 5)}), 6)
    assert leader_R.tolist() == [0, 1, 0, 0, 0, 0]
