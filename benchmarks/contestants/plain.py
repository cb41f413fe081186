"""The loop that one writes by hand with Transformers and PEFT.

modes   padded  the rows of a step in one batch, padded to the longest
        accum   a row at a time, gradients added up: no padding
"""

from __future__ import annotations

import time
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import AutoModelForCausalLM
from transformers.utils import logging

from benchmarks.contestants.arguments import read_arguments
from benchmarks.task import RANK, Task, peak_gib, read_rows, write_figures

# Legend: B rows of a batch, T tokens of the longest.


def load(task: Task) -> nn.Module:
    """The base in fp32, with what is trained marked."""
    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(task.base, dtype=torch.float32)
    if task.adapter == "full":
        return base
    config = LoraConfig(
        task_type="CAUSAL_LM", r=RANK, lora_alpha=2 * RANK, target_modules="all-linear"
    )
    return get_peft_model(base, config)


def batch_of(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """Rows as Transformers takes them: padded on the right, labels where a token is trained."""
    longest = max(len(row["ids"]) for row in rows)
    ids_BT = torch.zeros(len(rows), longest, dtype=torch.long)
    labels_BT = torch.full((len(rows), longest), -100)
    mask_BT = torch.zeros(len(rows), longest, dtype=torch.long)
    for place, row in enumerate(rows):
        size = len(row["ids"])
        ids = torch.tensor(row["ids"])
        ids_BT[place, :size] = ids
        labels_BT[place, :size] = torch.where(torch.tensor(row["trained"]) > 0, ids, -100)
        mask_BT[place, :size] = 1
    return {"input_ids": ids_BT, "labels": labels_BT, "attention_mask": mask_BT}


def backward(model: nn.Module, rows: list[dict[str, Any]], size: int) -> float:
    """Add the gradients of a step's mean loss a trained token; `size` rows a batch."""
    trained = sum(sum(row["trained"]) for row in rows)
    total = 0.0
    for start in range(0, len(rows), size):
        batch = batch_of(rows[start : start + size])
        loss = model(**batch, num_items_in_batch=trained, use_cache=False).loss
        loss.backward()
        total += loss.item()
    return total


def main() -> None:
    """Do the task."""
    given = read_arguments(__doc__)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    task = given.task
    rows = read_rows(task.tokens)
    model = load(task).train()
    began = time.perf_counter()
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=task.rate, weight_decay=0.0)
    losses = []
    size = 1 if given.mode == "accum" else task.rows_per_step
    for step in range(task.steps):
        own = rows[step * task.rows_per_step : (step + 1) * task.rows_per_step]
        losses.append(backward(model, own, size))
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
    wall = time.perf_counter() - began
    write_figures(
        given.folder,
        wall_train=wall,
        peak_gib=peak_gib(),
        steps=len(losses),
        loss_first=losses[0],
        loss_last=losses[-1],
        losses=losses,
    )
    model.save_pretrained(given.result)


if __name__ == "__main__":
    main()
