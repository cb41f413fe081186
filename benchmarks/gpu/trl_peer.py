"""TRL's SFTTrainer, with Liger's kernels where they can run.

    trl-liger           padded batches
    trl-liger-flat      the rows of a batch one after another, without padding
    trl-liger-packed    rows of all steps packed to the most tokens at once (best fit decreasing):
                        its steps have other rows, and as many tokens on average

Without padding the attention must tell the rows apart: FlashAttention where its package is
installed, else FlexAttention; on a CPU scaled-dot-product attention, with a mask. The trainer's
steps are timed from within, so that what comes before the first does not count.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import transformers
from peft import get_peft_model
from torch import Tensor, nn
from torch.utils.data import SequentialSampler

from benchmarks.gpu.padded import lora_config
from benchmarks.gpu.race import RATES, Ready, Tell
from benchmarks.gpu.shapes import Case, base_of, put_start
from benchmarks.gpu.training import write_tokenizer
from tunesmith.contracts import TokenRow

Mode = Literal["padded", "flat", "packed"]


def missing() -> str:
    """What of the packages is absent."""
    names = ("trl", "datasets", "accelerate")
    return ", ".join(name for name in names if importlib.util.find_spec(name) is None)


def has_liger(device: str) -> bool:
    """Whether Liger's kernels are there; they run on a GPU only."""
    return device == "cuda" and importlib.util.find_spec("liger_kernel") is not None


def attention_of(mode: Mode, device: str) -> str:
    """By which the rows of a batch are told apart, where they are not padded."""
    if mode == "padded" or device != "cuda":
        return "sdpa"
    found = importlib.util.find_spec("flash_attn") is not None
    return "flash_attention_2" if found else "flex_attention"


def trl(case: Case, mode: Mode) -> Ready:
    """A trainer for each set of rows, with a model of its own."""
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    logging.disable(logging.WARNING)

    def steps(rows: Sequence[Sequence[TokenRow]], room: int, tell: Tell) -> None:
        # The trainer prints a summary of its own.
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
            _train(case, mode, _Work(rows=rows, room=room, folder=Path(folder)), tell)

    return Ready(steps=steps, note=attention_of(mode, case.device))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    rows: Sequence[Sequence[TokenRow]]
    room: int
    folder: Path


def _train(case: Case, mode: Mode, work: _Work, tell: Tell) -> None:
    from datasets import Dataset, disable_progress_bars
    from transformers import AutoTokenizer, TrainerCallback
    from trl import SFTTrainer

    disable_progress_bars()
    write_tokenizer(work.folder)
    tokens = [sum(row.ids_T.size for row in step) for step in work.rows]
    loss, seen, step = torch.zeros((), device=case.device), 0, 0

    class Watched(SFTTrainer):  # type: ignore[misc]
        """Whose steps are told, on rows in the order in which they are given."""

        def training_step(self, model: nn.Module, inputs: Any, *more: Any, **named: Any) -> Tensor:  # noqa: ANN401
            nonlocal loss, seen
            seen += inputs["input_ids"].numel()
            made: Tensor = super().training_step(model, inputs, *more, **named)
            loss = loss + made
            return made

        def _get_train_sampler(self, *ignored: Any) -> SequentialSampler:  # noqa: ANN401
            return SequentialSampler(self.train_dataset)

    class Told(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *ignored: object, **named: object) -> None:
            nonlocal loss, seen, step
            tell(loss, seen if mode == "packed" else tokens[step])
            loss, seen, step = torch.zeros_like(loss), 0, step + 1

    Watched(
        model=_model(case, mode),
        args=_options(case, mode, work),
        train_dataset=Dataset.from_list(_examples(work.rows)),
        processing_class=AutoTokenizer.from_pretrained(work.folder, local_files_only=True),
        callbacks=[Told()],
    ).train()


def _model(case: Case, mode: Mode) -> nn.Module:
    model = base_of(case)
    model.set_attn_implementation(attention_of(mode, case.device))
    if case.adapter == "full":
        tuned: nn.Module = model.float().requires_grad_(True)
    else:
        tuned = get_peft_model(model, lora_config())
    put_start(tuned, case)
    return tuned


def _options(case: Case, mode: Mode, work: _Work) -> Any:  # noqa: ANN401  an SFTConfig
    from trl import SFTConfig

    each, longest = len(work.rows[0]), max(row.ids_T.size for step in work.rows for row in step)
    fitting = max(1, work.room // longest)
    batch = max(size for size in range(1, fitting + 1) if each % size == 0)
    options: dict[str, Any] = {
        "per_device_train_batch_size": batch,
        "gradient_accumulation_steps": each // batch,
        "max_steps": len(work.rows),
        "max_length": longest,
    }
    if mode == "flat":
        options |= {"padding_free": True, "max_length": None}
    if mode == "packed":
        options |= {"packing": True, "packing_strategy": "bfd", "max_length": work.room}
        options |= {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 1}
    on_gpu = case.device == "cuda"
    return SFTConfig(
        output_dir=str(work.folder / "trainer"), learning_rate=RATES[case.adapter],
        weight_decay=0.0, lr_scheduler_type="constant", warmup_steps=0, max_grad_norm=1.0,
        bf16=case.dtype == torch.bfloat16, gradient_checkpointing=False,
        use_liger_kernel=has_liger(case.device),
        use_cpu=not on_gpu, dataloader_pin_memory=on_gpu, logging_strategy="no",
        save_strategy="no", report_to=[], disable_tqdm=True, **options,
    )  # fmt: skip


def _examples(rows: Sequence[Sequence[TokenRow]]) -> list[dict[str, list[int]]]:
    """Those of a step by length, so that batches are padded little."""
    return [
        {
            "input_ids": row.ids_T.tolist(),
            "labels": np.where(row.weights_T > 0, row.ids_T, -100).tolist(),
        }
        for step in rows
        for row in sorted(step, key=lambda row: -row.ids_T.size)
    ]
