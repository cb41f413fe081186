"""The model as a folder in Hugging Face format, and going on from such a folder.

The folder is a twentieth of what a checkpoint with its optimizer states and the token files weigh,
so a run can be moved to another machine by it: with ``WORK/export``, ``WORK/exported.json`` and
``WORK/curve.csv`` brought along and no checkpoint, ``pretrain.py`` goes on from there. Momenta
are gone then and weights rounded to two bytes; the rate warms up again.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from network import Network
from preset import Preset
from safetensors.torch import load_file, save_file
from schedule import Progress

from tokenizer import BEGIN_ID, PAD_ID, STOP_ID

LARGEST_FLOAT32_BYTES = 30_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How a model was made; ``training.json`` beside the model, from which the card is written."""

    preset: Preset
    conversations: int
    device: str
    precision: str
    seed: int
    command: str


def progress_record(progress: Progress) -> dict[str, Any]:
    """What a checkpoint keeps of the progress."""
    return {**asdict(progress), "recent": list(progress.recent)}


def progress_from(record: dict[str, Any]) -> Progress:
    """The same, read back."""
    values = dict(record)
    recent = values.pop("recent")
    progress = Progress(**values)
    progress.recent.extend(recent)
    return progress


def export(network: Network, made: Made, progress: Progress, folder: Path, tokenizer: Path) -> Path:
    """Write ``folder/export``, and in ``folder/exported.json`` how far the run was."""
    weights = {
        name: weight.detach().cpu().contiguous() for name, weight in network.named_parameters()
    }
    config = network.shape.llama_config(BEGIN_ID, STOP_ID, PAD_ID)
    if sum(weight.nbytes for weight in weights.values()) > LARGEST_FLOAT32_BYTES:
        weights = {name: weight.to(torch.bfloat16) for name, weight in weights.items()}
        config["dtype"] = "bfloat16"
    generation = {"bos_token_id": BEGIN_ID, "eos_token_id": STOP_ID, "pad_token_id": PAD_ID}
    training = {**asdict(made), "tokens": progress.tokens, "steps": progress.step,
                "active_seconds": round(progress.active_seconds)}  # fmt: skip
    staging = folder / "export.partial"
    shutil.rmtree(staging, ignore_errors=True)
    shutil.copytree(tokenizer, staging)
    save_file(weights, staging / "model.safetensors", metadata={"format": "pt"})
    for name, record in (("config", config), ("generation_config", generation),
                         ("training", training)):  # fmt: skip
        (staging / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n")
    if (folder / "curve.csv").exists():
        shutil.copy(folder / "curve.csv", staging / "curve.csv")
    # Killed between these, the next run finds no record and does not go on from half a folder.
    record = folder / "exported.json"
    record.unlink(missing_ok=True)
    shutil.rmtree(folder / "export", ignore_errors=True)
    staging.replace(folder / "export")
    record.write_text(json.dumps(progress_record(progress)) + "\n")
    return folder / "export"


def publish(source: Path, target: Path) -> None:
    """Copy the files of a folder into another; each appears whole or not at all."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        partial = target / f".{path.name}.partial"
        shutil.copyfile(path, partial)
        partial.replace(target / path.name)


def go_on_from_export(network: Network, folder: Path) -> Progress | None:
    """Load what `export` left, where it did; the optimizers begin anew."""
    record = folder / "exported.json"
    if not record.exists():
        return None
    network.load_state_dict(load_file(folder / "export" / "model.safetensors"))
    progress = progress_from(json.loads(record.read_text()))
    progress.warm_from = progress.step
    return progress
