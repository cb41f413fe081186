"""Inputs of layers that wait in main memory: the same bits, less of the device, at what cost.

Two models with the same weights learn from a large and a small forest in turn, several times,
all layers computed again. Loss and gradients of every pass must be the same to the bit. On CUDA the
peak must be lower by at least half of the inputs that do not lie there any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor
from transformers import LlamaConfig

from benchmarks.gpu.exact import VOCABULARY, by_forest, model_of, rows_of_a_tree
from benchmarks.gpu.part import Part
from tunesmith.contracts import TokenRow
from tunesmith.models.attention import enable_forest
from tunesmith.models.offload import Carrier, Offload, carrier_for
from tunesmith.models.recompute import recompute_layers
from tunesmith.plan.activations import INPUTS_HERE
from tunesmith.train.determinism import deterministic

ROUNDS = 4
FEW = 2
"""Rounds on a CPU, where nothing happens at the same time."""


class Counted:
    """A carrier that counts what it sends."""

    def __init__(self, carrier: Carrier) -> None:
        """Begin at 0."""
        self.carrier, self.sent, self.largest = carrier, 0, 0

    def room(self, like: Tensor) -> Tensor:
        """Main memory for what is about to be sent."""
        self.sent += 1
        self.largest = max(self.largest, like.nbytes)
        return self.carrier.room(like)

    def carry(self, source: Tensor, target: Tensor) -> object:
        """Begin a copy."""
        return self.carrier.carry(source, target)

    def wait(self, mark: object) -> None:
        """Come after a copy."""
        self.carrier.wait(mark)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """What the passes of a model gave."""

    losses: list[float]
    gradients: list[dict[str, Tensor]]
    peak: int
    """Most bytes of the device beside what lay there before."""
    seconds: float
    """Of a pass over the large forest, the first left out."""


def offloading(part: Part, folder: Path) -> list[dict[str, Any]]:
    """Without and with, and what lies between."""
    on_gpu = part.device == "cuda"
    layers, hidden, scale = (16, 2048, 32) if on_gpu and not part.tiny else (5, 64, 1)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=hidden, intermediate_size=hidden * 5 // 2,
        num_hidden_layers=layers, num_attention_heads=hidden // 32, num_key_value_heads=2,
        max_position_embeddings=8192, pad_token_id=0, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    carriers: list[Counted] = []

    def counted(device: torch.device) -> Counted:
        carriers.append(Counted(carrier_for(device)))
        return carriers[-1]

    forests = [rows_of_a_tree(scale), rows_of_a_tree(max(1, scale // 3))]
    with deterministic(part.device):
        stays = passes(part, config, forests, None)
        leaves = passes(part, config, forests, lambda: Offload(counted))
    same = stays.losses == leaves.losses and all(
        one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
        for one, other in zip(stays.gradients, leaves.gradients, strict=True)
    )
    (carrier,) = carriers
    expected = len(stays.losses) * (layers - 1)
    found = {"what": "offloading", "ok": same and carrier.sent == expected}
    found |= {"passes": len(stays.losses), "sent": carrier.sent, "bytes of one": carrier.largest}
    if on_gpu:
        inputs = (layers - INPUTS_HERE) * carrier.largest
        found |= {"peak, here": stays.peak, "peak, away": leaves.peak}
        found |= {"time": leaves.seconds / stays.seconds}
        found["ok"] &= part.tiny or stays.peak - leaves.peak >= inputs / 2
    return [found]


def passes(
    part: Part,
    config: LlamaConfig,
    forests: list[list[TokenRow]],
    offload: Callable[[], Offload] | None,
) -> Passes:
    """Forward and backward passes of a LoRA over each forest in turn."""
    dtype = torch.bfloat16 if part.device == "cuda" else torch.float32
    model = model_of(config, "lora", dtype, part.device)
    support = enable_forest(model)
    recompute_layers(model, config.num_hidden_layers, offload() if offload else None)
    losses, gradients, seconds = [], [], []
    before = settled(part.device)
    for _ in range(ROUNDS if part.device == "cuda" else FEW):
        for place, rows in enumerate(forests):
            began = time.monotonic()
            loss, found = by_forest(model, rows, support)
            losses.append(loss)
            gradients.append(found)
            if place == 0:
                seconds.append(time.monotonic() - began)
    peak = torch.cuda.max_memory_allocated() - before if part.device == "cuda" else 0
    return Passes(losses=losses, gradients=gradients, peak=peak, seconds=median(seconds[1:]))


def settled(device: str) -> int:
    """Bytes on the device now, from where its peak is counted anew."""
    if device != "cuda":
        return 0
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    return torch.cuda.memory_allocated()
