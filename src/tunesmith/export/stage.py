"""Export a run's tuned model: write it aside, load it again, compare, and only then show it.

export(Path("runs/mine"), "merged", Path("mine-merged"))
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from tunesmith import plugins
from tunesmith.contracts import JsonObject
from tunesmith.errors import RunError
from tunesmith.export.hub import push, require_ready
from tunesmith.export.source import read_tuned
from tunesmith.export.verify import require_same, tuned_logits
from tunesmith.runs.durable import disk_full, full_disk_named, replace_folder, sync_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    form: str
    folder: str
    bytes: int
    difference: float
    """Norm of the difference of the logits to the tuned model's, by the norm of those."""
    url: str | None
    """The repository of the hub, where it was pushed."""

    def as_json(self) -> JsonObject:
        """Plain data for records and `--json`."""
        return asdict(self)


def export(run: Path, form: str, output: Path, push_to_hub: str | None = None) -> Exported:
    """Write the tuned model of `run` to `output` in the given form, verified.

    Args:
        run: a run directory.
        form: the name of an exporter: `adapter`, `merged`.
        output: a folder that is empty or does not exist.
        push_to_hub: `OWNER/NAME` to upload it to as well.

    Raises:
        RunError: the run has no model, or `output` holds something.
        ModelError: what was written does not compute the same; nothing is left.
        InputError: the hub refuses; the written folder stays.
        ResourceError: the disk is full; nothing is left.
    """
    exporter = plugins.load("exporters", form)
    if push_to_hub is not None:
        require_ready(push_to_hub)
    _require_empty(output)
    tuned = read_tuned(run)
    output = output.resolve()
    aside = output.with_name(f".writing-{output.name}")
    try:
        _make(aside, output)
        try:
            with full_disk_named(output):
                exporter.export(run, aside)
        except RuntimeError as error:
            # safetensors reports a full disk as a plain RuntimeError.
            if "No space left" not in str(error) and "quota" not in str(error).lower():
                raise
            raise disk_full(output, 0) from error
        difference = require_same(tuned, aside, tuned_logits(tuned))
        files = sorted(path for path in aside.rglob("*") if path.is_file())
        size = sum(path.stat().st_size for path in files)
        for path in files:
            sync_file(path)
        if output.exists():
            output.rmdir()
        replace_folder(aside, output)
    finally:
        if aside.exists():
            shutil.rmtree(aside)
    url = push(output, push_to_hub) if push_to_hub is not None else None
    return Exported(form=form, folder=str(output), bytes=size, difference=difference, url=url)


def _require_empty(output: Path) -> None:
    if output.is_dir():
        if any(output.iterdir()):
            raise RunError(f"{output} is not empty", hint="choose another --output")
    elif output.exists():
        raise RunError(f"{output} is a file", hint="choose another --output")


def _make(aside: Path, output: Path) -> None:
    """An empty folder beside the target; one that a crash left is removed."""
    try:
        if aside.exists():
            shutil.rmtree(aside)
        aside.mkdir(parents=True)
    except OSError as error:
        raise RunError(
            f"cannot write {output}: {error.strerror}",
            hint="choose an --output that you may write to",
        ) from error
