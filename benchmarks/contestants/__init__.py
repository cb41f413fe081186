"""Who takes part: the product in its settings, and the peers in theirs.

A contestant is a module with a command line, `MODULE --task FILE --mode MODE --folder FOLDER`,
that does the task in a process of its own. It leaves `figures.json` in the folder, and the
trained adapter or model in `result/`.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from benchmarks.task import Task
from tunesmith import plugins


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One row of the table."""

    name: str
    module: str
    mode: str = ""
    methods: tuple[str, ...] = ("sft", "dpo")
    own_batches: bool = False
    """Whether it divides rows into steps otherwise: its losses are then not the others'."""
    once: bool = False
    """Measured in the first round only, because it takes very long."""
    settings: tuple[str, ...] = ()
    """Recipe keys and values, of the product."""

    @property
    def is_product(self) -> bool:
        """Whether it is Tunesmith."""
        return self.module == "product"


PRODUCT = (
    Contestant(name="tunesmith", module="product"),
    Contestant(
        name="tunesmith-unshared", module="product", settings=("train.share_prefixes=false",)
    ),
)
PEERS = (
    Contestant(name="trl-accum", module="trl_trainer", mode="accum"),
    Contestant(name="trl-packing", module="trl_trainer", mode="packing", methods=("sft",),
               own_batches=True),
    Contestant(name="trl-padded", module="trl_trainer", mode="padded"),
    Contestant(name="trl-default", module="trl_trainer", mode="default", once=True),
    Contestant(name="llamafactory-accum", module="llamafactory", mode="accum"),
    Contestant(name="llamafactory-packing", module="llamafactory", mode="packing",
               methods=("sft",), own_batches=True),
    Contestant(name="plain-accum", module="plain", mode="accum", methods=("sft",)),
    Contestant(name="plain-padded", module="plain", mode="padded", methods=("sft",)),
)  # fmt: skip
EVERY = {one.name: one for one in (*PRODUCT, *PEERS)}
NEEDS = {"trl_trainer": ("trl", "datasets", "accelerate", "peft"), "plain": ("peft",)}


def extra(text: str) -> Contestant:
    """The product with other settings, from `NAME:key=value,key=value`.

    Raises:
        ValueError: the text is not of that form.
    """
    name, colon, settings = text.partition(":")
    if not name or not colon or "=" not in settings:
        raise ValueError(f"{text}: write NAME:key=value,key=value")
    return Contestant(
        name=f"tunesmith-{name}", module="product", settings=tuple(settings.split(","))
    )


def why_not(one: Contestant, task: Task, llamafactory: Path | None) -> str:
    """Why a contestant cannot do a task; empty where it can."""
    if task.method not in one.methods:
        return f"it has no {task.method} in this setting"
    if one.is_product:
        return "" if task.method in plugins.names("methods") else f"no method {task.method}"
    if one.module == "llamafactory":
        if llamafactory is None:
            return "no environment is named: --llamafactory PATH"
        if not (llamafactory / "bin" / "llamafactory-cli").exists():
            return f"{llamafactory} has no bin/llamafactory-cli"
        if not (task.words and task.chatml):
            return "it does not make these tokens from the words"
        return ""
    absent = [name for name in NEEDS[one.module] if importlib.util.find_spec(name) is None]
    return f"{', '.join(absent)} not installed" if absent else ""
