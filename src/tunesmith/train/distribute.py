"""Where the model lies: on one process, whole on each of several, or a part on each.

    single    one process
    ddp       every process has the whole model and computes its share of a step's forests
    fsdp      every process keeps 1/n of each weight, gradient and optimizer state; a layer's
              weights are gathered when it runs (FSDP2, arXiv 2304.11277)

A step's loss is normalised over the rows of all processes, so gradients are added up and
never averaged: the sum over the processes is what one process would have computed. Under
ddp that is one sum a step, after all forests. (PyTorch's DDP wrapper averages, wants its own
forward called, and gains from overlapping the sum with a single backward pass; a step here
has several.) Under fsdp gradients are added up as each layer's backward pass ends.

Gathering weights needs all processes at once: all of them run the same number of forests,
where necessary one once more that counts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import torch
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from tunesmith.contracts import Scores
from tunesmith.data.forest import Forest
from tunesmith.models.causal import causal_model, decoder_layers
from tunesmith.ranks import Spread
from tunesmith.train.deal import deal
from tunesmith.train.processes import ALONE, Group

_BUCKET = 32 * 2**20
"""Numbers that are added up in one call: enough to be fast, little beside the model."""
_Made = TypeVar("_Made")

# FSDP looks for tensors in what a module returns, to start the backward pass from.
torch.export.register_dataclass(Scores)


class _Whole(nn.Module):
    """The model as the root of what is sharded: what runs inside finds the root's weights.

    Embeddings, final norm and head belong to the root and not to a layer. They are gathered
    when `forward` begins and stay so through the backward pass, so that the head may run
    as often as it wants to.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, work: Callable[[], object]) -> object:
        return work()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One forest that this process computes."""

    number: int
    """The forest's number in its step, which its random state depends on."""
    forest: Forest
    counts: bool
    """Whether it belongs to this process; others are computed to keep step, at weight 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where the model lies, and what follows from that for a step."""

    spread: Spread = "single"
    group: Group = ALONE
    whole: nn.Module | None = None
    """The root of the sharded model."""

    def compute(self, work: Callable[[], _Made]) -> _Made:
        """Run `work`, which calls the model; by all processes at once where it is sharded."""
        return work() if self.whole is None else cast(_Made, self.whole(work))

    def turns(self, forests: Sequence[Forest]) -> Iterator[Turn]:
        """The forests that this process computes, as many in every process."""
        if self.group.count == 1:
            for number, forest in enumerate(forests):
                yield Turn(number=number, forest=forest, counts=True)
            return
        dealt = deal(forests, self.group.count)
        own = dealt.hands[self.group.ranks.rank]
        for place in range(dealt.rounds):
            number = own[place] if place < len(own) else dealt.smallest
            yield Turn(number=number, forest=forests[number], counts=place < len(own))

    def joined(self, losses: Mapping[int, float], count: int) -> list[float]:
        """The losses of all of a step's forests, from those that this process computed."""
        found = torch.zeros(count, dtype=torch.float64)
        for number, loss in losses.items():
            found[number] = loss
        self.group.add(found)
        joined: list[float] = found.tolist()
        return joined

    def settle(self) -> None:
        """After forward passes without a backward pass: every weight is in parts again."""
        if self.whole is not None:
            _sharded(self.whole).reshard()

    def add_gradients(self, model: nn.Module) -> None:
        """Give every process the sum of all gradients; nothing to do where it was done."""
        if self.spread != "ddp" or self.group.count == 1:
            return
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        # A weight without a gradient anywhere is one that the optimizer leaves alone.
        touched = torch.tensor([weight.grad is not None for weight in weights], dtype=torch.int32)
        self.group.add(touched)
        used = [weight for weight, count in zip(weights, touched.tolist(), strict=True) if count]
        for bucket in _buckets(used):
            flat = torch.cat([_gradient(weight).flatten() for weight in bucket])
            self.group.add(flat)
            sizes = [weight.numel() for weight in bucket]
            for weight, part in zip(bucket, torch.split(flat, sizes), strict=True):
                weight.grad = part.view_as(weight).clone()

    def gathered(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Whole tensors, for the first process to save; nothing in the others.

        Where they are sharded, one at a time is put together and moved to the CPU.
        """
        found: dict[str, Tensor] = {}
        for name, tensor in tensors.items():
            whole = tensor.full_tensor().to("cpu") if isinstance(tensor, DTensor) else tensor
            if self.group.is_first:
                found[name] = whole
        return found

    def spread_out(
        self, saved: Mapping[str, Tensor] | None, like: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """What the first process has read, for all of them, in parts where `like` is.

        Args:
            saved: whole tensors by name; None in all processes but the first.
            like: for each name, or for what follows its first `/`, a tensor whose
                placement to take over if the shapes are the same.
        """
        if self.group.count == 1:
            return dict(saved or {})
        listing = self.group.shared(
            lambda: [(name, one.shape, one.dtype) for name, one in (saved or {}).items()]
        )
        return {
            name: self._sent(
                None if saved is None else saved[name], (shape, kind), _model_of(like, name)
            )
            for name, shape, kind in listing
        }

    def _sent(
        self, tensor: Tensor | None, form: tuple[torch.Size, torch.dtype], like: Tensor | None
    ) -> Tensor:
        shape, kind = form
        whole = torch.empty(shape, dtype=kind) if tensor is None else tensor.contiguous()
        if not isinstance(like, DTensor) or like.shape != shape:
            distributed.broadcast(whole, src=0)
            return whole
        return distribute_tensor(
            whole.to(like.device), like.device_mesh, like.placements, src_data_rank=0
        )


def place(model: nn.Module, spread: Spread, group: Group, device: str) -> Placement:
    """Lay a model out over the processes.

    Args:
        model: with its adapter attached, the same in every process; changed in place.
        spread: how.
        group: the processes.
        device: `cpu` or `cuda`, where it computes.
    """
    if spread != "fsdp":
        return Placement(spread=spread, group=group)
    mesh = init_device_mesh(device, (group.count,))
    for layer in decoder_layers(causal_model(model)) or ():
        _shard(layer, mesh, keep=False)
    return Placement(spread=spread, group=group, whole=_shard(_Whole(model), mesh, keep=True))


def _shard(module: nn.Module, mesh: DeviceMesh, *, keep: bool) -> nn.Module:
    sharded = _sharded(fully_shard(module, mesh=mesh, reshard_after_forward=not keep))
    # Summed, not averaged.
    sharded.set_gradient_divide_factor(1.0)
    sharded.set_force_sum_reduction_for_comms(True)
    return module


def _sharded(module: object) -> FSDPModule:
    # FSDP changes the class of the module that it is given.
    assert isinstance(module, FSDPModule)
    return module


def _buckets(weights: Sequence[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    """Weights of one kind that fill a bucket."""
    bucket: list[nn.Parameter] = []
    size = 0
    for weight in weights:
        kind = (weight.dtype, weight.device)
        full = size + weight.numel() > _BUCKET
        if bucket and (full or kind != (bucket[0].dtype, bucket[0].device)):
            yield bucket
            bucket, size = [], 0
        bucket.append(weight)
        size += weight.numel()
    if bucket:
        yield bucket


def _gradient(weight: nn.Parameter) -> Tensor:
    return torch.zeros_like(weight) if weight.grad is None else weight.grad


def _model_of(like: Mapping[str, Tensor], name: str) -> Tensor | None:
    return like.get(name, like.get(name.partition("/")[2]))
