"""A process that loads torch once and then forks a trainee for every line it reads.

    {"folder": "...", "run": "a", "fault": "fsync:3:kill", "settings": {"epochs": 2.0}}

For each it writes two lines: the trainee's process id, and, when that has ended, its exit
code (-9 where it was killed). A trainee takes a second instead of the five that loading
torch takes, so faults can be tried at many places.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

import torch

from conftest import Workshop
from tunesmith.errors import TunesmithError
from tunesmith.runs import open_run
from tunesmith.runs.fault import VARIABLE


def trainee(order: dict[str, object]) -> int:
    """Train as ordered, from where the run stands; the exit code."""
    if order["fault"]:
        os.environ[VARIABLE] = str(order["fault"])
    workshop = Workshop(folder=Path(str(order["folder"])))
    run = open_run(workshop.folder / "runs" / str(order["run"]))
    settings = order["settings"]
    assert isinstance(settings, dict)
    with run.path("stderr.txt").open("w") as log:
        os.dup2(log.fileno(), 2)
        try:
            with run.locked():
                workshop.train(run, workshop.recipe(**settings))
        except TunesmithError as error:
            print(error, file=sys.stderr, flush=True)
            return error.exit_code
        except BaseException:
            traceback.print_exc()
            return 1
    return 0


def main() -> None:
    """Serve orders until the input ends."""
    torch.set_num_threads(1)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(trainee(order))
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
