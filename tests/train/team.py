"""Processes of a run, forked from one that has torch loaded, as torchrun would start them.

    {"folder": "...", "run": "a", "ranks": 2, "spread": "fsdp", "adapter": "lora", "dump": false,
     "fault": "step:3:kill", "fault_rank": 1, "signal": [1, 4], "settings": {"epochs": 2.0}}

One line a run is read; one line with the exit codes of its processes is written.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import traceback
from pathlib import Path

import torch

from conftest import Workshop
from tunesmith.errors import TunesmithError
from tunesmith.launch import find_store
from tunesmith.ranks import ranks_here
from tunesmith.runs import open_run
from tunesmith.runs.fault import VARIABLE
from tunesmith.train.processes import ALONE, process_group
from tunesmith.train.stage import train


def trainee(order: dict[str, object], rank: int, port: int) -> int:
    """Train as ordered, as one of the processes; the exit code."""
    count = int(str(order["ranks"]))
    if count > 1:
        os.environ.update(
            RANK=str(rank), WORLD_SIZE=str(count), LOCAL_RANK=str(rank),
            LOCAL_WORLD_SIZE=str(count), TORCHELASTIC_RUN_ID="test",
            MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port),
        )  # fmt: skip
    if order["fault"] and order["fault_rank"] == rank:
        os.environ[VARIABLE] = str(order["fault"])
    workshop = Workshop(folder=Path(str(order["folder"])))
    run = open_run(workshop.folder / "runs" / str(order["run"]), writes=rank == 0)
    settings = order["settings"]
    assert isinstance(settings, dict)
    recipe = workshop.recipe(**settings)
    material = workshop.material(pairs=recipe.method.name == "dpo")
    log = run.path(f"stderr-{rank}.txt").open("w")
    os.dup2(log.fileno(), 2)

    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        if count == 1:
            train(recipe, run, material, tell=tell, group=ALONE)
            return 0
        with process_group(ranks_here(), "cpu", find_store()) as group:
            spread = order["spread"]
            assert spread in ("ddp", "fsdp")
            train(recipe, run, material, tell=tell, group=group, spread=spread)
    except TunesmithError as error:
        tell(str(error))
        return error.exit_code
    except SystemExit as stop:
        assert isinstance(stop.code, int)
        return stop.code
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Serve orders until the input ends."""
    torch.set_num_threads(1)
    for line in sys.stdin:
        order = json.loads(line)
        port = free_port()
        children = []
        for rank in range(order["ranks"]):
            child = os.fork()
            if child == 0:
                os._exit(trainee(order, rank, port))
            children.append(child)
        print(json.dumps(children), flush=True)
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        print(json.dumps(codes), flush=True)


if __name__ == "__main__":
    main()
