"""Training speed and memory of one model shape with random weights, beside the peers.

    tunesmith               forests of at most 8,192 tokens
    tunesmith-unshared      the same with `train.share_prefixes: false`, where there is one to share
    tunesmith-stock         the same with the layers that the model came with, none fused
    tunesmith-fp8, -nf4     the same with a base in 8 or 4 bits
    transformers            Transformers, with PEFT for LoRA: the reference of the losses
    transformers-bf16       the same with LoRA's weights in bf16
    transformers-nf4        the same with a base in 4 bits
    trl-liger ...           TRL's SFTTrainer with Liger's kernels: padded, flat, packed

A line each for three kinds of rows; see `rows`. Base weights are bf16; what is trained is fp32
and multiplied in bf16. Tokens are those of the rows, once a row, of the steps that are timed.
`share` is that of the device's rate of matrix products which the steps use; see `rate`. The
losses of all steps are printed: `run` lays them over one another.
"""

from __future__ import annotations

import importlib.util

import torch

from benchmarks.gpu import trl_peer
from benchmarks.gpu.ours import product
from benchmarks.gpu.padded import transformers
from benchmarks.gpu.part import line, read_part
from benchmarks.gpu.race import KINDS, Contestant, room_of, run
from benchmarks.gpu.rows import row_sets
from benchmarks.gpu.shapes import Case, bytes_needed, case_of
from tunesmith.recipe.sections import Quantize


def contestants(case: Case) -> list[Contestant]:
    """In the order in which they matter, should the time be up before the last."""
    found = [
        Contestant(name="transformers", prepare=lambda: transformers(case)),
        Contestant(name="tunesmith", prepare=lambda: product(case), shares=True),
        from_trl(case, "flat"),
    ]
    if case.adapter == "lora":
        found.append(on_small_base(case, "fp8"))
    found += [
        Contestant(
            name="tunesmith-unshared",
            prepare=lambda: product(case, share=False),
            kinds=("shared", "bench"),
        ),
        from_trl(case, "packed"),
        Contestant(
            name="tunesmith-stock", prepare=lambda: product(case, fused=False), kinds=("own",)
        ),
    ]
    if case.adapter == "lora":
        found += [
            on_small_base(case, "nf4"),
            Contestant(
                name="transformers-nf4", prepare=lambda: transformers(case, nf4=True), base="nf4"
            ),
            Contestant(name="transformers-bf16", prepare=lambda: transformers(case, in_bf16=True)),
        ]
    return [*found, from_trl(case, "padded")]


def on_small_base(case: Case, quantize: Quantize) -> Contestant:
    """The product on a base in 8 or 4 bits."""
    return Contestant(
        name=f"tunesmith-{quantize}",
        prepare=lambda: product(case, quantize=quantize),
        shares=True,
        base=quantize,
    )


def from_trl(case: Case, mode: trl_peer.Mode) -> Contestant:
    """TRL; its trainer takes its time to begin, so a small part has one kind of rows for it."""
    return Contestant(
        name=("trl-liger" if trl_peer.has_liger(case.device) else "trl") + f"-{mode}",
        prepare=lambda: trl_peer.trl(case, mode),
        kinds=("shared",) if case.tiny else KINDS,
        same_steps=mode != "packed",
    )


def absent(name: str) -> str:
    """What a contestant lacks."""
    if name.startswith("trl"):
        return trl_peer.missing()
    lacks = name.endswith("nf4") and importlib.util.find_spec("bitsandbytes") is None
    return "bitsandbytes" if lacks else ""


def main() -> None:
    """Measure one shape with one adapter."""
    part = read_part(__doc__)
    case = case_of(part)
    shown = {"model": case.shape, "trained": case.adapter}
    if case.device == "cuda":
        free, _ = torch.cuda.mem_get_info()
        needed = bytes_needed(case)
        if needed > 0.95 * free:
            line(
                **shown,
                skipped=f"needs {needed / 2**30:.0f} GiB before activations, "
                f"{free / 2**30:.0f} GiB are free",
            )
            return
    sets, lacking = row_sets(case)
    for rows, why in lacking.items():
        line(**shown, rows=rows, skipped=why)
    for one in contestants(case):
        lacks = absent(one.name)
        if lacks:
            line(**shown, contestant=one.name, skipped=f"absent: {lacks}")
        else:
            run(one, case, sets, room_of(case))


if __name__ == "__main__":
    main()
