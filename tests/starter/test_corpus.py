"""What the starter model reads: permitted rows only, exact tokens, conversations that end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from chats import write_conversations
from corpus import (
    bytes_of_tokens,
    encode_books,
    hold_back,
    prepare_corpus,
    prepare_held_out,
    read_instructions,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from tokenizer import BEGIN_ID, STOP_ID, render_chat, train_tokenizer, write_tokenizer

SMALL = train_tokenizer(iter(["the sea and the lamp " * 50, "“Yah!” he said, 123 times"]), 400)


def test_only_permitted_sets_are_read_and_markers_are_stripped(small_shared: Path) -> None:
    rows = read_instructions(small_shared / "pretrain" / "instructions-t0.jsonl.xz")
    assert [[message["content"] for message in row] for row in rows] == [
        ["Do ducks swim?", "Yes"],
        ["Hot or cold?", "hot"],
    ]


def test_windows_open_with_the_begin_token(small_shared: Path, tmp_path: Path) -> None:
    corpus = prepare_corpus(small_shared, tmp_path / "work", own=30)
    generator = np.random.default_rng(0)
    books = corpus.windows(generator, 5, 32, chat_share=0.0)
    chats = corpus.windows(generator, 5, 32, chat_share=1.0)
    assert books.shape == chats.shape == (5, 33)
    assert (books[:, 0] == BEGIN_ID).all()
    assert (chats[:, 0] == BEGIN_ID).all()
    assert (corpus.chats[corpus.chat_starts] == BEGIN_ID).all()
    assert (corpus.chats == BEGIN_ID).sum() == len(corpus.chat_starts) == 32
    again = prepare_corpus(small_shared, tmp_path / "work", own=30)
    assert (again.chats == corpus.chats).all()


def test_several_processes_encode_as_one_does(small_shared: Path, tmp_path: Path) -> None:
    corpus = prepare_corpus(small_shared, tmp_path / "work", own=5)
    path = small_shared / "pretrain" / "books-1.jsonl.xz"
    tokenizer = tmp_path / "work" / "tokenizer" / "tokenizer.json"
    alone = list(encode_books(path, tokenizer, 1))
    together = list(encode_books(path, tokenizer, 2))
    assert [list(book) for book in alone] == [list(book) for book in together]
    size = len(alone[0])
    assert (corpus.books[size : 2 * size] == alone[0]).all()


def test_a_tokenizer_can_be_given(small_shared: Path, tmp_path: Path) -> None:
    write_tokenizer(SMALL, tmp_path / "given")
    prepare_corpus(small_shared, tmp_path / "work", own=5, tokenizer_from=tmp_path / "given")
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        given, taken = (tmp_path / folder / name for folder in ("given", "work/tokenizer"))
        assert given.read_bytes() == taken.read_bytes()


def test_what_is_held_back_is_not_drawn(small_shared: Path, tmp_path: Path) -> None:
    corpus = prepare_corpus(small_shared, tmp_path / "work", own=5)
    rest, held_back = hold_back(corpus, 100)
    assert (np.concatenate([rest.books, held_back]) == corpus.books).all()
    assert len(held_back) == 100
    assert (rest.chats == corpus.chats).all()


def test_held_out_tokens_cover_the_bytes_of_the_text(small_shared: Path, tmp_path: Path) -> None:
    prepare_corpus(small_shared, tmp_path / "work", own=5)
    tokens = prepare_held_out(small_shared, tmp_path / "work")
    token_bytes = bytes_of_tokens(tmp_path / "work")
    tokenizer = Tokenizer.from_file(str(tmp_path / "work" / "tokenizer" / "tokenizer.json"))
    text = tokenizer.decode(list(tokens))
    assert token_bytes[tokens].sum() == len(text.encode())


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_makes_the_round_trip(text: str) -> None:
    ids = SMALL.encode(text, add_special_tokens=False).ids
    assert SMALL.decode(ids, skip_special_tokens=False) == text


def test_both_libraries_read_the_tokenizer_alike(tmp_path: Path) -> None:
    write_tokenizer(SMALL, tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    for text in ("the sea  ▁ and\n\n\tthe lamp", " “Yah!”\r\n", "日本 \x00é", ""):
        assert tokenizer(text)["input_ids"] == SMALL.encode(text).ids
        assert tokenizer(text)["input_ids"][0] == BEGIN_ID == tokenizer.bos_token_id
    assert tokenizer.eos_token_id == STOP_ID


def test_the_chat_template_renders_as_training_did(tmp_path: Path) -> None:
    write_tokenizer(SMALL, tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    for chat in write_conversations(count=20, seed=5):
        rendered = tokenizer.apply_chat_template(chat, tokenize=False)
        assert rendered == "<|bos|>" + render_chat(chat)
        prompt = tokenizer.apply_chat_template(
            chat[:-1], tokenize=False, add_generation_prompt=True
        )
        assert rendered == f"{prompt}{chat[-1]['content']}<|im_end|>\n"
        encoded = tokenizer.apply_chat_template(
            chat, return_dict=True, return_assistant_tokens_mask=True
        )
        trained = [
            index
            for index, mask in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True)
            if mask
        ]
        answers = [message["content"] for message in chat if message["role"] == "assistant"]
        assert tokenizer.decode(trained) == "".join(f"{answer}<|im_end|>" for answer in answers)


def test_conversations_are_many_and_end_with_an_answer() -> None:
    chats = write_conversations(count=500, seed=3)
    assert chats == write_conversations(count=500, seed=3)
    assert chats != write_conversations(count=500, seed=4)
    assert len({repr(chat) for chat in chats}) > 450
    for chat in chats:
        turns = chat[1:] if chat[0]["role"] == "system" else chat
        assert [turn["role"] for turn in turns] == ["user", "assistant"] * (len(turns) // 2)
        assert all(turn["content"].strip() == turn["content"] != "" for turn in turns)
