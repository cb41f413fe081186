"""A run's directory: where its files are, who may write them, what is finished.

    runs/<name>/
      recipe.yaml  environment.json  state.json  metrics.jsonl  events.jsonl
      data/  checkpoints/  model/  evaluation.json  report.html  README.md

`state.json` says which stages are done: `{"created": "...", "stages": {"train": {...}}}`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from tunesmith.contracts import JsonObject
from tunesmith.errors import RunError
from tunesmith.recipe import Recipe
from tunesmith.runs.documents import read_json, write_json
from tunesmith.runs.durable import full_disk_named, sweep
from tunesmith.runs.events import Events

STATE = "state.json"
LOCK = ".lock"


class Run:
    """An existing run directory."""

    def __init__(self, folder: Path, *, writes: bool = True) -> None:
        """Use `create_run` or `open_run`, which check the folder.

        `writes` is off in processes that train in it and leave writing to the first one.
        """
        self.folder = folder
        self._writes = writes

    def path(self, *parts: str) -> Path:
        """A path inside the directory."""
        return self.folder.joinpath(*parts)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @cached_property
    def events(self) -> Events:
        """The append-only log."""
        return Events(self.path("events.jsonl"), writes=self._writes)

    def state(self) -> JsonObject:
        """The content of state.json."""
        state = read_json(self.path(STATE))
        assert isinstance(state, dict)
        return state

    def stage(self, name: str) -> JsonObject | None:
        """The record of a finished stage, or None while it is open."""
        stages = self.state()["stages"]
        assert isinstance(stages, dict)
        record = stages.get(name)
        assert record is None or isinstance(record, dict)
        return record

    def finish_stage(self, name: str, record: JsonObject) -> None:
        """Write down that a stage is done, and what it made."""
        state = self.state()
        stages = state["stages"]
        assert isinstance(stages, dict)
        stages[name] = record
        write_json(self.path(STATE), state)

    def reopen_stage(self, *names: str) -> None:
        """Forget that stages are done, so that they run again."""
        state = self.state()
        stages = state["stages"]
        assert isinstance(stages, dict)
        for name in names:
            stages.pop(name, None)
        write_json(self.path(STATE), state)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process; a second one is told who has it.

        Raises:
            RunError: another process works in this directory.
        """
        with full_disk_named(self.path(LOCK)):
            descriptor = os.open(self.path(LOCK), os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
                raise RunError(
                    f"another process (pid {holder}) works in {self.folder}",
                    hint="wait for it, stop it, or choose another --output",
                ) from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            sweep(self.folder)
            yield
        finally:
            os.close(descriptor)


def new_folder(folder: Path) -> Path:
    """Make a folder, or take an empty one.

    Raises:
        RunError: it holds something already, is a file, or cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file", hint="choose another --output")
    if folder.exists() and any(entry.name != LOCK for entry in folder.iterdir()):
        resume = f"to continue a run: --resume --output {folder}; or choose another --output"
        raise RunError(f"{folder} is not empty", hint=resume)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"cannot make {folder}: {error.strerror}",
            hint="choose an --output folder that you may write to",
        ) from error
    return folder


def create_run(folder: Path) -> Run:
    """Make a new run directory.

    Raises:
        RunError: the folder holds something already, is a file, or cannot be written.
    """
    new_folder(folder)
    created = datetime.now(UTC).isoformat()
    try:
        write_json(folder / STATE, {"format": 1, "created": created, "stages": {}})
    except PermissionError as error:
        raise RunError(
            f"cannot write in {folder}: {error.strerror}",
            hint="choose an --output folder that you may write to",
        ) from error
    return Run(folder.resolve())


def open_run(folder: Path, *, writes: bool = True) -> Run:
    """Open an existing run directory; without `writes`, its log takes no events.

    Raises:
        RunError: there is no run.
    """
    if not (folder / STATE).is_file():
        raise RunError(
            f"{folder} is not a run directory",
            hint="tunesmith runs lists the runs below ./runs",
        )
    return Run(folder.resolve(), writes=writes)


def list_runs(folder: Path) -> list[Run]:
    """The runs in a folder, oldest first."""
    if not folder.is_dir():
        return []
    found = [Run(path.parent.resolve()) for path in folder.glob(f"*/{STATE}")]
    return sorted(found, key=lambda run: (str(run.state()["created"]), run.name))


def unused_folder(recipe: Recipe) -> Path:
    """`runs/<base>-<data>-<n>`, the first n that is free."""
    source = Path(recipe.data.sources[0].path.removeprefix("bundled:"))
    stem = "-".join(part.split(".")[0] for part in source.parts[-2:] if part not in ("/", "."))
    base = Path(recipe.base.path.removeprefix("bundled:")).name
    number = 1
    while (folder := Path("runs", f"{base}-{stem}-{number}")).exists():
        number += 1
    return folder
