"""The loss mask against marks made by others: TRL's training templates, and two of ours."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
import trl
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from tests.tokenizer.bases import SHARED, chat_base
from tunesmith.contracts import Conversation, Message
from tunesmith.tokenizer.encode import Encoded, encode_examples
from tunesmith.tokenizer.load import Tokenizer, load_tokenizer
from tunesmith.tokenizer.mask import LONGER_PROMPT, REWRITES, one_row, row_per_turn
from tunesmith.tokenizer.proof import prove
from tunesmith.tokenizer.template import Template, load_template

TRL = Path(trl.__file__).parent / "chat_templates"
BASE_OF = {
    "llama3": "llama3",
    "gemma": "gemma",
    "gemma3": "gemma",
    "qwen2_5": "chatml",
    "qwen3": "chatml",
    "phi3": "phi3",
}
ROWS = 200
OWN = (
    ("Hi there", "Hello!", "What is 2+2?", "It is 4.\n\nReally."),
    ("Write code", "```\nx = 1\n```", "Thanks", "  You are welcome  "),
    ("One", "Eins", "Two", "Zwei", "Three", "Drei 東京 🤗"),
)

CHATML_MARKED = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' }}"
    "{% if m.role == 'assistant' %}"
    "{% generation %}{{ m.content + '<|im_end|>' + AFTER }}{% endgeneration %}{{ REST }}"
    "{% else %}{{ m.content + '<|im_end|>\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
CHATML_WHOLE = CHATML_MARKED.replace("AFTER", "'\\n'").replace("REST", "''")
CHATML_TO_STOP = CHATML_MARKED.replace("AFTER", "''").replace("REST", "'\\n'")
MISTRAL_MARKED = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}"
    "{{ '[INST] ' + m.content + ' [/INST]' }}"
    "{% else %}{% generation %}{{ ' ' + m.content + eos_token }}{% endgeneration %}"
    "{% endif %}{% endfor %}"
)


@cache
def conversations() -> tuple[Conversation, ...]:
    """Dialogues of customer service where they are at hand, and a few of our own."""
    rows = [
        Conversation(
            messages=tuple(
                Message(role="user" if turn % 2 == 0 else "assistant", content=text)
                for turn, text in enumerate(texts)
            )
        )
        for texts in OWN
    ]
    path = SHARED / "data" / "sgd_dialogues" / "chat_dev.jsonl"
    if path.exists():
        with path.open(encoding="utf-8") as file:
            for line, _ in zip(file, range(ROWS), strict=False):
                rows.append(
                    Conversation(
                        messages=tuple(
                            Message(role=message["role"], content=message["content"])
                            for message in json.loads(line)["messages"]
                        )
                    )
                )
    return tuple(rows)


def needs_dialogues() -> None:
    if len(conversations()) < ROWS:
        pytest.skip("needs ../shared/data/sgd_dialogues/chat_dev.jsonl")


def encoded(
    rows: tuple[Conversation, ...], base: tuple[Tokenizer, Template]
) -> list[list[Encoded]]:
    done: list[list[Encoded]] = []
    for content, result in zip(rows, encode_examples(rows, *base, train_on="all"), strict=True):
        assert not isinstance(result, Exception)
        for row in result:
            prove(row, content, *base)
        done.append(list(result))
    return done


def marks(
    reference: PreTrainedTokenizerFast, template: str, conversation: Conversation
) -> tuple[list[int], list[int]]:
    """Ids and marks of Transformers for a template with generation tags."""
    result = reference.apply_chat_template(
        [message.as_template_input() for message in conversation.messages],
        chat_template=template,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    return result["input_ids"], result["assistant_masks"]


def trained(row: Encoded) -> list[int]:
    return [int(weight > 0) for weight in row.weights]


def base_with(folder: Path, family: str, template: str) -> tuple[Tokenizer, Template]:
    tokenizer = load_tokenizer(chat_base(folder, family, template))
    return tokenizer, load_template(tokenizer, None)


@pytest.mark.parametrize("family", ["llama3", "gemma", "gemma3", "qwen2_5", "qwen3"])
def test_masks_equal_those_of_trl(family: str, tmp_path: Path) -> None:
    needs_dialogues()
    source = (TRL / f"{family}_training.jinja").read_text()
    base = base_with(tmp_path, BASE_OF[family], source)
    reference = AutoTokenizer.from_pretrained(tmp_path)
    for conversation, rows in zip(conversations(), encoded(conversations(), base), strict=True):
        (row,) = rows
        ids, expected = marks(reference, source, conversation)
        assert row.ids == ids
        if family == "qwen2_5":
            # TRL's marks begin one token early: the newline before the answer belongs to the
            # generation prompt, so it is given at inference and is never trained here.
            for turn in row.turns:
                assert expected[turn.start - 1] == 1
                assert base[0].decode([ids[turn.start - 1]]) == "\n"
                expected[turn.start - 1] = 0
        assert trained(row) == expected


def test_masks_of_phi3_equal_those_of_trl_turn_by_turn(tmp_path: Path) -> None:
    # The template writes the base's end token after the last turn only, so each turn is a row.
    needs_dialogues()
    source = (TRL / "phi3_training.jinja").read_text()
    base = base_with(tmp_path, "phi3", source)
    reference = AutoTokenizer.from_pretrained(tmp_path)
    for conversation, rows in zip(conversations(), encoded(conversations(), base), strict=True):
        answers = [i for i, m in enumerate(conversation.messages) if m.role == "assistant"]
        assert [row.turns[0].message for row in rows] == answers
        for row in rows:
            (turn,) = row.turns
            part = Conversation(messages=conversation.messages[: turn.message + 1])
            ids, expected = marks(reference, source, part)
            assert row.ids == ids
            assert not any(trained(row)[: turn.start])
            assert trained(row)[turn.start :] == expected[turn.start :]
            assert expected[turn.start - 1] == 0


@pytest.mark.parametrize("family", ["llama3", "gemma", "gemma3", "qwen2_5", "phi3"])
def test_templates_without_marks_give_the_masks_of_those_with(family: str, tmp_path: Path) -> None:
    results = [
        encoded(
            conversations()[:40],
            base_with(tmp_path / name, BASE_OF[family], (TRL / f"{name}.jinja").read_text()),
        )
        for name in (family, f"{family}_training")
    ]
    assert results[0] == results[1]


def test_answers_of_qwen3_equal_the_marked_text_of_trl(tmp_path: Path) -> None:
    # The original template writes `<think>` into the last turn only, TRL's into every turn.
    base = base_with(tmp_path, "chatml", (TRL / "qwen3.jinja").read_text())
    reference = AutoTokenizer.from_pretrained(tmp_path)
    marked = (TRL / "qwen3_training.jinja").read_text()
    for conversation, rows in zip(
        conversations()[:40], encoded(conversations()[:40], base), strict=True
    ):
        ids, expected = marks(reference, marked, conversation)
        theirs = [token for token, mark in zip(ids, expected, strict=True) if mark]
        ours = [token for row in rows for token in row.ids[row.turns[0].start : row.turns[0].end]]
        assert ours == theirs
        assert all(row.notice == REWRITES for row in rows) or len(rows) == 1


@pytest.mark.parametrize(
    ("family", "marked", "name"),
    [("chatml", CHATML_WHOLE, "chatml"), ("mistral", MISTRAL_MARKED, "mistral")],
)
def test_masks_equal_marks_written_here(
    family: str, marked: str, name: str, tmp_path: Path
) -> None:
    needs_dialogues()
    base = base_with(tmp_path, family, marked)
    reference = AutoTokenizer.from_pretrained(tmp_path)
    built_in = (base[0], load_template(base[0], name))
    mine, ours = encoded(conversations(), base), encoded(conversations(), built_in)
    for conversation, rows, others in zip(conversations(), mine, ours, strict=True):
        ids, expected = marks(reference, marked, conversation)
        (row,) = rows
        assert (row.ids, trained(row)) == (ids, expected)
        if all(m.content == (m.content or "").strip() for m in conversation.messages):
            assert (others[0].ids, trained(others[0])) == (ids, expected)


def test_text_after_the_stop_token_inside_the_turn_is_trained(tmp_path: Path) -> None:
    base = base_with(tmp_path, "chatml", CHATML_TO_STOP)
    reference = AutoTokenizer.from_pretrained(tmp_path)
    for conversation, (row,) in zip(conversations(), encoded(conversations(), base), strict=True):
        ids, expected = marks(reference, CHATML_TO_STOP, conversation)
        for turn in row.turns:
            assert ids[turn.end - 2] == base[0].eos_id
            assert expected[turn.end - 2 : turn.end] == [1, 0]
            assert base[0].decode([ids[turn.end - 1]]) == "\n"
            expected[turn.end - 1] = 1
        assert trained(row) == expected


REWRITING = {
    "qwen3": REWRITES,
    "gptoss": REWRITES,
    "phi3": REWRITES,
    "deepseek_r1_distill": LONGER_PROMPT,
    "deepseekv3": LONGER_PROMPT,
    "nemotron_3_nano": LONGER_PROMPT,
}


@pytest.mark.parametrize("name", REWRITING)
def test_a_rewriting_template_gives_a_row_a_turn_as_at_inference(name: str, tmp_path: Path) -> None:
    tokenizer, template = base_with(tmp_path, "chatml", (TRL / f"{name}.jinja").read_text())
    conversation = conversations()[0]
    assert not one_row(conversation, template, "all")
    rows = row_per_turn(conversation, template, "all")
    assert [row.turns[0].message for row in rows] == [1, 3]
    for row in rows:
        (turn,) = row.turns
        prompt = template.render(conversation.messages[: turn.message], add_generation_prompt=True)
        assert row.text[: turn.start] == prompt
        assert turn.end == len(row.text)
        assert str(conversation.messages[turn.message].content).strip() in row.text[turn.start :]
        assert row.notice == REWRITING[name]


def test_an_answer_closes_what_the_prompt_opened(tmp_path: Path) -> None:
    _, template = base_with(tmp_path, "chatml", (TRL / "deepseek_r1_distill.jinja").read_text())
    question = Message(role="user", content="<b>2+2?</b>")
    for reasoning, thought in ((None, ""), ("Two and two.", "Two and two.\n")):
        answer = Message(role="assistant", content="<i>4</i>", reasoning=reasoning)
        (row,) = row_per_turn(Conversation(messages=(question, answer)), template, "all")
        assert row.text[: row.turns[0].start].endswith("<think>\n")
        assert row.text[row.turns[0].start :].startswith(f"{thought}</think>\n\n<i>4</i>")
