"""The text that forgetting is measured on: documents, pieces, places, and bad files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.errors import InputError
from tunesmith.evaluate.retention import MOST_CHARACTERS, read_documents


def test_the_bundled_text_has_five_parts() -> None:
    documents = read_documents("bundled:retention", 0)
    parts = {part for part, _, _ in documents}
    assert parts == {"stories", "encyclopedic", "dialogue", "instructions", "code"}
    assert len(documents) == 60
    assert sum(len(text) for _, text, _ in documents) > 40_000
    assert all(text.strip() == text and "\n---\n" not in text for _, text, _ in documents)


def test_documents_know_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_bytes("\ufeffOne.\r\nStill one.\r\n\r\n---\r\n\r\nTwo --- here.\n---\n\n".encode())
    documents = read_documents(str(path), 0)
    assert [(part, text, place.line) for part, text, place in documents] == [
        ("mine", "One.\nStill one.", 1),
        ("mine", "Two --- here.", 6),
    ]


def test_a_long_text_is_cut_at_paragraphs_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    paragraphs = [f"Paragraph {number}. " + "word " * 300 for number in range(40)]
    path.write_text("\n\n".join(paragraphs))
    documents = read_documents(str(path), 0)
    assert len(documents) > 5
    assert all(text.startswith("Paragraph") and len(text) <= 8000 for _, text, _ in documents)
    assert "\n\n".join(text for _, text, _ in documents) == path.read_text().strip()


def test_a_text_without_a_single_space_is_cut_too(tmp_path: Path) -> None:
    path = tmp_path / "wall.txt"
    path.write_text("x" * 20_000)
    assert [len(text) for _, text, _ in read_documents(str(path), 0)] == [8000, 8000, 4000]


def test_of_a_very_long_text_the_seed_draws_documents(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("\n---\n".join(f"{number} " + "y" * 5000 for number in range(200)))
    first = read_documents(str(path), 0)
    assert sum(len(text) for _, text, _ in first) <= MOST_CHARACTERS
    assert first == read_documents(str(path), 0) != read_documents(str(path), 1)


@pytest.mark.parametrize("kind", ["absent", "empty", "separators", "binary", "nul", "folder"])
def test_bad_text_is_bad_input(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "text.txt"
    if kind == "empty":
        path.write_text(" \n")
    elif kind == "separators":
        path.write_text("---\n---\n")
    elif kind == "binary":
        path.write_bytes(b"\xff\xfe\x00abc")
    elif kind == "folder":
        path = tmp_path
    name = "a\0b" if kind == "nul" else str(path)
    with pytest.raises(InputError) as error:
        read_documents(name, 0)
    assert error.value.exit_code == 2 and error.value.hint
