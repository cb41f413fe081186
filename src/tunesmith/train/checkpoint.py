"""Checkpoints that are whole or absent, and never loaded damaged.

    checkpoints/step-40/
      weights.safetensors     the trainable weights
      optimizer.safetensors   the optimizer's tensors
      state.json              step, best so far, watch, what the run was (no random state:
                              all randomness is keyed by seed, step and forest)
      manifest.json           size and sha256 of each file, and its own digest; written last

A checkpoint is written beside its place, every file synced, then renamed. Nothing older is
deleted before that rename is on the disk. `latest_valid` checks every byte before it trusts.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from tunesmith.contracts import Json, JsonObject
from tunesmith.errors import RunError
from tunesmith.runs.durable import (
    disk_full,
    full_disk_named,
    remove_folder,
    replace_folder,
    sweep,
    sync_file,
    sync_folder,
    write_bytes,
)
from tunesmith.runs.fault import reach
from tunesmith.train.optimizer import OptimizerState

FORMAT = 1
WEIGHTS = "weights.safetensors"
OPTIMIZER = "optimizer.safetensors"
STATE = "state.json"
MANIFEST = "manifest.json"
FILES = (WEIGHTS, OPTIMIZER, STATE)
_NAME = re.compile(r"step-(\d+)")
_MANIFEST_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Everything that the run needs to go on as if nothing had happened."""

    weights: Mapping[str, Tensor]
    optimizer: OptimizerState
    state: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The checkpoint to go on from, and why newer ones were passed over."""

    step: int | None
    passed_over: dict[int, str]
    """Step and what is wrong with its checkpoint, newest first."""
    best_lost: bool = False
    """Whether the best checkpoint so far is damaged and cannot be found again."""


def folder_of(checkpoints: Path, step: int) -> Path:
    """`checkpoints/step-N`."""
    return checkpoints / f"step-{step}"


def steps(checkpoints: Path) -> list[int]:
    """The steps that have a checkpoint folder, damaged or not, oldest first."""
    if not checkpoints.is_dir():
        return []
    names = (_NAME.fullmatch(path.name) for path in checkpoints.iterdir())
    return sorted(int(name[1]) for name in names if name)


def save(checkpoints: Path, step: int, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint; it is complete and on the disk when this returns.

    Raises:
        ResourceError: the disk is full; earlier checkpoints are intact.
    """
    final = folder_of(checkpoints, step)
    temporary = checkpoints / f".writing-{final.name}"
    tensors = (*checkpoint.weights.values(), *checkpoint.optimizer.tensors.values())
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    with full_disk_named(final, size):
        try:
            checkpoints.mkdir(exist_ok=True)
            sync_folder(checkpoints.parent)
            sweep(checkpoints)
            temporary.mkdir()
            _write(temporary, step, checkpoint)
            replace_folder(temporary, final)
        finally:
            # After a failure this gives the space back, which is needed to go on.
            sweep(checkpoints)
    return final


def load(checkpoints: Path, step: int) -> Checkpoint:
    """Read the checkpoint of `step`, after checking every byte of it.

    Raises:
        RunError: it is damaged, or written by another version of the format.
    """
    folder = folder_of(checkpoints, step)
    wrong = damage(folder)
    if wrong is not None:
        raise RunError(
            f"checkpoint {folder.name} is damaged: {wrong}",
            hint="--resume falls back to an earlier checkpoint",
        )
    state = read_state(checkpoints, step)
    numbers = state["optimizer"]
    assert isinstance(numbers, dict)
    return Checkpoint(
        weights=load_file(folder / WEIGHTS),
        optimizer=OptimizerState(tensors=load_file(folder / OPTIMIZER), numbers=numbers),
        state=state,
    )


def read_state(checkpoints: Path, step: int) -> JsonObject:
    """The plain part of a checkpoint that is known to be whole."""
    state: JsonObject = json.loads((folder_of(checkpoints, step) / STATE).read_bytes())
    return state


def remove_leftovers(checkpoints: Path) -> None:
    """Delete what a crash left half-written or half-deleted."""
    if checkpoints.is_dir():
        sweep(checkpoints)


def damage(folder: Path) -> str | None:
    """What is wrong with a checkpoint, in words; None when every byte is as it was written."""
    path = folder / MANIFEST
    if not path.is_file():
        return f"{MANIFEST} is missing"
    raw = path.read_bytes() if path.stat().st_size <= _MANIFEST_LIMIT else b""
    manifest = _parse_manifest(raw)
    if manifest is None:
        return f"{MANIFEST} does not match its own digest"
    if manifest["format"] != FORMAT:
        return f"{MANIFEST} has format {manifest['format']}, this version reads {FORMAT}"
    if f"step-{manifest['step']}" != folder.name:
        return f"{MANIFEST} is that of step {manifest['step']}"
    files = manifest["files"]
    if not isinstance(files, dict) or set(files) != set(FILES):
        return f"{MANIFEST} does not list {', '.join(FILES)}"
    for name, expected in files.items():
        file = folder / name
        if not file.is_file():
            return f"{name} is missing"
        wrong = _difference(_fingerprint(file), expected)
        if wrong:
            return f"{name} {wrong}"
    return None


def latest_valid(checkpoints: Path) -> Found:
    """The newest checkpoint that is whole and whose best checkpoint is whole too.

    A checkpoint whose best one is lost is passed over while an older one is complete: from
    there the best is found again, and the run ends as the unbroken run does.

    Raises:
        RunError: there are checkpoints, and all are damaged.
    """
    wrong = {step: damage(folder_of(checkpoints, step)) for step in reversed(steps(checkpoints))}
    whole = [step for step, why in wrong.items() if why is None]
    passed_over = {step: why for step, why in wrong.items() if why is not None}
    if not whole:
        if not passed_over:
            return Found(step=None, passed_over={})
        lines = "; ".join(f"step-{step}: {why}" for step, why in passed_over.items())
        raise RunError(
            f"every checkpoint in {checkpoints} is damaged ({lines})",
            hint=f"look at the disk; delete {checkpoints} to train again from the first step",
        )
    complete = [step for step in whole if _best_of(checkpoints, step) in (None, *whole)]
    if not complete:
        newer = {step: why for step, why in passed_over.items() if step > whole[0]}
        return Found(step=whole[0], passed_over=newer, best_lost=True)
    for step in whole[: whole.index(complete[0])]:
        best = _best_of(checkpoints, step)
        passed_over[step] = f"its best checkpoint, step-{best}, is lost"
    newer = {step: passed_over[step] for step in wrong if step > complete[0]}
    return Found(step=complete[0], passed_over=newer)


def set_aside(checkpoints: Path, step: int) -> Path:
    """Rename a checkpoint to `damaged-step-N`, so that it is neither used nor counted."""
    folder = folder_of(checkpoints, step)
    aside = checkpoints / f"damaged-{folder.name}"
    if aside.exists():
        remove_folder(aside)
    folder.rename(aside)
    sync_folder(checkpoints)
    return aside


def prune(checkpoints: Path, *, keep: int, best: int | None) -> list[int]:
    """Delete all checkpoints but the newest `keep` and the best one; the steps deleted."""
    found = steps(checkpoints)
    spare = [step for step in found[:-keep] if step != best]
    for step in spare:
        remove_folder(folder_of(checkpoints, step))
    return spare


def _write(folder: Path, step: int, checkpoint: Checkpoint) -> None:
    _write_tensors(folder / WEIGHTS, checkpoint.weights)
    _write_tensors(folder / OPTIMIZER, checkpoint.optimizer.tensors)
    state: JsonObject = {**checkpoint.state, "optimizer": checkpoint.optimizer.numbers}
    write_bytes(folder / STATE, json.dumps(state, indent=1, allow_nan=False).encode())
    files: JsonObject = {name: _fingerprint(folder / name) for name in FILES}
    manifest: JsonObject = {"format": FORMAT, "step": step, "files": files}
    write_bytes(folder / MANIFEST, _serialise_manifest(manifest))


def _write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    plain = {name: tensor.detach().to("cpu").contiguous() for name, tensor in tensors.items()}
    reach("write")
    try:
        save_file(plain, path)
    except SafetensorError as error:
        # The Rust writer has an exception of its own for what is an OSError elsewhere.
        if any(f"os error {code}" in str(error) for code in (errno.ENOSPC, errno.EFBIG)):
            raise disk_full(path, path.stat().st_size if path.exists() else 0) from error
        raise
    sync_file(path)


def _fingerprint(path: Path) -> JsonObject:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"size": os.fstat(file.fileno()).st_size, "sha256": digest}


def _difference(found: JsonObject, expected: Json) -> str:
    if not isinstance(expected, dict):
        return "has no entry in the manifest"
    if found["size"] != expected.get("size"):
        return f"has {found['size']} bytes instead of {expected.get('size')}"
    return "" if found == expected else "does not match its sha256"


def _serialise_manifest(manifest: JsonObject) -> bytes:
    body = json.dumps(manifest, sort_keys=True)
    signed: JsonObject = {**manifest, "digest": hashlib.sha256(body.encode()).hexdigest()}
    return f"{json.dumps(signed, indent=1, sort_keys=True)}\n".encode()


def _parse_manifest(raw: bytes) -> JsonObject | None:
    try:
        manifest = json.loads(raw)
    except (UnicodeDecodeError, json.JSONDecodeError):
        return None
    if not isinstance(manifest, dict) or not {"format", "step", "files"} <= set(manifest):
        return None
    body = {key: value for key, value in manifest.items() if key != "digest"}
    # Written again it must give the same bytes: no flipped bit escapes, not even in a space.
    return manifest if _serialise_manifest(body) == raw else None


def _best_of(checkpoints: Path, step: int) -> int | None:
    progress = read_state(checkpoints, step)["progress"]
    assert isinstance(progress, dict)
    best = progress["best_step"]
    assert best is None or isinstance(best, int)
    return best
