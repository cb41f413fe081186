"""A pre-training run: network, optimizers and progress, its checkpoint, its step."""

from __future__ import annotations

import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import network as network_module
import numpy as np
import torch
from muon import Muon
from network import Network
from pace import send
from schedule import Progress
from torch import Tensor

from export import Made, go_on_from_export, progress_from, progress_record
from tokenizer import BEGIN_ID, CONTEXT_LENGTH


@dataclass(slots=True, kw_only=True)
class Run:
    """Everything a run holds while it trains."""

    network: Network
    optimizers: tuple[Muon, torch.optim.AdamW]
    progress: Progress
    made: Made
    device: torch.device
    folder: Path
    stopping: bool = False

    def save(self) -> None:
        """Write ``checkpoint.pt`` under a temporary name, then move it in place."""
        state = {
            "network": self.network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "progress": progress_record(self.progress),
            "preset": asdict(self.made.preset),
        }
        partial = self.folder / "checkpoint.partial"
        with partial.open("wb") as stream:
            torch.save(state, stream)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(self.folder / "checkpoint.pt")

    def load(self) -> None:
        """Continue from ``checkpoint.pt``, or from an exported model, where there is one.

        Raises:
            ValueError: the folder holds a run of other sizes or rates.
        """
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            self.progress = go_on_from_export(self.network, self.folder) or self.progress
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state["preset"] != asdict(self.made.preset):
            raise ValueError(f"{self.folder} holds a run of other sizes or rates: take another")
        self.network.load_state_dict(state["network"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.progress = progress_from(state["progress"])

    def batch_shape(self, *, in_chat_phase: bool) -> tuple[int, int]:
        """Windows of a step and their length: longer ones at the end, as many tokens."""
        preset = self.made.preset
        length = min(preset.length * (2 if in_chat_phase else 1), CONTEXT_LENGTH)
        return max(1, preset.windows * preset.length // length), length

    def train_step(self, windows_BT: Tensor) -> Tensor:
        """One forward, backward and update; gives the loss in nats a token."""
        matrices, others = self.optimizers
        for group in matrices.param_groups:
            group["lr"] = self.made.preset.matrix_rate * self.progress.rate
        for group in others.param_groups:
            group["lr"] = self.made.preset.other_rate * self.progress.rate
        loss: Tensor = self.network(windows_BT)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(others.param_groups[0]["params"], 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return loss.detach()

    def compile(self) -> None:
        """Compile a layer, once for all of them, and the loss; run both forward and back.

        What a step of each length needs is compiled here, before any clock runs.

        Raises:
            RuntimeError: the compiler fails on this machine.
        """
        for layer in self.network.model.layers:
            layer.compile(dynamic=False)
        network_module.chunk_loss = torch.compile(network_module.chunk_loss, dynamic=False)
        for shape in {self.batch_shape(in_chat_phase=late) for late in (False, True)}:
            count, length = shape
            windows = np.full((count, length + 1), BEGIN_ID, dtype=np.int64)
            self.network(send(windows, self.device)).backward()
            self.network.zero_grad(set_to_none=True)


def fast_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 products are the fast ones: on CUDA, and on processors with AMX."""
    if device.type == "cuda":
        return True
    processor = Path("/proc/cpuinfo")
    return processor.exists() and "amx_bf16" in processor.read_text()


def choose_device(wanted: str) -> torch.device:
    """`auto` is CUDA where there is some."""
    automatic = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(automatic if wanted == "auto" else wanted)


def choose_precision(wanted: str, device: torch.device) -> torch.dtype:
    """`auto` is what is fast."""
    automatic = "bf16" if fast_bfloat16(device) else "fp32"
    chosen = automatic if wanted == "auto" else wanted
    return {"bf16": torch.bfloat16, "fp32": torch.float32}[chosen]


def open_run(made: Made, folder: Path, device: torch.device, compute: torch.dtype) -> Run:
    """Build network and optimizers and load the last checkpoint.

    Raises:
        ValueError: the folder holds a run of other sizes or rates.
    """
    torch.manual_seed(made.seed)
    network = Network(made.preset.shape, compute).to(device)
    named = list(network.named_parameters())
    matrices = [weight for name, weight in named if weight.ndim == 2 and ".layers." in name]
    others = [weight for name, weight in named if weight.ndim != 2 or ".layers." not in name]
    preset = made.preset
    run = Run(
        network=network,
        optimizers=(
            Muon(matrices, preset.matrix_rate, weight_decay=0.05, compute=compute),
            torch.optim.AdamW(
                others, lr=preset.other_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True
            ),
        ),
        progress=Progress(),
        made=made,
        device=device,
        folder=folder,
    )
    run.load()
    return run


@torch.no_grad()
def bits_per_byte(run: Run, tokens: np.ndarray, token_bytes: np.ndarray, windows: int) -> float:
    """A quick estimate on windows spread evenly over a text."""
    length = run.made.preset.length
    starts = np.linspace(0, len(tokens) - length - 1, windows).astype(int)
    drawn = np.stack([tokens[start : start + length + 1] for start in starts]).astype(np.int64)
    drawn[:, 0] = BEGIN_ID
    count = run.made.preset.windows
    losses = [
        run.network(send(drawn[first : first + count], run.device)) * len(drawn[first:][:count])
        for first in range(0, len(drawn), count)
    ]
    nats_per_token = float(torch.stack(losses).sum()) / len(drawn)
    bytes_per_token = float(token_bytes[drawn[:, 1:]].mean())
    return nats_per_token / math.log(2) / bytes_per_token
