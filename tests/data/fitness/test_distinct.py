"""Different words are counted exactly while few, and nearly when many."""

from __future__ import annotations

import pytest

from tunesmith.data.fitness.distinct import DistinctWords


def test_few_words_are_counted_exactly() -> None:
    words = DistinctWords()
    words.add({"The", "cat", "saw", "(the", "cat),", "CAT!", "-", "'saw'"})
    words.add({"a", "cat"})
    assert words.estimate() == 4


@pytest.mark.parametrize("count", [60_000, 150_000])
def test_many_words_are_counted_nearly(count: int) -> None:
    words = DistinctWords(most_kept=1000)
    for start in range(0, count, 500):
        words.add({f"w{number}" for number in range(start, start + 500)})
        words.add({f"w{number}" for number in range(max(0, start - 500), start)})
    assert words.estimate() == pytest.approx(count, rel=0.03)
    assert len(words._words) < 2000
    assert len(words._seen) < 4000
