"""TRL's SFTTrainer or DPOTrainer, as its users run it.

modes   default  its own defaults: bf16 autocast, gradient checkpointing, a padded batch
        padded   fp32, no checkpointing, a padded batch of the step's rows
        accum    fp32, no checkpointing, a row at a time, accumulated
        packing  rows joined up to the longest length (best fit decreasing), one joined row at a
                 time, accumulated to about the same number of rows a step
"""

from __future__ import annotations

import logging
import time
import warnings
from typing import Any

import torch
import transformers
from datasets import Dataset, disable_progress_bars
from peft import LoraConfig
from transformers import AutoModelForCausalLM, TrainerCallback
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from benchmarks.contestants.arguments import Given, read_arguments
from benchmarks.task import BETA, RANK, Task, peak_gib, read_rows, write_figures
from benchmarks.workload import load_tokenizer


class StepTimes(TrainerCallback):
    """Seconds of each optimizer step."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._began = 0.0

    def on_step_begin(self, *ignored: object, **named: object) -> None:
        """Called by the trainer."""
        self._began = time.perf_counter()

    def on_step_end(self, *ignored: object, **named: object) -> None:
        """Called by the trainer."""
        self.seconds.append(time.perf_counter() - self._began)


def options_of(task: Task, mode: str, folder: str) -> dict[str, Any]:
    """The trainer's configuration."""
    options: dict[str, Any] = {
        "output_dir": folder,
        "num_train_epochs": 1,
        "max_length": task.longest,
        "learning_rate": task.rate,
        "lr_scheduler_type": "constant",
        "warmup_steps": 0,
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": [],
        "use_cpu": not torch.cuda.is_available(),
        "seed": 0,
        "data_seed": 0,
        "train_sampling_strategy": "sequential",
        "disable_tqdm": True,
        "dataloader_pin_memory": torch.cuda.is_available(),
        "per_device_train_batch_size": task.rows_per_step,
    }
    if mode != "default":
        options |= {"bf16": False, "gradient_checkpointing": False}
    if mode == "accum":
        options |= {"per_device_train_batch_size": 1}
        options |= {"gradient_accumulation_steps": task.rows_per_step}
    if mode == "packing":
        rows = max(1, round(task.useful / task.longest / task.steps))
        options |= {"packing": True, "per_device_train_batch_size": 1}
        options |= {"gradient_accumulation_steps": rows}
    return options


def rows_of(task: Task) -> Dataset:
    """Conversations where TRL makes the same tokens from them, else the tokens."""
    if task.words:
        return Dataset.from_list(read_rows(task.data))
    rows = []
    for row in read_rows(task.tokens):
        pairs = zip(row["ids"], row["trained"], strict=True)
        labels = [token if trained else -100 for token, trained in pairs]
        rows.append({"input_ids": row["ids"], "labels": labels})
    return Dataset.from_list(rows)


def trainer_of(given: Given, times: StepTimes) -> SFTTrainer | DPOTrainer:
    """The trainer, ready to train."""
    task = given.task
    options = options_of(task, given.mode, str(given.folder / "trainer"))
    model: Any = task.base
    if given.mode != "default":
        model = AutoModelForCausalLM.from_pretrained(
            task.base, dtype=torch.float32, attn_implementation="sdpa"
        )
    adapter = None
    if task.adapter == "lora":
        adapter = LoraConfig(
            task_type="CAUSAL_LM", r=RANK, lora_alpha=2 * RANK, target_modules="all-linear"
        )
    every: dict[str, Any] = {
        "model": model,
        "train_dataset": rows_of(task),
        "processing_class": load_tokenizer(task.base),
        "peft_config": adapter,
        "callbacks": [times],
    }
    if task.method == "dpo":
        return DPOTrainer(args=DPOConfig(**options, beta=BETA), **every)
    return SFTTrainer(args=SFTConfig(**options, assistant_only_loss=task.words), **every)


def main() -> None:
    """Do the task."""
    given = read_arguments(__doc__)
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    logging.disable(logging.WARNING)
    disable_progress_bars()
    times = StepTimes()
    trainer = trainer_of(given, times)
    began = time.perf_counter()
    done = trainer.train()
    wall = time.perf_counter() - began
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    write_figures(
        given.folder,
        wall_train=wall,
        sum_steps=sum(times.seconds),
        peak_gib=peak_gib(),
        steps=done.global_step,
        loss_first=losses[0],
        loss_last=losses[-1],
        losses=losses,
    )
    trainer.save_model(str(given.result))


if __name__ == "__main__":
    main()
