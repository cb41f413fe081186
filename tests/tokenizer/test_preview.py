"""The preview loses nothing and marks what is trained."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tokenizer.bases import Files, byte_level, metaspace, write
from tunesmith.tokenizer.encode import Encoded
from tunesmith.tokenizer.load import Tokenizer, load_tokenizer
from tunesmith.tokenizer.preview import segments


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tokenizer]:
    made = {
        "byte level": write(tmp_path_factory.mktemp("b"), byte_level(("<|im_end|>",))),
        "metaspace": write(
            tmp_path_factory.mktemp("m"),
            metaspace(),
            Files(config={"bos_token": "<s>", "eos_token": "</s>"}),
        ),
    }
    return {name: load_tokenizer(Path(folder)) for name, folder in made.items()}


def row(ids: list[int], weights: list[float]) -> Encoded:
    return Encoded(ids=ids, weights=weights, turns=(), prompt_length=0)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.text(max_size=30) | st.sampled_from(["東京 🤗🏽 é", " a <|im_end|> b </s> c"]),
    flags=st.lists(st.booleans(), min_size=1, max_size=60),
    name=st.sampled_from(["byte level", "metaspace"]),
)
def test_the_pieces_joined_are_the_row(
    text: str, flags: list[bool], name: str, tokenizers: dict[str, Tokenizer]
) -> None:
    tokenizer = tokenizers[name]
    ids = tokenizer.encode(text, add_special=True)
    weights = [float(flags[index % len(flags)]) for index in range(len(ids))]
    pieces = segments(row(ids, weights), tokenizer)
    assert "".join(piece for piece, _ in pieces) == tokenizer.decode(ids, skip_special=False)


def test_trained_words_are_marked(tokenizers: dict[str, Tokenizer]) -> None:
    tokenizer = tokenizers["byte level"]
    prompt, answer = tokenizer.encode("Which city?\n"), tokenizer.encode("New York<|im_end|>")
    encoded = row(prompt + answer, [0.0] * len(prompt) + [0.5] * len(answer))
    assert segments(encoded, tokenizer) == [
        ("Which city?\n", False),
        ("New York<|im_end|>", True),
    ]
    assert segments(row([], []), tokenizer) == []
