"""Unsloth's LoRA on the same models and rows as `speed`; nothing where its package is absent.

It changes other libraries when it is imported and wants to come before them, so it has a process
of its own, which imports when it runs; and it reads its model from a folder: random weights in
the shape, written first. Recomputation is off; batches are padded, sorted by length.
"""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path

from benchmarks.gpu.part import Part, line, read_part

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def measure_unsloth(part: Part, folder: Path) -> None:
    """Training steps as its users write them, on a base in bf16 and in NF4."""
    from unsloth import FastLanguageModel  # isort: skip  before what it changes

    from benchmarks.gpu import race, rows, shapes
    from benchmarks.gpu.padded import padded_steps
    from benchmarks.gpu.training import write_tokenizer

    case = shapes.case_of(part)
    shapes.base_of(case).save_pretrained(folder)
    write_tokenizer(folder)
    sets, _ = rows.row_sets(case)

    def prepare(*, nf4: bool) -> race.Ready:
        model, _ = FastLanguageModel.from_pretrained(
            model_name=str(folder), max_seq_length=rows.LONGEST, dtype=case.dtype,
            load_in_4bit=nf4,
        )  # fmt: skip
        model = FastLanguageModel.get_peft_model(
            model, r=shapes.RANK, lora_alpha=2 * shapes.RANK, lora_dropout=0, bias="none",
            target_modules=TARGETS, use_gradient_checkpointing=False,
        )  # fmt: skip
        return padded_steps(model, case)

    room = race.room_of(case)
    plain = race.Contestant(name="unsloth", prepare=lambda: prepare(nf4=False))
    race.run(plain, case, sets, room)
    if importlib.util.find_spec("bitsandbytes") is not None and part.device == "cuda":
        small = race.Contestant(
            name="unsloth-nf4", prepare=lambda: prepare(nf4=True), base="nf4", kinds=("own",)
        )
        race.run(small, case, sets, room)


def main() -> None:
    """Measure one shape, or say what is absent."""
    part = read_part(__doc__)
    missing = "the package unsloth" if importlib.util.find_spec("unsloth") is None else ""
    missing = missing or ("" if part.device == "cuda" else "a GPU")
    if missing:
        line(contestant="unsloth", skipped=f"absent: {missing}")
        return
    with tempfile.TemporaryDirectory() as scratch:
        measure_unsloth(part, Path(scratch))


if __name__ == "__main__":
    main()
