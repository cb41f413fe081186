"""A tiny run whose data is prepared and whose model is there: ready to be evaluated."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from tests import tiny_run
from tests.data.shops import prepare
from tunesmith.base import BaseFolder, locate_base
from tunesmith.data.coding import load_coding
from tunesmith.data.prepared import existing
from tunesmith.evaluate.display import Display
from tunesmith.evaluate.stage import Ground
from tunesmith.recipe import Base, Data, Evaluate, Gate, PluginChoice, Recipe, Source, Train
from tunesmith.runs import Run, open_run

LABELS = ("red", "green", "blue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A run and what it stands on."""

    run: Run
    recipe: Recipe
    base: BaseFolder

    @property
    def ground(self) -> Ground:
        prepared = existing(self.run.folder)
        assert prepared is not None
        coding = load_coding(self.base.path, self.recipe.data.template, "all", prepared.now)
        return Ground(base=self.base, coding=coding)


class Recorder(Display):
    """Keeps what was said."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def rows(count: int, *, labels: bool) -> list[dict[str, object]]:
    made: list[dict[str, object]] = []
    for number in range(count):
        answer = LABELS[number % 3] if labels else f"No. {number} is fine."
        turns = [("user", f"is {number} ok?"), ("assistant", answer)]
        made.append({"messages": [{"role": role, "content": text} for role, text in turns]})
    return made


@pytest.fixture
def make_scene(tmp_path: Path) -> Callable[..., Scene]:
    """Makes a scene; keywords are `adapter`, `labels`, `held_out` and keys of `evaluate`."""

    def make(
        *, adapter: bool = True, labels: bool = False, held_out: float | int = 12, **chosen: object
    ) -> Scene:
        torch.set_num_threads(1)
        folder = tiny_run.make_run(tmp_path, tiny_run.Shape(adapter=adapter))
        data = tmp_path / "rows.jsonl"
        lines = [json.dumps(row) for row in rows(36, labels=labels)]
        data.write_text("\n".join(lines) + "\n")
        text = tmp_path / "general.txt"
        text.write_text("The mill stood by the river.\n---\nRain fell.\n---\nNobody came.\n")
        settings: dict[str, object] = {"max_new_tokens": 8, "retention": str(text), **chosen}
        recipe = Recipe(
            base=Base(path=str(tmp_path / "base"), precision="fp32"),
            data=Data(sources=(Source(path=str(data)),), held_out=held_out or None, max_length=100),
            adapter=PluginChoice(name="lora" if adapter else "full"),
            train=Train(tokens_per_forest=256, device="cpu"),
            evaluate=Evaluate.model_validate(settings),
            gates=(Gate(task="heldout", metric="loss", max=1000.0),) if held_out else (),
        )
        run = open_run(folder)
        base = locate_base(recipe.base.path)
        prepare(recipe.data, base=base.path, run_folder=folder, seed=0, max_length=100)
        return Scene(run=run, recipe=recipe, base=base)

    return make
