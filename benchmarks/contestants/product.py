"""Tunesmith, through the pipeline that `tunesmith train` runs.

Training time goes from the moment when the model is ready (the stage then says how rows are
computed) to the last line of metrics.jsonl: everything in between counts, and the final
checkpoint does not, since the peers write none.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contestants.arguments import read_arguments
from benchmarks.task import RANK, Task, peak_gib, write_figures
from tunesmith import pipeline
from tunesmith.recipe import Request
from tunesmith.runs import Run
from tunesmith.runs.documents import read_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A finished run, and how long it trained."""

    run: Run
    wall_train: float


def settings_of(task: Task) -> tuple[str, ...]:
    """The recipe of a task, but for base and data."""
    lora = (f"adapter.rank={RANK}", f"base.adapter={task.start}")
    adapter = lora if task.adapter == "lora" else ()
    return (
        f"method={task.method}",
        f"adapter={task.adapter}",
        *adapter,
        "data.shuffle=false",
        "data.held_out=0",
        f"data.max_length={task.longest}",
        f"train.steps={task.steps}",
        f"train.rows_per_step={task.rows_per_step}",
        f"train.learning_rate={task.rate}",
        "train.schedule=constant",
        "train.warmup=0",
        "train.weight_decay=0.0",
        "train.max_gradient_norm=1.0",
        f"train.save_every={task.steps}",
        "seed=0",
    )


def train(task: Task, folder: Path, settings: tuple[str, ...]) -> Trained:
    """Prepare and train in `folder/run`."""
    told: list[tuple[float, str]] = []
    voice = pipeline.Voice(tell=lambda line: told.append((time.time(), line)))
    asked = Request(
        base=task.base,
        data=task.data,
        output=str(folder / "run"),
        overrides=(*settings_of(task), *settings),
    )
    run = pipeline.run_stages(asked, resume=False, voice=voice, until="train")
    record = run.stage("train")
    assert record is not None, "the stage is done"
    began = min(at for at, line in told if line == record["forest"])
    ended = run.path("metrics.jsonl").stat().st_mtime
    return Trained(run=run, wall_train=ended - began)


def figures_of(trained: Trained) -> dict[str, float | int | list[float]]:
    """What the run's metrics.jsonl says, and the memory of this process."""
    lines = read_lines(trained.run.path("metrics.jsonl"))
    column = {name: [float(str(line[name])) for line in lines] for name in lines[0]}
    return {
        "wall_train": trained.wall_train,
        "sum_steps": sum(column["seconds"]),
        "peak_gib": peak_gib(),
        "steps": len(lines),
        "useful": int(sum(column["tokens"])),
        "trained": int(sum(column["trained"])),
        "computed": int(sum(column["computed"])),
        "loss_first": column["loss"][0],
        "loss_last": column["loss"][-1],
        "losses": column["loss"],
    }


def main() -> None:
    """Do the task."""
    given = read_arguments(__doc__)
    trained = train(given.task, given.folder, given.settings)
    write_figures(given.folder, **figures_of(trained))
    given.result.symlink_to(trained.run.path("model").resolve())


if __name__ == "__main__":
    main()
