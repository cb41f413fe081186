"""Content as it is measured, under the tokenizer, the template and the lengths of a run.

A passage is a row as training saw it: same template, same mask, cut at the same length. A
question is the same row's prompt as it stands at inference, before its last trained turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from tunesmith.contracts import (
    Content,
    Conversation,
    Example,
    Message,
    Preference,
    Segment,
    Segments,
    TokenRow,
)
from tunesmith.data.coding import Coding
from tunesmith.errors import DataError, Place
from tunesmith.evaluate.contracts import Passage, Question
from tunesmith.tokenizer.encode import encode_example
from tunesmith.tokenizer.load import Tokenizer
from tunesmith.tokenizer.mask import prompt_text, trained_turns

LONGEST_DOCUMENT = 2048
"""Tokens of general text that the model reads at once, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEncoder:
    """A `contracts.Encoder`."""

    coding: Coding
    max_length: int | None
    """Longest row in tokens, as in training; None: no limit."""
    keeps_overlong: bool
    """Whether a longer row is cut, else it is left out."""
    context: int | None
    """Tokens that the model can read at once."""
    max_new_tokens: int
    remembered: dict[tuple[str, str], tuple[Passage, ...]] = field(default_factory=dict, repr=False)
    asked: dict[tuple[str, str], Question | None] = field(default_factory=dict, repr=False)

    def passages(self, example: Example) -> tuple[Passage, ...]:
        """The rows of an example as training sees them, teacher-forced."""
        key = (str(example.place), example.digest)
        if key not in self.remembered:
            self.remembered[key] = self._encoded(example, example.content, self.coding)
        return self.remembered[key]

    def pair(self, example: Example) -> tuple[Passage, Passage] | None:
        """The chosen and the rejected completion of a preference as training sees them."""
        if not isinstance(example.content, Preference):
            return None
        passages = self.passages(example)
        return (passages[0], passages[1]) if len(passages) == 2 else None

    def last_turn(self, example: Example, answer: str) -> Passage | None:
        """The example with its last trained turn replaced and only that trained."""
        content = _with_answer(example.content, answer)
        if content is None:
            return None
        coding = Coding(
            tokenizer=self.coding.tokenizer, template=self.coding.template, train_on="last"
        )
        passages = self._encoded(example, content, coding)
        return passages[-1] if passages else None

    def question(self, example: Example) -> Question | None:
        """The prompt before the last trained turn; None where nothing is asked.

        None too where prompt and answer together are longer than the model can read.
        """
        key = (str(example.place), example.digest)
        if key not in self.asked:
            self.asked[key] = self._question(example)
        return self.asked[key]

    def document(self, text: str, place: Place, part: str) -> tuple[Passage, ...]:
        """General text, in pieces that fit the model's context."""
        tokenizer = self.coding.tokenizer
        begin = [] if tokenizer.bos_id is None else [tokenizer.bos_id]
        window = min(self.context or LONGEST_DOCUMENT, LONGEST_DOCUMENT) - len(begin)
        ids, offsets = tokenizer.encode_with_offsets(text)
        passages = []
        for start in range(0, len(ids), window):
            piece = begin + ids[start : start + window]
            # Without a begin token nothing predicts the first token of a piece.
            first = start if begin else start + 1
            if len(piece) < 2:
                continue
            last = min(start + window, len(ids)) - 1
            weights_T = np.ones(len(piece), dtype=np.float32)
            weights_T[0] = 0
            row = TokenRow(
                ids_T=np.array(piece, dtype=np.int32), weights_T=weights_T, place=place, digest=""
            )
            measured = text[offsets[first][0] : offsets[last][1]]
            size = len(measured.encode("utf-8"))
            passages.append(Passage(row=row, size=size, group=str(place), part=part))
        return tuple(passages)

    def _question(self, example: Example) -> Question | None:
        asked = _asked(example.content, self.coding)
        if asked is None:
            return None
        text, shown, reference = asked
        ids = self.coding.tokenizer.encode(text)
        room = None if self.context is None else self.context - self.max_new_tokens
        if not ids or not reference.strip() or (room is not None and len(ids) > room):
            return None
        return Question(prompt_ids=tuple(ids), prompt=shown, reference=reference, example=example)

    def _encoded(self, example: Example, content: Content, coding: Coding) -> tuple[Passage, ...]:
        rows = encode_example(content, coding.tokenizer, coding.template, train_on=coding.train_on)
        passages = []
        for encoded in rows:
            is_long = self.max_length is not None and len(encoded.ids) > self.max_length
            if is_long and not self.keeps_overlong:
                continue
            row = TokenRow(
                ids_T=np.array(encoded.ids[: self.max_length], dtype=np.int32),
                weights_T=np.array(encoded.weights[: self.max_length], dtype=np.float32),
                place=example.place,
                digest=example.digest,
            )
            size = _trained_bytes(row, coding.tokenizer)
            if np.any(row.weights_T > 0):
                passages.append(Passage(row=row, size=size, group=example.group or example.digest))
        return tuple(passages)


def _trained_bytes(row: TokenRow, tokenizer: Tokenizer) -> int:
    size = 0
    for trained, run in groupby(range(len(row.ids_T)), lambda t: bool(row.weights_T[t] > 0)):
        if trained:
            text = tokenizer.decode([int(row.ids_T[t]) for t in run])
            size += len(text.encode("utf-8"))
    return size


def _asked(content: Content, coding: Coding) -> tuple[str, str, str] | None:
    """The prompt's whole text, what of it people are shown, and the reference."""
    match content:
        case Preference():
            return _asked(content.sides()[0], coding)
        case Conversation():
            turns = trained_turns(content, "all")
            reference = content.messages[turns[-1]].content if turns else None
            if not reference:
                return None
            before = content.messages[: turns[-1]]
            users = [message.content for message in before if message.role != "assistant"]
            try:
                text = prompt_text(content, coding.template, turns[-1])
            except DataError:
                # Templates that refuse to answer a conversation that nobody opened.
                return None
            return (
                text,
                (users[-1] or "") if users else "",
                content.messages[turns[-1]].content or "",
            )
        case Segments():
            last = _last_trained(content)
            prompt = "".join(part.text for part in content.parts[:last])
            return (prompt, prompt, content.parts[last].text) if prompt else None
        case _:
            return None


def _with_answer(content: Content, answer: str) -> Content | None:
    match content:
        case Conversation():
            turns = trained_turns(content, "all")
            if not turns:
                return None
            message = Message(role="assistant", content=answer)
            return Conversation(
                messages=(*content.messages[: turns[-1]], message), tools=content.tools
            )
        case Segments():
            last = _last_trained(content)
            parts = [Segment(text=part.text, trained=False) for part in content.parts[:last]]
            return Segments(parts=(*parts, Segment(text=answer, trained=True)))
        case _:
            return None


def _last_trained(content: Segments) -> int:
    return max(index for index, part in enumerate(content.parts) if part.trained)
