"""`tunesmith chat`: talk with the tuned model, its base beside it where asked.

A line of stdin is a turn; /reset forgets the conversation, /quit or the end of input ends it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.arguments import RunFolder
from tunesmith.errors import DataError, Interrupted

if TYPE_CHECKING:
    from torch import nn

    from tunesmith.generate.dialogue import Dialogue, Sampling
    from tunesmith.runs import Run

HELP = "a line is a turn; /reset forgets the conversation, /quit ends it\n"


def command(
    run: RunFolder,
    prompt: Annotated[
        str | None, typer.Option(help="Answer this one message and stop.", show_default=False)
    ] = None,
    system: Annotated[
        str | None,
        typer.Option(help="System prompt; left out: the one that all training rows share."),
    ] = None,
    base: Annotated[bool, typer.Option("--base", help="Show the base's answer as well.")] = False,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Longest answer in tokens.")] = 256,
    temperature: Annotated[
        float, typer.Option(min=0, max=10, help="0 takes the likeliest token; 1 draws freely.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Decides the draws.")] = 0,
) -> None:
    """Talk with the tuned model; --base shows the base beside it."""
    from tunesmith.generate.dialogue import Sampling
    from tunesmith.runs import open_run

    sampling = Sampling(max_new_tokens=max_new_tokens, temperature=temperature, seed=seed)
    talk = _Talk(open_run(run), system, sampling, with_base=base)
    if prompt is not None:
        talk.turn(prompt)
        return
    try:
        _converse(talk)
    except Interrupted as stop:
        # There is nothing to save: Ctrl-C is a way to leave.
        sys.stderr.write("\n")
        raise typer.Exit(stop.exit_code) from stop


def _converse(talk: _Talk) -> None:
    sys.stderr.write(HELP)
    for line in _lines():
        if line == "/quit":
            return
        if line == "/reset":
            talk.dialogue.reset()
            sys.stderr.write("forgotten\n")
        elif line:
            try:
                talk.turn(line)
            except DataError as error:
                sys.stderr.write(f"error: {error}\n")


def _lines() -> Iterator[str]:
    """Lines of stdin, with a sign where a person types them."""
    while True:
        if sys.stdin.isatty():
            sys.stderr.write("> ")
            sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            return
        yield line.strip()


def _shared_system_prompt(examples: Path) -> str | None:
    """The system prompt with which all sampled training rows begin, if there is one."""
    from tunesmith.contracts import Conversation
    from tunesmith.data.examples import load_examples

    if not examples.exists():
        return None
    found: set[str | None] = set()
    for example in load_examples(examples):
        content = example.content
        first = content.messages[0] if isinstance(content, Conversation) else None
        found.add(first.content if first is not None and first.role == "system" else None)
    return found.pop() if len(found) == 1 else None


class _Talk:
    """The loaded models and the conversation with them."""

    def __init__(
        self, run: Run, system: str | None, sampling: Sampling, *, with_base: bool
    ) -> None:
        from tunesmith.base import locate_base
        from tunesmith.generate.dialogue import Dialogue
        from tunesmith.hardware import choose_precision, detect
        from tunesmith.models.load import load_model, load_tuned
        from tunesmith.recipe import Request, read_recipe
        from tunesmith.tokenizer.load import load_tokenizer
        from tunesmith.tokenizer.stop import stop_tokens
        from tunesmith.tokenizer.template import load_template

        recipe = read_recipe(Request(file=run.path("recipe.yaml")))
        located = locate_base(recipe.base.path, recipe.base.revision)
        folder = run.path("model")
        hardware = detect(recipe.train.device)
        dtype, _ = choose_precision(recipe.base.precision, hardware, located.parameters)
        quantize = recipe.base.quantize
        self._tuned = load_tuned(
            folder, located, device=hardware.device, dtype=dtype, quantize=quantize
        )
        self._base: nn.Module | None = None
        if with_base and (folder / "adapter_config.json").exists():
            self._base = self._tuned
        elif with_base:
            self._base = load_model(located, device=hardware.device, dtype=dtype)
        if system is None:
            system = _shared_system_prompt(run.path("data", "train.examples.jsonl"))
        tokenizer = load_tokenizer(folder)
        template = load_template(tokenizer, None)
        self.dialogue: Dialogue = Dialogue(
            tokenizer=tokenizer,
            template=template,
            stop_ids=stop_tokens(tokenizer, template),
            context=located.context,
            sampling=sampling,
            system=system or None,
        )

    def turn(self, text: str) -> None:
        """Answer one message on stdout and remember the tuned model's answer."""
        before = self.dialogue.forgotten
        prompt = self.dialogue.prompt(text)
        if self.dialogue.forgotten > before:
            sys.stderr.write("the oldest turns no longer fit in the model's context\n")
        if self._base is not None:
            with self._as_base():
                sys.stdout.write("base:  ")
                self._stream(self._base, prompt)
            sys.stdout.write("tuned: ")
        answered = self._stream(self._tuned, prompt)
        self.dialogue.remember(text, answered)

    def _stream(self, model: nn.Module, prompt: list[int]) -> str:
        pieces = []
        for piece in self.dialogue.answer(model, prompt):
            sys.stdout.write(piece)
            sys.stdout.flush()
            pieces.append(piece)
        sys.stdout.write("\n")
        sys.stdout.flush()
        return "".join(pieces).strip()

    @contextmanager
    def _as_base(self) -> Iterator[None]:
        from tunesmith.models.load import adapter_switched_off

        if self._base is self._tuned:
            with adapter_switched_off(self._tuned):
                yield
        else:
            yield
