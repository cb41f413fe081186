"""Expressions that can take for ever are told from those that tokenizers use."""

from __future__ import annotations

import json

import pytest

from tests.tokenizer.bases import LLAMA3_SPLIT, SHARED, byte_level, metaspace
from tunesmith.tokenizer.families import _QWEN2_SPLIT, _QWEN35_SPLIT
from tunesmith.tokenizer.patterns import refuse_slow_patterns, repeats_a_repetition

IN_USE = [
    LLAMA3_SPLIT,
    _QWEN2_SPLIT,
    _QWEN35_SPLIT,
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}]*[\p{Ll}\p{Lm}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}",
    r" ?[^(\s|[.,!?…。，、।۔،])]+",
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+",
    r"\p{N}{1,3}(?=(?:\p{N}{3})*(?:\P{N}|$))",
    r"(?:\r?\n){1,2}",
]


@pytest.mark.parametrize("pattern", IN_USE)
def test_patterns_in_use_pass(pattern: str) -> None:
    assert not repeats_a_repetition(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+",
        r"(\w*)*$",
        r"((ab)+c?)+",
        r"(?:x{2,})*",
        r"(a|b+)+!",
        r"([a-z]+\s?)*$",
        r"(a+){3,}",
    ],
)
def test_repeated_repetitions_are_found(pattern: str) -> None:
    assert repeats_a_repetition(pattern)


def test_real_tokenizers_pass() -> None:
    for tokenizer in (byte_level(), metaspace(old=True)):
        refuse_slow_patterns(json.loads(tokenizer.to_str()), SHARED)
