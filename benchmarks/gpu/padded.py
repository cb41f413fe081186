"""Transformers and PEFT as one writes the loop by hand, at its best: no recomputation.

The rows of a step are sorted by length and padded in batches as large as the tokens that may be
computed at once. The weights that are trained are in fp32 and multiplied in bf16 (autocast), as
Transformers' own trainer does it; `transformers-bf16` trains LoRA's in bf16, which is faster and
rounds every update.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn

from benchmarks.gpu.ours import keep_in_nf4
from benchmarks.gpu.race import RATES, Ready, Tell
from benchmarks.gpu.shapes import RANK, Case, base_of, put_start, trained_weights
from tunesmith.contracts import TokenRow

# Legend: B rows of a batch, T tokens of the longest.


def lora_config() -> LoraConfig:
    """The adapter of every contestant."""
    return LoraConfig(
        task_type="CAUSAL_LM", r=RANK, lora_alpha=2 * RANK, target_modules="all-linear"
    )


def transformers(case: Case, *, nf4: bool = False, in_bf16: bool = False) -> Ready:
    """The model, padded batches, torch's fused AdamW."""
    model = base_of(case)
    if case.adapter == "full":
        tuned: nn.Module = model.float().requires_grad_(True)
    else:
        if nf4:
            keep_in_nf4(model, case.dtype)
        tuned = get_peft_model(model, lora_config(), autocast_adapter_dtype=not in_bf16)
    return padded_steps(tuned, case)


def padded_steps(model: nn.Module, case: Case) -> Ready:
    """The steps of any model that computes its own loss."""

    def steps(rows: Sequence[Sequence[TokenRow]], room: int, tell: Tell) -> None:
        put_start(model, case)
        weights = [weight for _, weight in trained_weights(model)]
        fused = case.device == "cuda"
        optimizer = torch.optim.AdamW(
            weights, lr=RATES[case.adapter], weight_decay=0.0, fused=fused
        )
        for step in rows:
            optimizer.zero_grad()
            loss = gradients(model, case, step, room)
            nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            tell(loss, sum(row.ids_T.size for row in step))

    return Ready(steps=steps)


def gradients(model: nn.Module, case: Case, rows: Sequence[TokenRow], room: int) -> Tensor:
    """Of a step's mean loss a trained token, by padded batches; the loss."""
    labelled = int(sum(row.weights_T[1:].sum() for row in rows))
    total = torch.zeros((), device=case.device)
    for batch in batches(rows, room):
        with torch.autocast(case.device, torch.bfloat16, enabled=case.dtype == torch.bfloat16):
            made = padded(batch, case.device)
            loss = model(**made, num_items_in_batch=labelled, use_cache=False).loss
        loss.backward()
        total += loss.detach()
    return total


def batches(rows: Sequence[TokenRow], room: int) -> list[list[TokenRow]]:
    """The rows by length, in as few batches as have room when they are padded."""
    found: list[list[TokenRow]] = []
    for row in sorted(rows, key=lambda row: -row.ids_T.size):
        if found and found[-1][0].ids_T.size * (len(found[-1]) + 1) <= room:
            found[-1].append(row)
        else:
            found.append([row])
    return found


def padded(rows: Sequence[TokenRow], device: str) -> dict[str, Tensor]:
    """Rows as Transformers takes them."""
    shape = (len(rows), max(row.ids_T.size for row in rows))
    ids_BT, mask_BT = (torch.zeros(shape, dtype=torch.long) for _ in range(2))
    labels_BT = torch.full(shape, -100)
    for place, row in enumerate(rows):
        own = torch.from_numpy(row.ids_T).long()
        ids_BT[place, : own.numel()] = own
        mask_BT[place, : own.numel()] = 1
        trained = torch.from_numpy(row.weights_T) > 0
        labels_BT[place, : own.numel()] = torch.where(trained, own, -100)
    batch = {"input_ids": ids_BT, "attention_mask": mask_BT, "labels": labels_BT}
    if device != "cuda":
        return batch
    pinned = {name: value.pin_memory() for name, value in batch.items()}
    return {name: value.to(device, non_blocking=True) for name, value in pinned.items()}
