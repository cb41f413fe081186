"""Talk with a model: history in, the answer streamed out as text.

dialogue.ask("how many mins are free")   ->   "With", " a", " membership", ...

The prompt is the chat template's own, as the model meets it in training and at inference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from torch import nn

from tunesmith.contracts import Conversation, Message
from tunesmith.errors import DataError
from tunesmith.generate.sample import stream
from tunesmith.tokenizer.encode import refuse_special_tokens
from tunesmith.tokenizer.load import Tokenizer
from tunesmith.tokenizer.template import Template

UNFINISHED = "\ufffd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How an answer is drawn."""

    max_new_tokens: int
    temperature: float
    seed: int


@dataclass(slots=True, kw_only=True)
class Dialogue:
    """A conversation under way with one model, or with two that read the same history."""

    tokenizer: Tokenizer
    template: Template
    stop_ids: Sequence[int]
    context: int | None
    """Tokens that the model can read, where it says so."""
    sampling: Sampling
    system: str | None = None
    turns: list[Message] = field(default_factory=list)
    forgotten: int = 0
    """Turns at the start that no longer fit in the context."""

    def reset(self) -> None:
        """Forget everything but the system prompt."""
        self.turns.clear()
        self.forgotten = 0

    def prompt(self, text: str) -> list[int]:
        """The tokens that stand before the answer to `text`; old turns give way where needed.

        Raises:
            DataError: the text holds a special token, or does not fit in the context by itself.
        """
        asked = Message(role="user", content=text)
        refuse_special_tokens(Conversation(messages=(asked,)), self.tokenizer)
        while True:
            ids = self._tokens([*self.turns[self.forgotten :], asked])
            room = None if self.context is None else self.context - len(ids)
            if room is None or room >= min(self.sampling.max_new_tokens, 16):
                return ids
            if self.forgotten >= len(self.turns):
                raise DataError(
                    f"the message has {len(ids)} tokens with its template, and the model reads "
                    f"{self.context}",
                    hint="write a shorter one",
                )
            self.forgotten += 2

    def answer(self, model: nn.Module, prompt: Sequence[int]) -> Iterator[str]:
        """The model's answer to a prompt, in pieces of text as they come."""
        limit = self.sampling.max_new_tokens
        if self.context is not None:
            limit = min(limit, self.context - len(prompt))
        ids: list[int] = []
        shown = ""
        for token in stream(
            model,
            prompt,
            stop_ids=self.stop_ids,
            max_new_tokens=limit,
            temperature=self.sampling.temperature,
            seed=self.sampling.seed + len(self.turns),
        ):
            ids.append(token)
            text = self.tokenizer.decode(ids)
            # A character may take several tokens: it is shown when it is whole.
            if not text.endswith(UNFINISHED) and len(text) > len(shown):
                yield text[len(shown) :]
                shown = text
        rest = self.tokenizer.decode(ids)[len(shown) :]
        if rest:
            yield rest

    def remember(self, asked: str, answered: str) -> None:
        """Add a question and its answer to the history."""
        self.turns.append(Message(role="user", content=asked))
        self.turns.append(Message(role="assistant", content=answered))

    def _tokens(self, turns: Sequence[Message]) -> list[int]:
        messages = list(turns)
        if self.system is not None:
            messages.insert(0, Message(role="system", content=self.system))
        text = self.template.render(messages, add_generation_prompt=True)
        return self.tokenizer.encode(text)
