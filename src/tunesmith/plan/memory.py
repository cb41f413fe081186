"""What training needs in memory, estimated before anything is loaded.

    weights      parameters x bytes (4 fp32, 2 bf16; of the layers between embedding and head
                 about 0.56 nf4, 1 fp8, with their scales)
    trained      parameters x (4 weight + 4 gradient + 8 AdamW, or 2 for the 8-bit kind; the
                 states of the paged kinds may lie in main memory)
    activations  tokens x what the layers keep for the backward pass (plan/activations.py)
    head         a chunk of logits and of their gradients

Where the activations of the forests that keep a device busy do not fit, these are the means, in
this order: layers are computed again, as few as will do, then all; the inputs of these wait in
main memory (on a GPU, where that has room); forests are smaller, down to the longest row. The
factor SLACK covers fragmentation and buffers.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from tunesmith.base import BaseFolder
from tunesmith.contracts import Hardware, Json, JsonObject
from tunesmith.errors import RecipeError, ResourceError
from tunesmith.plan.activations import Kept, Shape, shape_of
from tunesmith.recipe import Recipe

SLACK = 1.25
_SHARE_OF_FREE = {"cpu": 0.7, "cuda": 0.85, "mps": 0.7}
"""A process has what a GPU has free for itself, and halves its forests where it is too little."""
_SHARE_OF_MAIN = 0.5
"""Of the free main memory: pinned memory is nobody else's, and never swapped out."""
_MOST_TOKENS = {"cpu": 4_096, "cuda": 32_768, "mps": 4_096}
_ENOUGH_TOKENS = {"cpu": 1_024, "cuda": 4_096, "mps": 1_024}
"""Tokens below which a device is not busy: rather than fewer, layers are computed again."""
_BYTES = {"fp32": 4.0, "bf16": 2.0}
_QUANTISED_BYTES = {"nf4": 0.56, "fp8": 1.01}
_STATE_BYTES = {"adamw": 8, "adamw8bit": 2, "paged_adamw": 0, "paged_adamw8bit": 0}
_HEAD_CHUNK = {"cpu": 64 * 2**20, "cuda": 1024 * 2**20, "mps": 64 * 2**20}
_FLOOR = 400 * 2**20
"""Libraries and buffers of a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPlan:
    """Bytes by part, and the tokens that are computed at once."""

    weights: int
    trained: int
    activations: int
    head: int
    process: int
    free: int
    tokens_per_forest: int
    recompute_layers: int
    """Layers, from the first on, whose activations are computed again."""
    activation_offloading: bool
    """Whether their inputs wait in main memory."""
    away: int
    """Bytes in main memory."""
    free_main: int
    reason: str
    recompute_reason: str
    offloading_reason: str

    @property
    def total(self) -> int:
        """Everything together."""
        return self.weights + self.trained + self.activations + self.head + self.process

    def parts(self) -> tuple[tuple[str, int], ...]:
        """Names and bytes, for people."""
        waiting = (
            ("in main memory: inputs of layers", self.away),
            ("free main memory", self.free_main),
        )
        return (
            ("weights of the base", self.weights),
            ("trained weights, gradients, optimizer", self.trained),
            (f"activations of {self.tokens_per_forest:,} tokens", self.activations),
            ("output head", self.head),
            ("process", self.process),
            ("in all", self.total),
            ("free on this device", self.free),
            *(waiting if self.activation_offloading else ()),
        )

    def as_json(self) -> JsonObject:
        """Plain data."""
        return {**asdict(self), "total": self.total}


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """How many train together, and whether each keeps only a part of the weights."""

    count: int = 1
    parts: bool = False


ALONE = Processes()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """How many tokens there is room for."""

    kept: Kept
    spare: float
    """Bytes for activations on the device."""
    spare_main: float
    """Bytes for their inputs in main memory."""

    def bytes(self, recomputed: int, *, offloaded: bool) -> tuple[float, float]:
        """Bytes a token on the device and in main memory, where layers are computed again."""
        here = SLACK * self.kept.here(recomputed, offloaded=offloaded)
        return here, self.kept.away(recomputed) if offloaded else 0.0

    def tokens(self, recomputed: int, *, offloaded: bool = False) -> int:
        """The most tokens of a forest."""
        here, away = self.bytes(recomputed, offloaded=offloaded)
        return int(min(self.spare / here, self.spare_main / away if away else math.inf))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Means:
    """What is done about activations, and why."""

    recomputed: int
    offloaded: bool
    recompute_reason: str
    offloading_reason: str


def plan_memory(
    recipe: Recipe,
    base: BaseFolder,
    hardware: Hardware,
    *,
    precision: str,
    longest_row: int,
    processes: Processes = ALONE,
) -> MemoryPlan:
    """The estimate for a recipe on a device.

    Args:
        recipe: its adapter, optimizer, quantization, and what it says of memory count.
        base: sizes come from its configuration, and from the names of its weights.
        hardware: the device, and its and the main memory's free bytes.
        precision: fp32 or bf16, of the base's weights.
        longest_row: tokens of the longest row after truncation; a row is never cut.
        processes: that train together.

    Raises:
        RecipeError: the recipe wants what this device, or what else it says, does not allow.
        ResourceError: not even the longest row alone fits.
    """
    _require_pages(recipe, hardware)
    shape = shape_of(base)
    kept = _kept(recipe, shape, hardware, precision, processes)
    weights, trained = _weights_and_states(recipe, base, kept, processes)
    wanted = _wanted(recipe, hardware, longest_row)
    head = min(_HEAD_CHUNK[hardware.device], 4 * shape.vocabulary * wanted)
    fixed = weights + trained + head + _FLOOR
    room = _Room(
        kept=kept,
        spare=_SHARE_OF_FREE[hardware.device] * hardware.memory_bytes - fixed,
        spare_main=_SHARE_OF_MAIN * hardware.main_memory_bytes,
    )
    means = _means(recipe, hardware, room, wanted)
    here, away = room.bytes(means.recomputed, offloaded=means.offloaded)
    most = room.tokens(means.recomputed, offloaded=means.offloaded)
    tokens, reason = _tokens(recipe, hardware, most, longest_row)
    plan = MemoryPlan(
        weights=weights,
        trained=trained,
        activations=round(here * tokens),
        head=head,
        process=_FLOOR,
        free=hardware.memory_bytes,
        tokens_per_forest=tokens,
        recompute_layers=means.recomputed,
        activation_offloading=means.offloaded,
        away=round(away * tokens),
        free_main=hardware.main_memory_bytes,
        reason=f"forests of {tokens:,} tokens: {reason}",
        recompute_reason=means.recompute_reason,
        offloading_reason=means.offloading_reason,
    )
    if fixed + here * longest_row > 0.95 * hardware.memory_bytes:
        raise _too_large(plan, longest_row)
    return plan


def _kept(
    recipe: Recipe, shape: Shape, hardware: Hardware, precision: str, processes: Processes
) -> Kept:
    """What the layers keep.

    Whether those that look as if they could be fused are shows only when they are loaded. It is
    counted on where a mistake costs half a forest and no more: in one process on CUDA.
    """
    lora = recipe.adapter.name != "full"
    fusible = shape.fusible and recipe.train.fused_layers
    return Kept(
        shape=shape,
        size=_BYTES[precision],
        between=_BYTES[precision] if lora else _BYTES["fp32"],
        fused=fusible and hardware.device == "cuda" and processes.count == 1,
        casts=precision == "bf16" and lora,
    )


def _require_pages(recipe: Recipe, hardware: Hardware) -> None:
    if recipe.train.optimizer.startswith("paged_") and hardware.device != "cuda":
        raise RecipeError(
            f"train.optimizer {recipe.train.optimizer} pages its state between a CUDA GPU and "
            f"main memory, and this run is on the {hardware.device}",
            hint="use train.optimizer: adamw8bit, or adamw",
        )


def _weights_and_states(
    recipe: Recipe, base: BaseFolder, kept: Kept, processes: Processes
) -> tuple[int, int]:
    """Bytes of the base, and of what is trained with its gradients and the optimizer's state."""
    shape, full = kept.shape, recipe.adapter.name == "full"
    weights = _weights(recipe, base, shape, kept.size)
    count = base.parameters if full else _adapter_parameters(shape, recipe.adapter.options)
    state = _STATE_BYTES[recipe.train.optimizer]
    own = 0 if full and kept.size == _BYTES["fp32"] else 4
    trained = count * (state + 4 + own)
    if processes.parts:
        gathered = round(_gathered(base, shape) * (8 if full else kept.size))  # with its gradients
        weights = weights // processes.count + gathered
        trained //= processes.count
    return weights, trained


def _weights(recipe: Recipe, base: BaseFolder, shape: Shape, size: float) -> int:
    """Bytes of the base; the embedding and the head keep their precision."""
    ends = (1 if base.config.get("tie_word_embeddings") else 2) * shape.vocabulary * shape.hidden
    ends = min(ends, base.parameters)
    inner = _QUANTISED_BYTES.get(recipe.base.quantize, size)
    return round(ends * size + (base.parameters - ends) * inner)


def _wanted(recipe: Recipe, hardware: Hardware, longest_row: int) -> int:
    """Tokens of a forest that keep the device busy."""
    return recipe.train.tokens_per_forest or max(longest_row, _ENOUGH_TOKENS[hardware.device])


def _means(recipe: Recipe, hardware: Hardware, room: _Room, wanted: int) -> _Means:
    """What makes room for forests of `wanted` tokens."""
    asked, given = recipe.train.recompute_layers, recipe.train.activation_offloading
    layers = room.kept.shape.layers
    if asked is not None:
        recomputed, why = min(asked, layers), "given"
    elif given:
        recomputed, why = layers, "their inputs are to wait in main memory"
    else:
        enough = (count for count in range(layers) if room.tokens(count) >= wanted)
        recomputed = next(enough, layers)
        why = "the rest fits" if recomputed else "all activations fit"
        if recomputed == layers:
            why = "what all layers keep does not fit"
    if given and recomputed == 0:
        raise RecipeError(
            "train.activation_offloading moves the inputs of layers that are computed again, and "
            "train.recompute_layers is 0",
            hint="leave one of the two out",
        )
    offloaded, reason = bool(given), "given"
    if given is None:
        offloaded, reason = _offloaded(hardware, room, recomputed, wanted)
    return _Means(
        recomputed=recomputed,
        offloaded=offloaded,
        recompute_reason=why,
        offloading_reason=reason,
    )


def _offloaded(hardware: Hardware, room: _Room, recomputed: int, wanted: int) -> tuple[bool, str]:
    """Whether inputs of layers are to wait in main memory, and why."""
    if recomputed == 0:
        return False, "no layer is computed again"
    tokens = room.tokens(recomputed)
    if tokens >= wanted:
        return False, f"forests of {wanted:,} tokens fit on the device"
    if hardware.device != "cuda":
        return False, f"what a {hardware.device} computes with lies in main memory"
    if room.tokens(recomputed, offloaded=True) <= tokens:
        return False, "main memory has no more room for them than the device"
    return True, f"forests of {wanted:,} tokens do not fit on the device with them"


def _tokens(recipe: Recipe, hardware: Hardware, room: int, longest_row: int) -> tuple[int, str]:
    """Tokens of a forest, and why, where there is room for so many."""
    asked, most = recipe.train.tokens_per_forest, _MOST_TOKENS[hardware.device]
    if asked is not None:
        return asked, "given"
    tokens = max(longest_row, min(room, most))
    if tokens == longest_row and longest_row >= most:
        return tokens, "the longest row"
    if room < most:
        return tokens, f"what fits in {_SHARE_OF_FREE[hardware.device]:.0%} of the free memory"
    return tokens, "more would not be faster on this device"


def _gathered(base: BaseFolder, shape: Shape) -> int:
    """Weights that are whole at once where the model lies in parts: a layer, and both ends."""
    return base.parameters // shape.layers + 2 * shape.vocabulary * shape.hidden


def _too_large(plan: MemoryPlan, longest_row: int) -> ResourceError:
    need = (plan.total - plan.activations) / 2**30
    return ResourceError(
        f"training needs about {plan.total / 2**30:.1f} GiB ({need:.1f} GiB without activations), "
        f"and {plan.free / 2**30:.1f} GiB are free",
        hint=f"take a smaller base, adapter: qlora, or data.max_length below {longest_row}",
    )


def _adapter_parameters(shape: Shape, options: dict[str, Json]) -> int:
    """Weights of a low-rank adapter on all linear layers of a Llama-like block."""
    rank = options["rank"]
    assert isinstance(rank, int), "checked by the recipe"
    attention = 4 * shape.hidden + 2 * (shape.hidden + shape.keys)
    return shape.layers * rank * (attention + 3 * (shape.hidden + shape.inner))
