"""The starter model's training text: books and permitted instruction rows, as token files.

A line of ``books-0.jsonl.xz`` is ``{"author": "London, Jack", "title": "The Game", "text": ...}``
and a line of ``instructions-t0.jsonl.xz`` is ``{"template": "quartz_use_info_from_question",
"prompt": ..., "completion": "higher<|endoftext|>"}``. Only the instruction sets named in
`PERMITTED_SETS` are read: each carries its own licence that allows commercial use without
share-alike (the data card names where each was confirmed).

Both become flat ``uint16`` files, made by as many processes as there are cores. A book is
``<|bos|> text <|im_end|>``; conversations are stored one after another with the offset of each
in a second file.
"""

from __future__ import annotations

import json
import lzma
import multiprocessing
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from chats import Conversation, write_conversations
from tokenizers import Tokenizer

from tokenizer import (
    BEGIN_ID,
    SPECIAL_TOKENS,
    STOP_ID,
    render_chat,
    train_tokenizer,
    write_tokenizer,
)

BOOK_FILES = ("books-0.jsonl.xz", "books-1.jsonl.xz", "books-2.jsonl.xz")
HELD_OUT_BOOKS = "books-heldout.jsonl.xz"
INSTRUCTION_FILE = "instructions-t0.jsonl.xz"
PERMITTED_SETS = ("commonsense_qa", "qasc", "quartz")
SAMPLE_CHARACTERS_PER_BOOK = 30_000
MANY_BYTES = 1_000_000
"""Of a packed file, from which on several processes are worth their start."""
OWN_CONVERSATIONS = 240_000
"""Some 13 million tokens. The first 24,000 of them are what the smaller model was trained on."""
OWN_SEED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Token files opened for reading.

    Attributes:
        books: All books as one stream of token ids.
        chats: All conversations as one stream of token ids.
        chat_starts: Where in `chats` each conversation opens.
    """

    books: np.ndarray
    chats: np.ndarray
    chat_starts: np.ndarray

    def windows(
        self, generator: np.random.Generator, count: int, length: int, chat_share: float
    ) -> np.ndarray:
        """Draw windows of ``length + 1`` token ids; about `chat_share` of them are conversations.

        A window of a book opens with ``<|bos|>`` wherever in the book it was cut.
        """
        rows = np.empty((count, length + 1), dtype=np.int64)
        for index in range(count):
            if generator.random() < chat_share:
                usable = int(np.searchsorted(self.chat_starts, len(self.chats) - length))
                start = int(self.chat_starts[generator.integers(max(usable, 1))])
                rows[index] = np.resize(self.chats[start : start + length + 1], length + 1)
            else:
                start = int(generator.integers(len(self.books) - length))
                rows[index] = self.books[start : start + length + 1]
                rows[index, 0] = BEGIN_ID
        return rows


def read_books(path: Path) -> Iterator[str]:
    """Yield the text of each book of an ``.jsonl.xz`` file."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]


def read_instructions(path: Path) -> list[Conversation]:
    """Read the rows of the permitted sets as conversations, end-of-text markers stripped."""
    conversations: list[Conversation] = []
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if not row["template"].startswith(tuple(f"{name}_" for name in PERMITTED_SETS)):
                continue
            prompt = row["prompt"].replace("<|endoftext|>", "").strip()
            answer = row["completion"].replace("<|endoftext|>", "").strip()
            if prompt and answer:
                conversations.append(
                    [
                        {"role": "user", "content": prompt},
                        {"role": "assistant", "content": answer},
                    ]
                )
    return conversations


def _tokenizer_sample(shared: Path) -> Iterator[str]:
    """A slice of every book, and the permitted instruction rows."""
    generator = random.Random(0)
    for name in BOOK_FILES:
        for text in read_books(shared / "pretrain" / name):
            start = generator.randrange(max(len(text) - SAMPLE_CHARACTERS_PER_BOOK, 1))
            yield text[start : start + SAMPLE_CHARACTERS_PER_BOOK]
    for conversation in read_instructions(shared / "pretrain" / INSTRUCTION_FILE):
        yield from (message["content"] for message in conversation)


def prepare_tokenizer(shared: Path, folder: Path, given: Path | None) -> Tokenizer:
    """Load the tokenizer of a folder; where there is none yet, copy the given one or train one."""
    if not (folder / "chat_template.jinja").exists():
        if given is None:
            write_tokenizer(train_tokenizer(_tokenizer_sample(shared)), folder)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
                shutil.copyfile(given / name, folder / name)
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def _publish(path: Path, array: np.ndarray) -> None:
    """Write an array under a temporary name, then move it in place."""
    partial = path.with_suffix(".partial")
    with partial.open("wb") as stream:
        np.save(stream, array)
    partial.replace(path)


def encode_book(tokenizer: Tokenizer, text: str) -> np.ndarray:
    """Token ids of a book, between its begin and stop tokens."""
    parts = [part + "\n\n" for part in text.split("\n\n")]
    encoded = tokenizer.encode_batch(parts, add_special_tokens=False)
    ids = [BEGIN_ID, *(index for part in encoded for index in part.ids), STOP_ID]
    return np.array(ids, dtype=np.uint16)


class Encoder:
    """`encode_book` in a process of its own: sent there once, it loads the tokenizer there."""

    tokenizer: Tokenizer

    @classmethod
    def start(cls, path: str) -> None:
        """Load the tokenizer; one thread, since there are as many processes as cores."""
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        cls.tokenizer = Tokenizer.from_file(path)

    @classmethod
    def encode(cls, text: str) -> np.ndarray:
        """Token ids of a book."""
        return encode_book(cls.tokenizer, text)


def encode_books(path: Path, tokenizer_file: Path, processes: int) -> Iterator[np.ndarray]:
    """Token ids of each book of a file, in its order."""
    if processes == 1:
        tokenizer = Tokenizer.from_file(str(tokenizer_file))
        yield from (encode_book(tokenizer, text) for text in read_books(path))
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, Encoder.start, (str(tokenizer_file),)) as pool:
        yield from pool.imap(Encoder.encode, read_books(path))


def prepare_books(shared: Path, folder: Path, processes: int | None = None) -> None:
    """Encode each book file to ``books-N.npy`` where that is not done yet."""
    for name in BOOK_FILES:
        target = folder / name.replace(".jsonl.xz", ".npy")
        source = shared / "pretrain" / name
        if target.exists():
            continue
        many = source.stat().st_size > MANY_BYTES
        count = processes or (len(os.sched_getaffinity(0)) if many else 1)
        tokenizer_file = folder / "tokenizer" / "tokenizer.json"
        _publish(target, np.concatenate(list(encode_books(source, tokenizer_file, count))))


def prepare_chats(shared: Path, folder: Path, tokenizer: Tokenizer, own: int) -> None:
    """Encode permitted instruction rows and own conversations, shuffled, to ``chats-OWN.npy``."""
    if (folder / f"chat_starts-{own}.npy").exists():
        return
    conversations = read_instructions(shared / "pretrain" / INSTRUCTION_FILE)
    conversations += write_conversations(count=own, seed=OWN_SEED)
    random.Random(3).shuffle(conversations)
    texts = [render_chat(conversation) for conversation in conversations]
    encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
    rows = [np.array([BEGIN_ID, *row.ids], dtype=np.uint16) for row in encoded]
    starts = np.cumsum([0, *(len(row) for row in rows[:-1])])
    _publish(folder / f"chats-{own}.npy", np.concatenate(rows))
    _publish(folder / f"chat_starts-{own}.npy", starts)


def prepare_corpus(
    shared: Path, folder: Path, own: int = OWN_CONVERSATIONS, tokenizer_from: Path | None = None
) -> Corpus:
    """Build whatever is missing in a folder and open it.

    Args:
        shared: The folder that holds ``pretrain/``.
        folder: Where token files are kept between runs.
        own: How many of the project's own conversations to write.
        tokenizer_from: A model folder whose tokenizer is taken; else one is trained.

    Raises:
        FileNotFoundError: `shared` lacks a file of the corpus, or `tokenizer_from` the tokenizer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = prepare_tokenizer(shared, folder / "tokenizer", tokenizer_from)
    prepare_books(shared, folder)
    prepare_chats(shared, folder, tokenizer, own)
    books = [np.load(folder / name.replace(".jsonl.xz", ".npy")) for name in BOOK_FILES]
    return Corpus(
        books=np.concatenate(books),
        chats=np.load(folder / f"chats-{own}.npy"),
        chat_starts=np.load(folder / f"chat_starts-{own}.npy"),
    )


def hold_back(corpus: Corpus, count: int) -> tuple[Corpus, np.ndarray]:
    """Part the last `count` tokens of the books from the rest: what a search may choose by."""
    kept = len(corpus.books) - count
    return replace(corpus, books=corpus.books[:kept]), corpus.books[kept:]


def prepare_held_out(shared: Path, folder: Path) -> np.ndarray:
    """Token ids of the held-out books, as one stream."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer" / "tokenizer.json"))
    ids: list[int] = []
    for text in read_books(shared / "pretrain" / HELD_OUT_BOOKS):
        ids += tokenizer.encode(text).ids
    return np.array(ids)


def bytes_of_tokens(folder: Path) -> np.ndarray:
    """How many bytes of text each entry of the vocabulary is."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer" / "tokenizer.json"))
    token_bytes = np.zeros(tokenizer.get_vocab_size(), dtype=np.float64)
    for token, index in tokenizer.get_vocab().items():
        # In the byte-level alphabet a character stands for one byte.
        token_bytes[index] = 0 if token in SPECIAL_TOKENS else len(token)
    return token_bytes
