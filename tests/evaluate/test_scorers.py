"""Every scorer: the reference itself is perfect, nothing is worth nothing; oracles for two."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from itertools import starmap
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics import CHRF

from tunesmith import plugins
from tunesmith.contracts import Scorer
from tunesmith.evaluate.scorers import chrf, exact_match, f1, rouge_l
from tunesmith.evaluate.words import normalised, words

PAIRS = [
    ("The fee is 25 euros.", "A late fee of 25 euros is charged."),
    ("", "Yes, from ten to six."),
    ("Dogs may ride.", "Dogs may ride in the basket."),
    ("completely different", "Call us at noon."),
    ("ü ö ä ß", "Ü Ö Ä SS"),
    ("a", "ab"),
]
TEXTS = st.text(max_size=60)


def scorers() -> list[Scorer]:
    return [cast(Scorer, plugins.load("scorers", name)) for name in plugins.names("scorers")]


def corpus(scorer: Scorer, pairs: list[tuple[str, str]]) -> float:
    sums = np.array(list(starmap(scorer.statistics, pairs)), dtype=np.float64).sum(axis=0)
    return float(scorer.value(sums))


@pytest.mark.parametrize("scorer", scorers(), ids=plugins.names("scorers"))
def test_gold_is_perfect_and_nothing_is_zero(scorer: Scorer) -> None:
    best = 100.0 if scorer.METRIC.unit == "0 to 100" else 1.0
    references = [reference for _, reference in PAIRS]
    assert corpus(scorer, [(text, text) for text in references]) == pytest.approx(best)
    assert corpus(scorer, [("", text) for text in references]) == 0
    assert 0 <= corpus(scorer, PAIRS) < best
    assert scorer.METRIC.higher_is_better


@pytest.mark.parametrize("scorer", scorers(), ids=plugins.names("scorers"))
@given(pairs=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
def test_any_text_has_a_score_in_range(scorer: Scorer, pairs: list[tuple[str, str]]) -> None:
    best = 100.0 if scorer.METRIC.unit == "0 to 100" else 1.0
    score = corpus(scorer, pairs)
    assert np.isnan(score) or -1e-9 <= score <= best + 1e-9
    stacked = np.array([scorer.statistics(*pair) for pair in pairs], dtype=np.float64)
    assert scorer.value(np.stack([stacked, stacked])).shape == (2, len(pairs))


def test_chrf_is_sacrebleus_corpus_figure() -> None:
    given_texts, references = zip(*PAIRS, strict=True)
    expected = CHRF().corpus_score(list(given_texts), [list(references)]).score
    assert corpus(chrf, PAIRS) == pytest.approx(expected, abs=1e-9)
    for pair in PAIRS:
        alone = CHRF().corpus_score([pair[0]], [[pair[1]]]).score
        assert corpus(chrf, [pair]) == pytest.approx(alone, abs=1e-9)


@given(st.lists(st.tuples(TEXTS, TEXTS.filter(str.strip)), min_size=1, max_size=4))
def test_chrf_agrees_with_sacrebleu_on_anything(pairs: list[tuple[str, str]]) -> None:
    given_texts, references = zip(*pairs, strict=True)
    expected = CHRF().corpus_score(list(given_texts), [list(references)]).score
    assert corpus(chrf, pairs) == pytest.approx(expected, abs=1e-9)


def test_rouge_l_is_rouge_scores_on_plain_english() -> None:
    generator = random.Random(0)
    vocabulary = ["the", "fee", "is", "25", "euros", "dog", "ride", "noon"]
    made = [
        tuple(" ".join(generator.choices(vocabulary, k=generator.randint(1, 40))) for _ in "ab")
        for _ in range(60)
    ]
    pairs = [*made, *(PAIRS[index] for index in (0, 2, 3, 5))]
    # In a process of its own: rouge-score's logging holds on to whatever stderr is at import.
    code = (
        "import json, sys\n"
        "from rouge_score.rouge_scorer import RougeScorer\n"
        "oracle = RougeScorer(['rougeL'])\n"
        "pairs = json.loads(sys.argv[1])\n"
        "print(json.dumps([oracle.score(b, a)['rougeL'].fmeasure for a, b in pairs]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(pairs)], capture_output=True, text=True, check=True
    )
    for (answer, reference), expected in zip(pairs, json.loads(done.stdout), strict=True):
        assert rouge_l.statistics(answer, reference)[0] == pytest.approx(expected)


def test_f1_counts_words_as_often_as_they_occur() -> None:
    score, one = f1.statistics("dogs dogs cats", "Dogs, cats; birds")
    assert score == pytest.approx(2 * 2 / 6) and one == 1


def test_scripts_without_spaces_are_compared_by_character() -> None:
    assert words("押金25元。") == ("押", "金", "25", "元")
    assert f1.statistics("押金30元", "押金25元")[0] == pytest.approx(0.75)
    assert rouge_l.statistics("押金30元", "押金25元")[0] == pytest.approx(0.75)


def test_exact_match_ignores_case_and_spacing_only() -> None:
    assert exact_match.statistics(" yes,  FROM 10. ", "Yes, from 10.")[0] == 1
    assert exact_match.statistics("Yes, from 10", "Yes, from 10.")[0] == 0
    assert normalised("ﬁne") == normalised("FINE")
