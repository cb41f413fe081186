"""The product's training steps, by the parts that its loop is made of.

A step is laid out while the device computes the one before, and loss and norm are read once, as
`tunesmith.train.loop` does it. Operations may add up in any order, as with
`train.deterministic: false`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn
from transformers import PreTrainedModel

from benchmarks.gpu.race import RATES, Ready, Tell, room_of
from benchmarks.gpu.shapes import RANK, Case, base_of, put_start, trained_weights
from tunesmith.contracts import Scores, TokenRow
from tunesmith.data.forest import Forest, Packing
from tunesmith.methods import sft
from tunesmith.models.adapters import full, lora
from tunesmith.models.attention import enable_forest
from tunesmith.models.fp8 import keep_in_fp8
from tunesmith.models.nf4 import keep_gradients_right
from tunesmith.models.output.choice import choose_way
from tunesmith.models.output.logprobs import use_way
from tunesmith.models.score import forest_scores
from tunesmith.recipe import Train
from tunesmith.recipe.sections import Quantize
from tunesmith.train.objective import Objective
from tunesmith.train.optimizer import NamedOptimizer

SETTINGS = Train(learning_rate=1.0, weight_decay=0.0)
"""The rate is that of each step."""


def product(
    case: Case, *, share: bool = True, quantize: Quantize = "none", fused: bool = True
) -> Ready:
    """The model as `tunesmith train` would have it, and its steps.

    Args:
        case: the model.
        share: as `train.share_prefixes`.
        quantize: as `base.quantize`.
        fused: whether layers may be replaced by those that are fused.
    """
    kind = full if case.adapter == "full" else lora
    config = full.Config() if case.adapter == "full" else lora.Config(rank=RANK)
    model = kind.attach(quantised(base_of(case), case, quantize), config)
    support = enable_forest(model, fuse=fused)
    head = chosen_head(model, case)

    def scores(forest: Forest) -> Scores:
        return forest_scores(model, forest, support=support)

    objective = Objective(
        model=model,
        scores=scores,
        method=sft,
        config=sft.Config(),
        packing=support.fit(Packing(tokens_per_forest=8, share=share)),
        seed=0,
    )

    def steps(rows: Sequence[Sequence[TokenRow]], room: int, tell: Tell) -> None:
        put_start(model, case)
        packing = replace(objective.packing, tokens_per_forest=room)
        _train(replace(objective, packing=packing), rows, RATES[case.adapter], tell)

    return Ready(steps=steps, note=support.reason + head)


def chosen_head(model: nn.Module, case: Case) -> str:
    """On a GPU the head is computed in the way that measures fastest, as in a run."""
    if case.device != "cuda":
        return ""
    choice = choose_way(model, room_of(case) // 2, repeatable=False)
    use_way(model, choice.way)
    return f"; head: {choice.way}"


def _train(
    objective: Objective, rows: Sequence[Sequence[TokenRow]], rate: float, tell: Tell
) -> None:
    optimizer = NamedOptimizer(trained_weights(objective.model), SETTINGS)
    prepared = objective.prepare(1, rows[0])
    for number in range(len(rows)):
        there = objective.backward(prepared)
        norm = optimizer.clip(SETTINGS.max_gradient_norm)
        tokens = prepared.count.tokens
        if number + 1 < len(rows):
            prepared = objective.prepare(number + 2, rows[number + 1])
        loss, _ = there.read_with(norm)
        optimizer.step(rate)
        tell(loss, tokens)


def quantised(model: PreTrainedModel, case: Case, quantize: Quantize) -> nn.Module:
    """The model as loading it would have left it."""
    if quantize == "fp8":
        keep_in_fp8(model, torch.device(case.device))
    elif quantize == "nf4":
        keep_in_nf4(model, case.dtype)
        keep_gradients_right(model)
    return model


def keep_in_nf4(model: PreTrainedModel, dtype: torch.dtype) -> None:
    """Put bitsandbytes' layers, set as by `nf4_options`, in the place of all but the head.

    So Transformers loads them, too; but then it reads a folder, which would have to be written.
    """
    from bitsandbytes.nn import Linear4bit, Params4bit

    head = model.get_output_embeddings()
    for name, layer in list(model.named_modules()):
        if type(layer) is not nn.Linear or layer is head:
            continue
        made = Linear4bit(
            layer.in_features, layer.out_features, bias=layer.bias is not None,
            compute_dtype=dtype, compress_statistics=True, quant_type="nf4", device="meta",
        )  # fmt: skip
        made.weight = Params4bit(
            layer.weight.data, requires_grad=False, compress_statistics=True,
            quant_type="nf4", module=made,
        ).to(layer.weight.device)  # fmt: skip
        made.bias = layer.bias
        model.set_submodule(name, made)
    # PEFT asks for this before it chooses its layers for 4 bits.
    model.is_loaded_in_4bit = True
