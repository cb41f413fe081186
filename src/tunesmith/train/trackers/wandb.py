"""Weights & Biases; WANDB_MODE, WANDB_PROJECT and its other variables are respected."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.contracts import JsonObject
from tunesmith.errors import RecipeError

if TYPE_CHECKING:
    from wandb import Run


class _Tracker:
    def __init__(self, run: Run) -> None:
        self._run = run

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """The values under `train/`, at this step."""
        self._run.log({f"train/{name}": value for name, value in values.items()}, step=step)

    def close(self) -> None:
        """Upload what is left."""
        self._run.finish()


def start(name: str, folder: Path, recipe: JsonObject) -> _Tracker:
    """Open the W&B run that belongs to `folder`, new or to be continued.

    Raises:
        RecipeError: wandb is not installed.
    """
    try:  # here: an optional package, wanted by name
        import wandb
    except ImportError as error:
        raise RecipeError(
            "train.report_to wandb needs the package wandb", hint='pip install "tunesmith[wandb]"'
        ) from error
    note = folder / "run_id"
    if not note.exists():
        note.write_text(uuid.uuid4().hex)
    run = wandb.init(
        project=os.environ.get("WANDB_PROJECT", "tunesmith"),
        name=name,
        dir=str(folder),
        config=recipe,
        id=note.read_text(),
        resume="allow",
    )
    return _Tracker(run)
