"""The command line that all contestants have."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from benchmarks.task import Task, read_task


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a contestant was started with."""

    task: Task
    mode: str
    folder: Path
    settings: tuple[str, ...]
    environment: Path | None

    @property
    def result(self) -> Path:
        """Where the trained adapter or model goes."""
        return self.folder / "result"


def read_arguments(description: str | None) -> Given:
    """Read the command line; nothing is fetched from here on."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", type=Path, required=True, help="a task file")
    parser.add_argument("--mode", default="", help="the contestant's setting")
    parser.add_argument("--folder", type=Path, required=True, help="where figures.json goes")
    parser.add_argument("--setting", action="append", default=[], help="KEY=VALUE of a recipe")
    parser.add_argument("--environment", type=Path, help="folder of another Python environment")
    given = parser.parse_args()
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    given.folder.mkdir(parents=True, exist_ok=True)
    return Given(
        task=read_task(given.task),
        mode=given.mode,
        folder=given.folder,
        settings=tuple(given.setting),
        environment=given.environment,
    )
