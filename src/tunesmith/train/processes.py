"""The processes of a run, and what they tell one another while they train.

Tensors of the model travel by NCCL on CUDA and by gloo on a CPU; flags, losses and objects
always by gloo, so that no device waits for them. Where another process is lost, the
collective that waits for it fails (gloo notices at once, NCCL after TIMEOUT), and that
becomes an error which says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeVar, cast

import torch
from torch import Tensor, distributed
from torch._C._distributed_c10d import Store

from tunesmith.errors import RecipeError, ResourceError, TunesmithError
from tunesmith.hardware import detect
from tunesmith.ranks import Ranks

TIMEOUT = timedelta(minutes=30)
"""Longest time that one process may keep the others waiting: saving a large model, say."""
_BACKENDS = {"cpu": "gloo", "cuda": "cpu:gloo,cuda:nccl"}
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The processes that train together; every method is called by all of them, in one order."""

    ranks: Ranks = Ranks()

    @property
    def count(self) -> int:
        """How many there are."""
        return self.ranks.count

    @property
    def is_first(self) -> bool:
        """Whether this one writes and speaks."""
        return self.ranks.is_first

    def highest(self, number: int) -> int:
        """The largest number that any process gives."""
        if self.count == 1:
            return number
        value = torch.tensor(number, dtype=torch.int64)
        distributed.all_reduce(value, distributed.ReduceOp.MAX)
        return int(value)

    def add(self, tensor: Tensor) -> None:
        """Replace a tensor by its sum over all processes."""
        if self.count > 1:
            distributed.all_reduce(tensor)

    def union(self, names: Sequence[str]) -> list[str]:
        """What any process names, each once."""
        if self.count == 1:
            return list(names)
        found: list[list[str]] = [[] for _ in range(self.count)]
        distributed.all_gather_object(found, list(names))
        return list(dict.fromkeys(name for part in found for name in part))

    def merged(self, own: Mapping[int, _Made]) -> dict[int, _Made]:
        """What all processes have by number, in every one of them."""
        if self.count == 1:
            return dict(own)
        found: list[dict[int, _Made]] = [{} for _ in range(self.count)]
        distributed.all_gather_object(found, dict(own))
        return {number: made for part in found for number, made in part.items()}

    def wait(self) -> None:
        """Go on when all have come here."""
        self.highest(0)

    def shared(self, make: Callable[[], _Made]) -> _Made:
        """What the first process makes, for all of them.

        Raises:
            TunesmithError: making it failed; said by the first process alone.
            SystemExit: in the other processes then, with the same exit code.
        """
        if self.count == 1:
            return make()
        if not self.is_first:
            code, made = self._sent(None)
            if code:
                raise SystemExit(code)
            return cast(_Made, made)
        try:
            made_here = make()
        except TunesmithError as error:
            self._sent((error.exit_code, None))
            raise
        self._sent((0, made_here))
        return made_here

    def _sent(self, parcel: tuple[int, object] | None) -> tuple[int, object]:
        parcels: list[tuple[int, object] | None] = [parcel]
        distributed.broadcast_object_list(parcels, src=0, device=torch.device("cpu"))
        (arrived,) = parcels
        assert arrived is not None
        return arrived


ALONE = Group()
"""A run of one process."""


@contextmanager
def process_group(
    ranks: Ranks, asked: Literal["auto", "cpu", "cuda", "mps"], store: Store
) -> Iterator[Group]:
    """Within the block the processes of a run can talk to one another.

    Args:
        ranks: this process.
        asked: the recipe's device; on CUDA each process takes that of its local rank.
        store: where they find one another.

    Raises:
        ResourceError: another process was lost.
    """
    device = detect(asked).device
    if device == "cuda":
        if ranks.local_rank >= torch.cuda.device_count():
            raise RecipeError(
                f"{ranks} has no CUDA device of its own: {torch.cuda.device_count()} are here",
                hint="start as many processes on a machine as it has devices",
            )
        torch.cuda.set_device(ranks.local_rank)
    with losses_named(ranks):
        distributed.init_process_group(
            _BACKENDS[device],
            store=store,
            rank=ranks.rank,
            world_size=ranks.count,
            timeout=TIMEOUT,
            device_id=torch.device("cuda", ranks.local_rank) if device == "cuda" else None,
        )
        yield Group(ranks=ranks)
        # Not after a failure: it would wait for those that are gone.
        distributed.destroy_process_group()


@contextmanager
def losses_named(ranks: Ranks) -> Iterator[None]:
    """Turn the failure of a collective within the block into an error for people.

    Raises:
        ResourceError: another process was lost.
    """
    try:
        yield
    except (RuntimeError, distributed.DistError) as error:
        if not isinstance(error, distributed.DistError) and "gloo" not in str(error):
            raise
        raise ResourceError(
            f"another process of this run has ended or does not answer (this is {ranks})",
            hint="its own message says why; then start all processes again with --resume",
        ) from error
