"""What else must be right on this device, one word each.

nf4          a QLoRA step: a forest gives the gradients that its rows give alone
fp8          the same for a base in FP8 whose inputs are not rounded; and its products, with inputs
             rounded, are those that are emulated on a CPU
generation   greedy text equals that of Transformers' own generate
resume       a run that is killed and continued ends with the same bits; without
             `train.deterministic`, with the same losses to rounding
optimizers   AdamW in 8 bits and in pages moves weights as torch's does, resumed or not
memory       a step that does not fit is repeated in smaller forests, with the same losses
offloading   inputs of layers that wait in main memory: the same bits and a lower peak
waiting      a step is launched without waiting for the device, as `waiting.py` says

Each gives lines, whose `ok` says whether it is right.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from benchmarks.gpu.exact import alone, by_forest, distance, rows_of_a_tree
from benchmarks.gpu.offloading import offloading
from benchmarks.gpu.part import Part, line, read_part, what_failed
from benchmarks.gpu.training import (
    SIZES,
    Training,
    absent_packages,
    apart,
    digest,
    losses,
    peak,
    write_base,
    write_rows,
)
from benchmarks.gpu.waiting import waiting
from tunesmith.base import locate_base
from tunesmith.generate.sample import generate
from tunesmith.models.adapters import lora
from tunesmith.models.attention import enable_forest
from tunesmith.models.fp8 import Fp8Linear, inputs_unrounded
from tunesmith.models.load import load_model
from tunesmith.recipe.sections import Quantize, Train
from tunesmith.train.optimizer import NamedOptimizer

Lines = list[dict[str, Any]]
KILLED = {"TUNESMITH_FAULT": "step:5:kill"}


def nf4(part: Part, folder: Path) -> Lines:
    """A base in 4 bits."""
    if importlib.util.find_spec("bitsandbytes") is None:
        return [{"what": "nf4", "skipped": "bitsandbytes is absent"}]
    return [forest_of(quantised(part, folder, "nf4"), part, "nf4")]


def fp8(part: Part, folder: Path) -> Lines:
    """A base in 8 bits: forests, and the device's product against the emulated one."""
    base = quantised(part, folder, "fp8")
    layer = next(module for module in base.modules() if isinstance(module, Fp8Linear))
    plain = copy.deepcopy(layer).cpu()
    generator = torch.Generator().manual_seed(0)
    draw = [torch.randn(300, size, generator=generator).bfloat16() for size in layer.weight.T.shape]
    off = []
    for own, wanted in zip(products(layer, *draw), products(plain, *draw), strict=True):
        off.append(float((own - wanted).norm() / wanted.norm()))
    product = {"what": "fp8 product", "ok": max(off) <= 1e-2}
    product |= {"forward, distance": off[0], "gradient, distance": off[1]}
    with inputs_unrounded(base):
        return [product, forest_of(base, part, "fp8")]


def products(layer: Fp8Linear, inputs: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """A layer's output and its gradient by the input, in fp32 on the CPU."""
    device = layer.weight.device
    leaf = inputs.to(device).requires_grad_()
    made = layer(leaf)
    (gradient,) = torch.autograd.grad(made, leaf, slope.to(device))
    return made.detach().float().cpu(), gradient.float().cpu()


def quantised(part: Part, folder: Path, kind: Quantize) -> nn.Module:
    """The base, in the precision that the device is fast in."""
    dtype = "bf16" if part.device == "cuda" else "fp32"
    return load_model(locate_base(str(folder)), device=part.device, dtype=dtype, quantize=kind)


def forest_of(base: nn.Module, part: Part, what: str) -> dict[str, Any]:
    """Loss and gradients of a LoRA by a forest, against its rows alone."""
    model = lora.attach(base, lora.Config(rank=8))
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.05)
    rows = rows_of_a_tree(1)
    alone_loss, own = alone(model, rows)
    support = enable_forest(model)
    loss, found = by_forest(model, rows, support)
    off = distance(found, own)
    limit = 3e-2 if part.device == "cuda" else 1e-4
    ok = support.supported and off <= limit and abs(loss - alone_loss) <= limit * abs(alone_loss)
    shown = {"loss, alone": alone_loss, "loss, forest": loss, "distance": off}
    return {"what": f"{what} forest", "ok": ok, **shown}


def generation(part: Part, folder: Path) -> Lines:
    """Prompts of unequal lengths."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).to(part.device).eval()
    generator = torch.Generator().manual_seed(0)
    prompts = [
        torch.randint(3, 1003, (size,), generator=generator).tolist() for size in (5, 17, 40, 9)
    ]
    count = 8 if part.tiny else 48
    found = generate(model, prompts, stop_ids=(2,), max_new_tokens=count)
    same = 0
    for prompt, own in zip(prompts, found, strict=True):
        ids = torch.tensor([prompt], device=part.device)
        wanted = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, do_sample=False,
            eos_token_id=2, pad_token_id=0,
        )  # fmt: skip
        same += wanted[0, len(prompt) :].tolist() == own
    return [{"what": "generation", "ok": same == len(prompts), "same": same, "of": len(prompts)}]


def resume(part: Part, folder: Path) -> Lines:
    """Killed after a third of the steps, by the program's own fault point."""
    absent = absent_packages()
    if absent:
        return [{"what": "resume", "skipped": f"{absent} absent"}]
    data = write_rows(folder, length=1, count=24)
    settings = ("train.rows_per_step=4", "train.save_every=2", "base.precision=fp32")
    settings += ("train.steps=6" if part.tiny else "train.steps=12",)
    task = training(part, folder, data, settings)
    unbroken, killed = task.train("unbroken"), task.train("killed", KILLED)
    lines: Lines = [{"what": "resume, deterministic", "ok": digest(unbroken) == digest(killed)}]
    free = replace(task, settings=(*task.settings, "train.deterministic=false"))
    off = apart(losses(free.train("free", KILLED)), losses(unbroken))
    return [*lines, {"what": "resume, to rounding", "ok": off <= 1e-3, "loss, distance": off}]


def memory(part: Part, folder: Path) -> Lines:
    """Half as much room as the chosen forests need."""
    absent = absent_packages()
    if absent:
        return [{"what": "memory", "skipped": f"{absent} absent"}]
    tokens = 4096 if part.tiny or part.device == "cpu" else 16384
    data = write_rows(folder, length=40, count=tokens // 128)
    settings = (f"train.rows_per_step={tokens // 256}", "train.steps=3", "base.precision=fp32")
    settings += ("train.recompute_layers=0",)
    task = training(part, folder, data, settings)
    whole = task.squeezed("whole", tokens)
    half = task.squeezed("half", tokens // 2)
    if part.device == "cuda":
        most = (peak(whole) + peak(half)) // 2
    else:  # one tensor of a whole forest's hidden states is a quarter too large
        most = tokens * SIZES["hidden_size"] * 4 * 3 // 4
    squeezed = task.squeezed("squeezed", tokens, most)
    events = (squeezed / "events.jsonl").read_text().splitlines()
    halved = [event for event in map(json.loads, events) if event["kind"] == "forest_halved"]
    off = apart(losses(squeezed), losses(whole))
    ok = bool(halved) and off <= 1e-4
    room = halved[-1]["tokens_per_forest"] if halved else tokens
    return [{"what": "memory", "ok": ok, "tokens": tokens, "halved to": room,
             "bytes": most, "loss, distance": off}]  # fmt: skip


def training(part: Part, folder: Path, data: Path, settings: tuple[str, ...]) -> Training:
    """Runs of the small base."""
    return Training(
        device=part.device,
        folder=folder,
        base=str(folder),
        data=str(data),
        settings=("data.held_out=0", *settings),
    )


def optimizers(part: Part, folder: Path) -> Lines:
    """Five steps of each kind, then three more from a state that was saved and put back."""
    if importlib.util.find_spec("bitsandbytes") is None:
        return [{"what": "optimizers", "skipped": "bitsandbytes is absent"}]
    exact, _ = weights_after("adamw", part.device)
    lines: Lines = []
    for kind in ("adamw", "paged_adamw", "adamw8bit", "paged_adamw8bit"):
        unbroken, resumed = weights_after(kind, part.device)
        off = float((unbroken - exact).norm() / exact.norm())
        ok = torch.equal(unbroken, resumed) and off <= (1e-5 if "8bit" not in kind else 2e-2)
        lines.append({"what": f"optimizer {kind}", "ok": ok, "distance": off})
    return lines


def weights_after(kind: str, device: str) -> tuple[Tensor, Tensor]:
    """A weight large enough for pages after eight steps, unbroken and resumed after five."""
    settings = Train.model_validate({"optimizer": kind, "learning_rate": 1e-2})

    def begin() -> tuple[nn.Parameter, NamedOptimizer]:
        draw = torch.randn(512, 512, generator=torch.Generator().manual_seed(0))
        weight = nn.Parameter(draw.to(device))
        return weight, NamedOptimizer([("weight", weight)], settings)

    def steps(weight: nn.Parameter, optimizer: NamedOptimizer, these: range) -> None:
        for step in these:
            draw = torch.randn(512, 512, generator=torch.Generator().manual_seed(step))
            weight.grad = draw.to(device)
            optimizer.step(1e-2)

    with warnings.catch_warnings():
        # A CPU has no pages: there the paged kinds are shown to be the others.
        warnings.filterwarnings("ignore", "Paged optimizers are not supported on CPU")
        unbroken, first = begin()
        steps(unbroken, first, range(1, 6))
        resumed, second = begin()
        resumed.data.copy_(unbroken.data)
        second.load_state(copy.deepcopy(first.state()))
        for weight, optimizer in ((unbroken, first), (resumed, second)):
            steps(weight, optimizer, range(6, 9))
    return unbroken.detach().cpu(), resumed.detach().cpu()


EVERY = {
    "nf4": nf4,
    "fp8": fp8,
    "generation": generation,
    "resume": resume,
    "memory": memory,
    "offloading": offloading,
    "optimizers": optimizers,
    "waiting": waiting,
}


def main() -> None:
    """Do what is named."""
    part = read_part(__doc__)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_base(folder)
        for word in part.words:
            try:
                for found in EVERY[word](part, folder):
                    line(**found)
            except Exception as error:  # said in the table, like any other result
                line(what=word, ok=False, note=what_failed(error))


if __name__ == "__main__":
    main()
