"""The mask proof fails on every kind of wrong mask."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.tokenizer.bases import chat_base
from tunesmith.contracts import Content, Conversation, Message, Segment, Segments
from tunesmith.errors import TemplateError
from tunesmith.tokenizer.encode import Encoded, encode_example
from tunesmith.tokenizer.load import Tokenizer, load_tokenizer
from tunesmith.tokenizer.proof import prove
from tunesmith.tokenizer.template import Template, load_template

CONVERSATION = Conversation(
    messages=(
        Message(role="user", content="What is 2+2?"),
        Message(role="assistant", content="It is 4."),
        Message(role="user", content="And 3+3?"),
        Message(role="assistant", content="It is 6."),
    )
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tokenizer, Template]:
    tokenizer = load_tokenizer(chat_base(tmp_path_factory.mktemp("base"), "chatml"))
    return tokenizer, load_template(tokenizer, "chatml")


@pytest.fixture
def row(base: tuple[Tokenizer, Template]) -> Encoded:
    (row,) = encode_example(CONVERSATION, *base, train_on="all")
    prove(row, CONVERSATION, *base)
    return row


def refuted(row: Encoded, message: str, base: tuple[Tokenizer, Template]) -> None:
    with pytest.raises(TemplateError, match=message) as caught:
        prove(row, CONVERSATION, *base)
    assert caught.value.hint


def test_an_untrained_stop_token_is_refuted(row: Encoded, base: tuple[Tokenizer, Template]) -> None:
    for turn in row.turns:
        weights = list(row.weights)
        for index in range(turn.start, turn.end):
            if row.ids[index] == base[0].eos_id:
                weights[index] = 0.0
        refuted(replace(row, weights=weights), f"no stop token .* message {turn.message + 1}", base)


def test_every_trained_prompt_token_is_refuted(
    row: Encoded, base: tuple[Tokenizer, Template]
) -> None:
    checked = 0
    for index in range(1, len(row.ids)):
        if not row.weights[index]:
            weights = list(row.weights)
            weights[index] = 1.0
            refuted(replace(row, weights=weights), "is trained|are trained", base)
            checked += 1
    assert checked > 10


def test_a_turn_that_begins_in_its_prompt_is_refuted(
    row: Encoded, base: tuple[Tokenizer, Template]
) -> None:
    first, second = row.turns
    early = replace(second, start=second.start - 2)
    refuted(replace(row, turns=(first, early)), "last 2 tokens of the prompt of message 4", base)


def test_a_changed_prompt_is_refuted(row: Encoded, base: tuple[Tokenizer, Template]) -> None:
    for index in range(row.turns[-1].start):
        ids = list(row.ids)
        ids[index] = 50
        refuted(replace(row, ids=ids), "not a prefix of its row|no stop token", base)


def test_a_template_that_leaves_out_a_role_is_refuted(tmp_path: Path) -> None:
    source = (
        "{% for m in messages %}{% if m.role in ('user', 'assistant') %}"
        "{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    )
    tokenizer = load_tokenizer(chat_base(tmp_path, "chatml", source))
    template = load_template(tokenizer, None)
    (plain,) = encode_example(CONVERSATION, tokenizer, template, train_on="all")
    prove(plain, CONVERSATION, tokenizer, template)
    system = Message(role="system", content="Be brief.")
    content = Conversation(messages=(system, *CONVERSATION.messages))
    (row,) = encode_example(content, tokenizer, template, train_on="all")
    with pytest.raises(TemplateError, match="leaves out the text of system"):
        prove(row, content, tokenizer, template)


def test_a_trained_last_segment_needs_a_stop_token(base: tuple[Tokenizer, Template]) -> None:
    def check(*parts: tuple[str, bool]) -> None:
        content: Content = Segments(
            parts=tuple(Segment(text=text, trained=trained) for text, trained in parts)
        )
        (row,) = encode_example(content, *base, train_on="all")
        prove(row, content, *base)

    check(("Q: a ", False), ("b<|im_end|>", True))
    check(("Q: a ", True), ("b", False))
    with pytest.raises(TemplateError, match="no stop token is") as caught:
        check(("Q: a ", False), ("b", True))
    assert "<|im_end|>" in caught.value.hint
