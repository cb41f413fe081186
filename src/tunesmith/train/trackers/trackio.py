"""Trackio, a local tracker with the interface of W&B; TRACKIO_PROJECT is respected."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.contracts import JsonObject
from tunesmith.errors import RecipeError

if TYPE_CHECKING:
    from trackio import Run


class _Tracker:
    def __init__(self, run: Run, finish: Callable[[], None]) -> None:
        self._run = run
        self._finish = finish

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """The values under `train/`, at this step."""
        self._run.log({f"train/{name}": value for name, value in values.items()}, step=step)

    def close(self) -> None:
        """Write what is left."""
        # Not the run's own: Trackio would finish that once more when the process ends.
        self._finish()


def start(name: str, folder: Path, recipe: JsonObject) -> _Tracker:
    """Open the Trackio run that belongs to `folder`, new or to be continued.

    Raises:
        RecipeError: trackio is not installed.
    """
    try:  # here: an optional package, wanted by name
        import trackio
    except ImportError as error:
        raise RecipeError(
            "train.report_to trackio needs the package trackio",
            hint='pip install "tunesmith[trackio]"',
        ) from error
    project = os.environ.get("TRACKIO_PROJECT", "tunesmith")
    note = folder / "run_name"
    if note.exists():
        run = trackio.init(project=project, name=note.read_text(), config=recipe, resume="allow")
    else:
        run = trackio.init(project=project, name=name, config=recipe, resume="never")
        # Another run may have the name already; Trackio then chooses one beside it.
        note.write_text(run.name)
    return _Tracker(run, trackio.finish)
