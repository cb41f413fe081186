"""Content as it is measured: the same tokens as in training, every byte of text counted once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evaluate.fakes import example
from tunesmith.bundled import bundled_path
from tunesmith.contracts import Content, Conversation, Example, Message, Segment, Segments, Text
from tunesmith.data.coding import Coding
from tunesmith.data.content import digest_of
from tunesmith.errors import Place
from tunesmith.evaluate.encoder import RunEncoder
from tunesmith.tokenizer.load import load_tokenizer
from tunesmith.tokenizer.template import load_template

PLACE = Place(file="t.txt", line=1)


@pytest.fixture(scope="module")
def encoder() -> RunEncoder:
    tokenizer = load_tokenizer(bundled_path("bundled:starter"))
    coding = Coding(tokenizer=tokenizer, template=load_template(tokenizer, None), train_on="all")
    return RunEncoder(
        coding=coding, max_length=200, keeps_overlong=True, context=256, max_new_tokens=32
    )


def of(content: Content) -> Example:
    return Example(content=content, place=PLACE, digest=digest_of(content))


@settings(max_examples=30, deadline=None)
@given(text=st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=2))
def test_pieces_of_a_document_cover_its_bytes(encoder: RunEncoder, text: str) -> None:
    tokenizer = encoder.coding.tokenizer
    assert tokenizer.bos_id is not None
    narrow = replace(encoder, context=16, asked={}, remembered={})
    passages = narrow.document(text, PLACE, "part")
    assert all(len(one.row.ids_T) <= 16 and one.row.weights_T[0] == 0 for one in passages)
    assert sum(len(one.row.ids_T) - 1 for one in passages) == len(tokenizer.encode(text))
    whole = encoder.document(text, PLACE, "part")
    if len(whole) == 1 and not text[0].isspace():
        assert whole[0].size == len(text.encode())
    assert {one.part for one in passages} == {"part"} and len({o.group for o in passages}) == 1


def test_the_bytes_of_a_long_document_are_all_there(encoder: RunEncoder) -> None:
    text = bundled_path("bundled:retention/stories.txt").read_text()[:6000]
    pieces = encoder.document(text, PLACE, "stories")
    assert len(pieces) > 3
    assert sum(one.size for one in pieces) == pytest.approx(len(text.encode()), rel=0.01)


def test_a_passage_is_the_trained_row_and_knows_its_bytes(encoder: RunEncoder) -> None:
    (one,) = encoder.passages(example("Is it open?", "Yes, from 10."))
    trained = [int(i) for i, w in zip(one.row.ids_T, one.row.weights_T, strict=True) if w > 0]
    text = encoder.coding.tokenizer.decode(trained)
    assert text.strip() == "Yes, from 10."
    assert one.size == len(text.encode())


def test_a_question_is_the_prompt_of_the_passage(encoder: RunEncoder) -> None:
    one = example("Is it open?", "Yes, from 10.")
    question = encoder.question(one)
    (passage,) = encoder.passages(one)
    assert question is not None
    assert question.prompt == "Is it open?" and question.reference == "Yes, from 10."
    start = int((passage.row.weights_T > 0).argmax())
    assert list(question.prompt_ids) == passage.row.ids_T[:start].tolist()


def test_the_last_turn_of_several_is_asked_for(encoder: RunEncoder) -> None:
    turns = [("user", "Hi"), ("assistant", "Hello"), ("user", "Open?"), ("assistant", "Yes.")]
    talk = of(Conversation(messages=tuple(Message(role=r, content=c) for r, c in turns)))  # type: ignore[arg-type]
    question = encoder.question(talk)
    assert question is not None
    assert (question.prompt, question.reference) == ("Open?", "Yes.")
    assert "Hello" in encoder.coding.tokenizer.decode(question.prompt_ids)
    swapped = encoder.last_turn(talk, "No.")
    assert swapped is not None
    trained = swapped.row.ids_T[swapped.row.weights_T > 0]
    assert encoder.coding.tokenizer.decode(trained.tolist()).strip() == "No."


def test_segments_are_asked_without_a_template_and_text_is_not_asked(encoder: RunEncoder) -> None:
    parts = (Segment(text="2+2=", trained=False), Segment(text="4", trained=True))
    question = encoder.question(of(Segments(parts=parts)))
    assert question is not None and (question.prompt, question.reference) == ("2+2=", "4")
    assert encoder.question(of(Segments(parts=parts[1:]))) is None
    assert encoder.question(of(Text(text="The mill."))) is None
    assert encoder.last_turn(of(Text(text="The mill.")), "x") is None
    swapped = encoder.last_turn(of(Segments(parts=parts)), "5")
    assert swapped is not None and swapped.size == 1


def test_what_does_not_fit_is_cut_or_left_out_or_not_asked(encoder: RunEncoder) -> None:
    long = example("word " * 50, "answer " * 300)
    (cut,) = encoder.passages(long)
    assert len(cut.row.ids_T) == 200
    strict = replace(encoder, keeps_overlong=False, asked={}, remembered={})
    assert strict.passages(long) == ()
    assert encoder.question(example("word " * 400, "yes")) is None
    assert encoder.passages(example("word " * 400, "yes")) == ()
