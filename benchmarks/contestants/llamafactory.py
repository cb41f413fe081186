"""LLaMA-Factory's own command line, in an environment of its own (`--environment FOLDER`).

modes   accum    a row at a time, accumulated; gradient checkpointing off
        packing  rows joined up to the longest length without seeing one another, one joined row
                 at a time, accumulated to about the same number of rows a step
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.contestants.arguments import Given, read_arguments
from benchmarks.task import BETA, RANK, Task, read_rows, write_figures

TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "system_tag": "system",
}


def write_data(task: Task, folder: Path) -> None:
    """The rows, and the description that LLaMA-Factory reads beside them."""
    described: dict[str, Any] = {"formatting": "sharegpt", "file_name": "rows.json", "tags": TAGS}
    rows = read_rows(task.data)
    if task.method == "dpo":
        described |= {"ranking": True}
        rows = [
            {"messages": row["prompt"], "chosen": row["chosen"][0], "rejected": row["rejected"][0]}
            for row in rows
        ]
    described["columns"] = {name: name for name in rows[0]}
    (folder / "rows.json").write_text(json.dumps(rows))
    (folder / "dataset_info.json").write_text(json.dumps({"rows": described}))


def options_of(given: Given) -> dict[str, Any]:
    """What its configuration file says."""
    task = given.task
    packed = max(1, round(task.useful / task.longest / task.steps))
    options: dict[str, Any] = {
        "model_name_or_path": str(Path(task.base).resolve()),
        "stage": task.method,
        "do_train": True,
        "finetuning_type": task.adapter,
        "dataset": "rows",
        "dataset_dir": str(given.folder.resolve()),
        "template": "chatml",
        "cutoff_len": task.longest,
        "output_dir": str(given.result.resolve()),
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": packed if given.mode == "packing" else task.rows_per_step,
        "disable_gradient_checkpointing": True,
        "disable_shuffling": True,
        "num_train_epochs": 1.0,
        "learning_rate": task.rate,
        "lr_scheduler_type": "constant",
        "warmup_steps": 0,
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "seed": 0,
        "plot_loss": False,
        "preprocessing_num_workers": 1,
        "overwrite_cache": True,
    }
    if task.adapter == "lora":
        options |= {"lora_rank": RANK, "lora_alpha": 2 * RANK}
        options |= {"lora_dropout": 0.0, "lora_target": "all"}
    if given.mode == "packing":
        options |= {"packing": True, "neat_packing": True}
    if task.method == "dpo":
        options |= {"pref_beta": BETA, "pref_loss": "sigmoid"}
    if not Path("/dev/nvidia0").exists():
        options |= {"use_cpu": True}
    return options


def main() -> None:
    """Do the task."""
    given = read_arguments(__doc__)
    assert given.environment is not None, "--environment names the folder"
    write_data(given.task, given.folder)
    lines = [f"{key}: {json.dumps(value)}" for key, value in options_of(given).items()]
    file = given.folder / "train.yaml"
    file.write_text("\n".join(lines) + "\n")
    # PYTHONPATH belongs to this environment, not to that one.
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    variables["DISABLE_VERSION_CHECK"] = "1"
    command = [str(given.environment / "bin" / "llamafactory-cli"), "train", str(file)]
    subprocess.run(command, check=True, env=variables, stdout=subprocess.DEVNULL)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    done = json.loads((given.result / "train_results.json").read_text())
    state = json.loads((given.result / "trainer_state.json").read_text())
    losses = [entry["loss"] for entry in state["log_history"] if "loss" in entry]
    write_figures(
        given.folder,
        wall_train=done["train_runtime"],
        peak_gib=peak,
        steps=len(losses),
        loss_first=losses[0],
        loss_last=losses[-1],
    )


if __name__ == "__main__":
    main()
