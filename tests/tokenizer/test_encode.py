"""From examples to ids and weights."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tokenizer.bases import Files, byte_level, chat_base, metaspace, word_level, write
from tunesmith.contracts import Conversation, JsonObject, Message, Segment, Segments, Text
from tunesmith.errors import DataError, ModelError, TemplateError
from tunesmith.tokenizer.encode import Encoded, encode_example, encode_examples
from tunesmith.tokenizer.load import Tokenizer, load_tokenizer
from tunesmith.tokenizer.mask import JOINED_TOKENS
from tunesmith.tokenizer.preview import segments
from tunesmith.tokenizer.proof import prove
from tunesmith.tokenizer.template import Template, load_template

QUESTION = Message(role="user", content="What is 2+2?")
ANSWER = Message(role="assistant", content="It is 4.")
SYSTEM = Message(role="system", content="Be brief.")
LLAMA = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>"}


@pytest.fixture(scope="module")
def chatml(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tokenizer, Template]:
    tokenizer = load_tokenizer(chat_base(tmp_path_factory.mktemp("base"), "chatml"))
    return tokenizer, load_template(tokenizer, "chatml")


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tokenizer, Template]:
    folder = write(tmp_path_factory.mktemp("llama"), metaspace(), Files(config=dict(LLAMA)))
    tokenizer = load_tokenizer(folder)
    return tokenizer, load_template(tokenizer, None)


def one(messages: tuple[Message, ...], base: tuple[Tokenizer, Template], **options: str) -> Encoded:
    train_on = "last" if options.get("train_on") == "last" else "all"
    content = Conversation(messages=messages)
    (row,) = encode_example(content, *base, train_on=train_on)
    prove(row, content, *base)
    return row


def trained_text(row: Encoded, tokenizer: Tokenizer) -> list[str]:
    return [text for text, trained in segments(row, tokenizer) if trained]


def test_each_answer_is_trained_with_its_stop_token(chatml: tuple[Tokenizer, Template]) -> None:
    row = one((SYSTEM, QUESTION, ANSWER, QUESTION, ANSWER), chatml)
    assert trained_text(row, chatml[0]) == ["It is 4.<|im_end|>\n"] * 2
    assert [turn.message for turn in row.turns] == [2, 4]
    assert row.prompt_length == row.turns[0].start
    assert row.notice == ""


def test_only_the_last_answer_is_trained_on_request(chatml: tuple[Tokenizer, Template]) -> None:
    row = one((QUESTION, ANSWER, QUESTION, ANSWER), chatml, train_on="last")
    assert [turn.message for turn in row.turns] == [3]
    assert len(trained_text(row, chatml[0])) == 1


def test_weights_of_messages_scale_and_silence(chatml: tuple[Tokenizer, Template]) -> None:
    silent = Message(role="assistant", content="Not this.", weight=0)
    half = Message(role="assistant", content="But this.", weight=0.5)
    row = one((QUESTION, silent, QUESTION, half), chatml)
    assert trained_text(row, chatml[0]) == ["But this.<|im_end|>\n"]
    assert set(row.weights) == {0.0, 0.5}


def test_a_row_with_nothing_to_train_has_weights_of_zero(
    chatml: tuple[Tokenizer, Template],
) -> None:
    row = one((QUESTION,), chatml)
    assert not any(row.weights)
    assert row.prompt_length == len(row.ids)
    last_is_silent = (QUESTION, ANSWER, QUESTION, Message(role="assistant", content="x", weight=0))
    assert not any(one(last_is_silent, chatml, train_on="last").weights)


def test_turns_after_the_last_answer_stay_in_the_row(chatml: tuple[Tokenizer, Template]) -> None:
    row = one((QUESTION, ANSWER, QUESTION), chatml)
    assert segments(row, chatml[0])[-1] == ("<|im_start|>user\nWhat is 2+2?<|im_end|>\n", False)


def test_two_answers_in_a_row_and_an_answer_first(chatml: tuple[Tokenizer, Template]) -> None:
    row = one((ANSWER, QUESTION, ANSWER, ANSWER), chatml)
    assert trained_text(row, chatml[0]) == ["It is 4.<|im_end|>\n"] * 3


def test_plain_text_is_trained_to_its_end(llama: tuple[Tokenizer, Template]) -> None:
    tokenizer = llama[0]
    for text in ("Once upon a time", "Once upon a time</s>"):
        (row,) = encode_example(Text(text=text), *llama, train_on="all")
        assert row.ids == [1, *tokenizer.encode("Once upon a time"), 2]
        assert row.weights == [0.0] + [1.0] * (len(row.ids) - 1)
        prove(row, Text(text=text), *llama)


def test_plain_text_without_an_end_token_is_refused(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(write(tmp_path / "a", word_level()))
    other = load_tokenizer(
        write(tmp_path / "b", word_level(), Files(config={"eos_token": "[EOS]"}))
    )
    with pytest.raises(ModelError, match="never stop"):
        encode_example(Text(text="x"), tokenizer, load_template(other, "plain"), train_on="all")


def test_segments_are_tokenised_apart_and_trained_by_label(
    llama: tuple[Tokenizer, Template],
) -> None:
    tokenizer = llama[0]
    parts = (("<s>Hello", False), (" there", True), ("s</s>", True), ("", True))
    content = Segments(parts=tuple(Segment(text=text, trained=on) for text, on in parts))
    (row,) = encode_example(content, *llama, train_on="all")
    pieces = [tokenizer.encode(text) for text, _ in parts]
    assert row.ids == sum(pieces, [])
    assert row.weights == [0.0] * len(pieces[0]) + [1.0] * (len(row.ids) - len(pieces[0]))
    prove(row, content, *llama)


@pytest.mark.parametrize(
    "messages",
    [
        (Message(role="user", content="end it <|im_end|> now"), ANSWER),
        (QUESTION, Message(role="assistant", content="yes<|im_end|>")),
        (Message(role="system", content="<|im_start|>system"), QUESTION, ANSWER),
        (QUESTION, Message(role="assistant", content="4", reasoning="<|endoftext|>")),
        (
            QUESTION,
            Message(
                role="assistant",
                content="",
                tool_calls=({"function": {"name": "x", "arguments": {"q": "<|im_end|>"}}},),
            ),
        ),
    ],
)
def test_a_special_token_in_a_message_is_refused(
    messages: tuple[Message, ...], chatml: tuple[Tokenizer, Template]
) -> None:
    with pytest.raises(DataError, match=r"holds the special token '<\|") as caught:
        encode_example(Conversation(messages=messages), *chatml, train_on="all")
    assert "remove" in caught.value.hint


def test_a_special_token_in_the_tools_is_refused(chatml: tuple[Tokenizer, Template]) -> None:
    tools: tuple[JsonObject, ...] = ({"function": {"name": "<|im_start|>"}},)
    content = Conversation(messages=(QUESTION, ANSWER), tools=tools)
    with pytest.raises(DataError, match="the tools hold|the tools"):
        encode_example(content, *chatml, train_on="all")


def test_a_sign_that_a_base_calls_special_may_be_written(tmp_path: Path) -> None:
    config: dict[str, object] = {"eos_token": "<|im_end|>", "pad_token": "!"}
    folder = write(tmp_path, byte_level(("<|im_start|>", "<|im_end|>")), Files(config=config))
    tokenizer = load_tokenizer(folder)
    messages = (Message(role="user", content="Hi!"), ANSWER)
    one(messages, (tokenizer, load_template(tokenizer, "chatml")))


def test_many_rows_give_what_each_gives_and_keep_their_errors(
    chatml: tuple[Tokenizer, Template],
) -> None:
    contents = [
        Conversation(messages=(QUESTION, ANSWER)),
        Conversation(messages=(Message(role="user", content="<|im_end|>"), ANSWER)),
        Text(text="plain"),
        Conversation(messages=(Message(role="user", content="half \ud800"), ANSWER)),
        Segments(parts=(Segment(text="a", trained=False), Segment(text="b", trained=True))),
        Conversation(messages=(QUESTION, Message(role="tool", content=None))),
    ]
    results = encode_examples(contents, *chatml, train_on="all")
    assert [isinstance(result, DataError) for result in results] == [
        *(False, True, False),
        *(True, False, True),
    ]
    for content, result in zip(contents, results, strict=True):
        if not isinstance(result, DataError):
            assert result == encode_example(content, *chatml, train_on="all")


def test_an_answer_whose_first_token_joins_the_prompt_is_tokenised_apart(tmp_path: Path) -> None:
    # GPT-2 splits "\n\nAs" as "\n", "\n", "As", but "\n\n" alone as one piece.
    tokenizer = load_tokenizer(
        write(
            tmp_path,
            byte_level(("<|im_end|>",), split=None),
            Files(
                config={
                    "eos_token": "<|im_end|>",
                    "chat_template": "{% for m in messages %}{{ m.role + ':\n\n' + m.content"
                    " + eos_token }}{% endfor %}"
                    "{% if add_generation_prompt %}{{ 'assistant:\n\n' }}{% endif %}",
                }
            ),
        )
    )
    template = load_template(tokenizer, None)
    content = Conversation(messages=(QUESTION, ANSWER, QUESTION, ANSWER))
    rows = encode_example(content, tokenizer, template, train_on="all")
    assert [row.turns[0].message for row in rows] == [1, 3]
    for row in rows:
        assert row.notice == JOINED_TOKENS
        prove(row, content, tokenizer, template)
        prompt = template.render(
            content.messages[: row.turns[0].message], add_generation_prompt=True
        )
        assert row.ids[: row.turns[0].start] == tokenizer.encode(prompt)
        assert trained_text(row, tokenizer) == ["It is 4.<|im_end|>"]
    content = Conversation(messages=(QUESTION, ANSWER, QUESTION))
    (row,) = encode_example(content, tokenizer, template, train_on="all")
    assert segments(row, tokenizer)[-1] == ("It is 4.<|im_end|>", True)


def test_a_token_that_reaches_beyond_the_turn_is_not_trained(tmp_path: Path) -> None:
    # The newline after the answer and the one before the next turn are one token.
    source = (
        "{% for m in messages %}{{ '\n' + m.role + ' ' + m.content + '[END]\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '\nassistant' }}{% endif %}"
    )
    folder = write(
        tmp_path,
        byte_level(("[END]",)),
        Files(config={"eos_token": "[END]", "chat_template": source}),
    )
    tokenizer = load_tokenizer(folder)
    template = load_template(tokenizer, None)
    content = Conversation(messages=(QUESTION, ANSWER, QUESTION))
    (row,) = encode_example(content, tokenizer, template, train_on="all")
    prove(row, content, tokenizer, template)
    assert trained_text(row, tokenizer) == [" It is 4.[END]"]


PIECES = [*"ab \n\t'.,!?<|>[]/é東🤗\u0301", "User:", "</think>", "\n\n", "</s", "<|im_end|"]
words = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
turns = st.lists(st.tuples(words, words), min_size=1, max_size=3)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    pairs=turns,
    system=st.none() | words,
    which=st.sampled_from(["chatml", "plain", "alpaca", "vicuna", "zephyr", "llama plain"]),
)
def test_no_token_of_a_prompt_is_trained_whatever_is_written(
    pairs: list[tuple[str, str]],
    system: str | None,
    which: str,
    chatml: tuple[Tokenizer, Template],
    llama: tuple[Tokenizer, Template],
) -> None:
    tokenizer, template = llama if which == "llama plain" else chatml
    if which not in ("chatml", "llama plain"):
        template = load_template(tokenizer, which)
    messages = [] if system is None else [Message(role="system", content=system)]
    for question, answer in pairs:
        messages.append(Message(role="user", content=question))
        messages.append(Message(role="assistant", content=answer))
    content = Conversation(messages=tuple(messages))
    try:
        rows = encode_example(content, tokenizer, template, train_on="all")
    except DataError as error:
        assert "special token" in error.what
        return
    seen = 0
    for row in rows:
        prove(row, content, tokenizer, template)
        seen += len(row.turns)
        for turn in row.turns:
            prompt = template.render(messages[: turn.message], add_generation_prompt=True)
            length = len(tokenizer.encode(prompt))
            assert row.ids[:length] == tokenizer.encode(prompt)
            before = [other for other in row.turns if other.end <= length]
            allowed = {token for other in before for token in range(other.start, other.end)}
            assert all(not row.weights[token] for token in set(range(length)) - allowed)
            assert tokenizer.eos_id in row.ids[turn.start : turn.end]
        pieces = segments(row, tokenizer)
        whole = tokenizer.decode(row.ids, skip_special=False)
        assert "".join(text for text, _ in pieces) == whole
    assert seen == len(pairs)


def test_a_template_that_moves_the_prompt_is_refused(tmp_path: Path) -> None:
    source = (
        "{{ messages | length }}{% for m in messages %}{{ m.content + eos_token }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'go' }}{% endif %}"
    )
    folder = chat_base(tmp_path, "chatml", source)
    tokenizer = load_tokenizer(folder)
    with pytest.raises(TemplateError, match="answer's place cannot be found"):
        encode_example(
            Conversation(messages=(QUESTION, ANSWER)),
            tokenizer,
            load_template(tokenizer, None),
            train_on="all",
        )
