"""Which process of a run this is, as torchrun says it in the environment.

    RANK=1 LOCAL_RANK=1 WORLD_SIZE=2 LOCAL_WORLD_SIZE=2 TORCHELASTIC_RUN_ID=none

Rank 0 is the first process: it alone writes the run directory and speaks. Without torchrun a
run has one process.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

Spread = Literal["single", "ddp", "fsdp"]
"""How a model lies on the processes: on one, whole on each, or a part on each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """This process among those of its run."""

    rank: int = 0
    count: int = 1
    """Processes of the run, on all machines."""
    local_rank: int = 0
    local_count: int = 1
    """Processes of the run on this machine."""

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def __str__(self) -> str:
        """`process 2 of 4`, counted from 1."""
        return f"process {self.rank + 1} of {self.count}"


def ranks_here() -> Ranks:
    """This process, from torchrun's variables; the only one where torchrun did not start it."""
    given = os.environ
    if "TORCHELASTIC_RUN_ID" not in given:
        return Ranks()
    return Ranks(
        rank=int(given["RANK"]),
        count=int(given["WORLD_SIZE"]),
        local_rank=int(given["LOCAL_RANK"]),
        local_count=int(given["LOCAL_WORLD_SIZE"]),
    )
