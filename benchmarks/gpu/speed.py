"""Training speed and memory of one model shape with random weights, beside the peers.

    tunesmith, tunesmith-unshared   forests of at most 8,192 tokens
    tunesmith-fp8, tunesmith-nf4    the same with a base in 8 or 4 bits; only with LoRA
    transformers                    Transformers (with PEFT for LoRA), padded micro-batches of 8
    trl-liger                       TRL's SFTTrainer with Liger's kernels

A step has 16 rows of 384 to 1,024 tokens with 256 in common at the beginning; the second half
of each is trained. Base weights are bf16; what is trained is fp32 and multiplied in bf16.
Tokens are those of the rows, once a row. The first steps warm up. `share` is that of the
device's rate of matrix products which the step uses; see `rate`.
"""

from __future__ import annotations

import copy
import gc
import importlib.util
import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    PretrainedConfig,
    PreTrainedModel,
    Qwen3Config,
)

from benchmarks.gpu.part import Part, line, read_part, what_failed
from benchmarks.gpu.rate import product_rate, synchronize
from benchmarks.limit import operations, shapes_of, work_of_rows
from benchmarks.task import peak_gib
from tunesmith.contracts import Scores, TokenRow
from tunesmith.data.forest import Forest, Packing
from tunesmith.errors import Place
from tunesmith.methods import sft
from tunesmith.models.adapters import full, lora
from tunesmith.models.attention import enable_forest
from tunesmith.models.fp8 import keep_in_fp8
from tunesmith.models.nf4 import keep_gradients_right
from tunesmith.models.score import forest_scores
from tunesmith.recipe.sections import Quantize
from tunesmith.train.objective import Objective

RANK = 16
ROWS, LONGEST, COMMON, SMALLEST_BATCH = 16, 1024, 256, 8
SHAPES = {
    "llama-1b": LlamaConfig(
        vocab_size=128256, hidden_size=2048, num_hidden_layers=16, num_attention_heads=32,
        num_key_value_heads=8, intermediate_size=8192, tie_word_embeddings=True,
        max_position_embeddings=8192,
    ),
    "llama-8b": LlamaConfig(
        vocab_size=128256, hidden_size=4096, num_hidden_layers=32, num_attention_heads=32,
        num_key_value_heads=8, intermediate_size=14336, max_position_embeddings=8192,
    ),
    "qwen3-1.7b": Qwen3Config(
        vocab_size=151936, hidden_size=2048, num_hidden_layers=28, num_attention_heads=16,
        num_key_value_heads=8, head_dim=128, intermediate_size=6144, tie_word_embeddings=True,
        max_position_embeddings=8192,
    ),
    "qwen3-8b": Qwen3Config(
        vocab_size=151936, hidden_size=4096, num_hidden_layers=36, num_attention_heads=32,
        num_key_value_heads=8, head_dim=128, intermediate_size=12288, max_position_embeddings=8192,
    ),
}  # fmt: skip
Step = Callable[[], float]
"""Does one, and gives its loss."""
SHARING = ("tunesmith", "tunesmith-fp8", "tunesmith-nf4")
_TINY = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 515}
_TINY |= {"num_key_value_heads": 2, "intermediate_size": 96}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is measured."""

    config: PretrainedConfig
    adapter: str
    device: str
    rows: list[TokenRow]
    warm: int
    timed: int

    @property
    def tokens(self) -> int:
        """Of a step."""
        return sum(row.ids_T.size for row in self.rows)


def case_of(part: Part) -> Case:
    """The model and the rows; small ones where the part is tiny."""
    shape, adapter = part.words
    config = SHAPES[shape]
    if part.tiny:
        config = type(config)(**_TINY, head_dim=16, max_position_embeddings=1024)
    scale = 8 if part.tiny else 1
    random = np.random.default_rng(0)
    common = random.integers(3, config.vocab_size, COMMON // scale)
    rows = []
    for _ in range(4 if part.tiny else ROWS):
        size = int(random.integers(384 // scale, LONGEST // scale + 1))
        own = random.integers(3, config.vocab_size, size - common.size)
        ids = np.concatenate([common, own]).astype(np.int32)
        weights = (np.arange(size) >= size // 2).astype(np.float32)
        rows.append(TokenRow(ids_T=ids, weights_T=weights, place=Place(file="rows"), digest=""))
    warm, timed = (1, 1) if part.tiny else (2, 5)
    return Case(
        config=config, adapter=adapter, device=part.device, rows=rows, warm=warm, timed=timed
    )


def base_of(case: Case) -> PreTrainedModel:
    """Random weights, made where they are needed."""
    torch.manual_seed(0)
    with torch.device(case.device):
        # A copy: what a contestant chooses stays in the model's own configuration.
        config = copy.deepcopy(case.config)
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.config.dtype = torch.bfloat16
    return model.requires_grad_(False).eval()


def bytes_needed(case: Case) -> float:
    """Least memory of weights, gradients and AdamW's state, without activations."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(case.config)
    weights = sum(weight.numel() for weight in model.parameters())
    return 16.0 * weights if case.adapter == "full" else 2.0 * weights


def tunesmith_step(case: Case, *, share: bool, quantize: Quantize = "none") -> Step:
    """A training step of the product, by the parts that its loop is made of."""
    kind = full if case.adapter == "full" else lora
    config = full.Config() if case.adapter == "full" else lora.Config(rank=RANK)
    model = kind.attach(quantised(base_of(case), case.device, quantize), config)
    support = enable_forest(model)

    def scores(forest: Forest) -> Scores:
        return forest_scores(model, forest, support=support)

    packing = packing_of(share=share)
    objective = Objective(
        model=model,
        scores=scores,
        method=sft,
        config=sft.Config(),
        packing=support.fit(packing),
        seed=0,
    )

    def backward() -> float:
        return objective.backward(objective.prepare(1, case.rows)).read()

    return stepping(model, backward, case)


def packing_of(*, share: bool) -> Packing:
    """How the product packs the rows of a step."""
    return Packing(tokens_per_forest=SMALLEST_BATCH * LONGEST, share=share)


def quantised(model: PreTrainedModel, device: str, quantize: Quantize) -> nn.Module:
    """The model as loading it would have left it."""
    if quantize == "fp8":
        keep_in_fp8(model, torch.device(device))
    elif quantize == "nf4":
        keep_in_nf4(model)
    return model


def keep_in_nf4(model: PreTrainedModel) -> None:
    """Put bitsandbytes' layers, set as by `nf4_options`, in the place of all but the head."""
    from bitsandbytes.nn import Linear4bit, Params4bit

    head = model.get_output_embeddings()
    for name, layer in list(model.named_modules()):
        if type(layer) is not nn.Linear or layer is head:
            continue
        made = Linear4bit(
            layer.in_features, layer.out_features, bias=layer.bias is not None,
            compute_dtype=torch.bfloat16, compress_statistics=True, quant_type="nf4",
            device="meta",
        )  # fmt: skip
        where = layer.weight.device
        made.weight = Params4bit(
            layer.weight.data.cpu(), requires_grad=False, compress_statistics=True,
            quant_type="nf4", module=made,
        ).to(where)  # fmt: skip
        made.bias = layer.bias
        model.set_submodule(name, made)
    keep_gradients_right(model)


def plain_step(case: Case) -> Step:
    """A training step of Transformers and PEFT, padded micro-batches."""
    model = base_of(case)
    if case.adapter == "full":
        model.float().requires_grad_(True)
    else:
        targets = LoraConfig(
            task_type="CAUSAL_LM", r=RANK, lora_alpha=2 * RANK, target_modules="all-linear"
        )
        model = get_peft_model(model, targets)
    return stepping(model, padded_backward(model, case), case)


def padded_backward(model: nn.Module, case: Case) -> Step:
    """The gradients of a step by padded micro-batches, through the model's own loss."""
    labelled = int(sum(row.weights_T.sum() for row in case.rows))
    parts = [
        case.rows[start : start + SMALLEST_BATCH]
        for start in range(0, len(case.rows), SMALLEST_BATCH)
    ]

    def backward() -> float:
        total = 0.0
        for rows in parts:
            with torch.autocast(case.device, torch.bfloat16, enabled=case.adapter == "full"):
                batch = padded(rows, case.device)
                loss = model(**batch, num_items_in_batch=labelled, use_cache=False).loss
            loss.backward()
            total += loss.item()
        return total

    return backward


def padded(rows: list[TokenRow], device: str) -> dict[str, torch.Tensor]:
    """Rows as Transformers takes them."""
    shape = (len(rows), max(row.ids_T.size for row in rows))
    ids, mask = (torch.zeros(shape, dtype=torch.long) for _ in range(2))
    labels = torch.full(shape, -100)
    for place, row in enumerate(rows):
        own = torch.from_numpy(row.ids_T).long()
        ids[place, : own.numel()] = own
        mask[place, : own.numel()] = 1
        trained = torch.from_numpy(row.weights_T) > 0
        labels[place, : own.numel()] = torch.where(trained, own, -100)
    batch = {"input_ids": ids, "attention_mask": mask, "labels": labels}
    return {name: value.to(device) for name, value in batch.items()}


def stepping(model: nn.Module, backward: Step, case: Case) -> Step:
    """Gradients, clipping and AdamW; the loss."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=1e-5, fused=case.device == "cuda")

    def step() -> float:
        loss = backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return loss

    return step


def trl_seconds(case: Case) -> float:
    """Seconds a step of TRL's trainer with Liger."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    steps = case.warm + case.timed
    rows = [
        {
            "input_ids": row.ids_T.tolist(),
            "labels": np.where(row.weights_T > 0, row.ids_T, -100).tolist(),
        }
        for row in case.rows
    ]
    model = base_of(case)
    targets = LoraConfig(
        task_type="CAUSAL_LM", r=RANK, lora_alpha=2 * RANK, target_modules="all-linear"
    )
    if case.adapter == "full":
        model.float().requires_grad_(True)
    with tempfile.TemporaryDirectory() as folder:
        options = SFTConfig(
            output_dir=folder, max_steps=steps, per_device_train_batch_size=SMALLEST_BATCH,
            gradient_accumulation_steps=len(rows) // SMALLEST_BATCH, learning_rate=1e-5, bf16=True,
            gradient_checkpointing=False, use_liger_kernel=True, max_length=LONGEST,
            logging_strategy="no", save_strategy="no", report_to=[], disable_tqdm=True,
        )  # fmt: skip
        trainer = SFTTrainer(
            model=model,
            args=options,
            train_dataset=Dataset.from_list(rows),
            peft_config=targets if case.adapter == "lora" else None,
        )
        began = time.perf_counter()
        trainer.train()
        synchronize(case.device)
    # The warm-up counts: the trainer gives no chance to leave it out.
    return (time.perf_counter() - began) / steps


def measure(name: str, case: Case, seconds_of: Callable[[], tuple[float, float | None]]) -> None:
    """Print the figures of a contestant, or why there are none."""
    gc.collect()
    if case.device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    shown = {"model": case.config.model_type, "trained": case.adapter, "contestant": name}
    try:
        seconds, loss = seconds_of()
    except torch.cuda.OutOfMemoryError:
        line(**shown, note="out of memory")
        return
    except Exception as error:  # the other contestants are measured all the same
        line(**shown, ok=False, note=what_failed(error))
        return
    on_gpu = case.device == "cuda"
    memory = torch.cuda.max_memory_allocated() / 2**30 if on_gpu else peak_gib()
    finite = loss is None or math.isfinite(loss)
    work = work_of_rows(case.rows, packing_of(share=name in SHARING))
    done = operations(shapes_of(case.config), work, case.adapter)
    line(
        **shown,
        ok=finite,
        tokens_per_s=case.tokens / seconds,
        seconds_a_step=seconds,
        share=done / seconds / product_rate(case.device),
        gib=memory,
        loss=loss,
    )


def timed(case: Case, make: Callable[[], Step]) -> tuple[float, float]:
    """Seconds of a step after warming up, and the first loss."""
    step = make()
    if case.device == "cuda":  # weights that were rounded since do not count
        torch.cuda.reset_peak_memory_stats()
    first = [step() for _ in range(case.warm)][0]
    synchronize(case.device)
    began = time.perf_counter()
    for _ in range(case.timed):
        step()
    synchronize(case.device)
    return (time.perf_counter() - began) / case.timed, first


def main() -> None:
    """Measure one shape with one adapter."""
    part = read_part(__doc__)
    case = case_of(part)
    if case.device == "cuda":
        free, _ = torch.cuda.mem_get_info()
        needed = bytes_needed(case)
        if needed > 0.95 * free:
            line(
                trained=case.adapter,
                skipped=f"needs {needed / 2**30:.0f} GiB before activations, "
                f"{free / 2**30:.0f} GiB are free",
            )
            return

    def ours(name: str, quantize: Quantize = "none") -> None:
        def make() -> Step:
            return tunesmith_step(case, share=name in SHARING, quantize=quantize)

        measure(name, case, lambda: timed(case, make))

    ours("tunesmith")
    ours("tunesmith-unshared")
    if case.adapter == "lora":
        ours("tunesmith-fp8", "fp8")
    if case.adapter == "lora" and importlib.util.find_spec("bitsandbytes") is not None:
        ours("tunesmith-nf4", "nf4")
    measure("transformers", case, lambda: timed(case, lambda: plain_step(case)))
    absent = [
        name
        for name in ("trl", "datasets", "liger_kernel")
        if importlib.util.find_spec(name) is None
    ]
    if absent or case.device != "cuda":
        line(contestant="trl-liger", skipped=f"absent: {', '.join(absent) or 'a GPU'}")
    else:
        measure("trl-liger", case, lambda: (trl_seconds(case), None))


if __name__ == "__main__":
    main()
