"""TensorBoard: event files in the run's own folder, read with `tensorboard --logdir RUN`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.contracts import JsonObject
from tunesmith.errors import RecipeError

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class _Tracker:
    def __init__(self, writer: SummaryWriter) -> None:
        self._writer = writer

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """One scalar a value, named `train/loss` and so on."""
        for name, value in values.items():
            self._writer.add_scalar(f"train/{name}", value, step)

    def close(self) -> None:
        """Write what is buffered."""
        self._writer.close()


def start(name: str, folder: Path, recipe: JsonObject) -> _Tracker:
    """Open an event file in `folder`; the recipe goes into the text tab.

    Raises:
        RecipeError: tensorboard is not installed.
    """
    try:  # here: an optional package, wanted by name
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise RecipeError(
            "train.report_to tensorboard needs the package tensorboard",
            hint='pip install "tunesmith[tensorboard]"',
        ) from error
    writer = SummaryWriter(log_dir=str(folder))
    writer.add_text("recipe", f"{name}\n```\n{json.dumps(recipe, indent=1)}\n```")
    return _Tracker(writer)
