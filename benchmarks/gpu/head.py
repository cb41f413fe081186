"""The output head at the sizes of real models: which ways are right here, and how fast they are.

Heads of Llama 8B and 1B, Qwen3 8B and Gemma 2 (soft-capped), frozen in bf16 and trained in fp32
under autocast, with random weights, for 4,096 trained tokens. Every way of `models/heads` is
compared with fp64 and, where it is right, timed, as a run does when it begins
(`tunesmith.models.output.choice`). Right must be the way that is taken where nothing is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import nn
from transformers import AutoModelForCausalLM, Gemma2Config, LlamaConfig, PretrainedConfig

from benchmarks.gpu.part import Part, line, read_part, what_failed
from tunesmith.models.output.choice import choose_way, on_cuda

TOKENS = 4096
DEFAULT = "chunked"
LAYER = {
    "num_hidden_layers": 1, "num_attention_heads": 8, "num_key_value_heads": 1, "head_dim": 64,
    "intermediate_size": 64,
}  # fmt: skip
HEADS: dict[str, PretrainedConfig] = {
    "llama-8b": LlamaConfig(**LAYER, vocab_size=128256, hidden_size=4096),
    "llama-1b": LlamaConfig(
        **LAYER, vocab_size=128256, hidden_size=2048, tie_word_embeddings=True
    ),
    "qwen3-8b": LlamaConfig(**LAYER, vocab_size=151936, hidden_size=4096),
    "gemma2-2b": Gemma2Config(**LAYER, vocab_size=256000, hidden_size=2304),
}  # fmt: skip
TINY: dict[str, PretrainedConfig] = {
    "llama": LlamaConfig(**LAYER, vocab_size=515, hidden_size=64),
    "gemma2": Gemma2Config(**LAYER, vocab_size=515, hidden_size=64),
}


def heads(part: Part) -> list[dict[str, object]]:
    """A line for each head, frozen and trained, and each way."""
    found: list[dict[str, object]] = []
    for name, config in (TINY if part.tiny else HEADS).items():
        if part.words and name not in part.words:
            continue
        for kind in ("frozen", "trained"):
            lines = measured(f"{name} {kind}", model_of(config, part.device, kind), part)
            found += lines
            if part.device == "cuda":
                torch.cuda.empty_cache()
    return found


def model_of(config: PretrainedConfig, device: str, kind: str) -> nn.Module:
    """One layer between a real embedding and a real head."""
    config.dtype = torch.bfloat16
    torch.manual_seed(0)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    # Weights that are trained are kept in fp32, and multiplied in bf16 by autocast.
    model = model.requires_grad_(kind == "trained")
    return model.float() if kind == "trained" else model


def measured(name: str, model: nn.Module, part: Part) -> list[dict[str, object]]:
    """What every way took; of those that do not run, why."""
    choice = choose_way(
        model,
        40 if part.tiny else TOKENS,
        repeatable=False,
        stopwatch=on_cuda if part.device == "cuda" else on_cpu,
    )
    lines: list[dict[str, object]] = []
    for timing in choice.timings:
        made: dict[str, object] = {"what": "head", "head": name, "way": timing.way}
        if timing.ran:
            made |= {"ms": timing.milliseconds, "peak MiB": (timing.peak_bytes or 0) / 2**20}
            made |= {"chosen": timing.way == choice.way}
        else:
            made |= {"note": timing.why_not}
        # Other packages may be absent or less exact: then they are not taken, and that is right.
        lines.append({**made, "ok": timing.ran or timing.way != DEFAULT})
    return lines


def on_cpu(work: Callable[[], object]) -> tuple[float, int]:
    """Milliseconds of one call, and no figure of memory."""
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began), 0


def main() -> None:
    """Measure and print."""
    part = read_part(__doc__)
    try:
        for made in heads(part):
            line(**made)
    except Exception as error:  # said in the table, like any other result
        line(what="head", ok=False, note=what_failed(error))


if __name__ == "__main__":
    main()
