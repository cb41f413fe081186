"""Time per token of rows of different lengths: one training step each, of equally many tokens.

    time per token = attention's own term (grows with the row) + the rest (should be flat)

Attention is timed by itself, forward and backward, on random queries, keys and values of the
model's shapes and the same forest, as often as the model has layers; the rest is what remains.
Of several rounds the fastest counts: other work of the machine only ever adds time. With one
thread (OMP_NUM_THREADS=1) it is processor time, to which other work adds little.

    python -m benchmarks.lengths --base models/llama-15m --tokens 4096 --rounds 3
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

from tunesmith import plugins
from tunesmith.base import locate_base
from tunesmith.contracts import Adapter, TokenRow
from tunesmith.data.forest import Forest, Packing, build_forests
from tunesmith.errors import Place
from tunesmith.models.attention import ForestSupport, enable_forest, layout_of
from tunesmith.models.causal import causal_model, vocabulary_of
from tunesmith.models.load import load_model
from tunesmith.models.score import forest_scores
from tunesmith.models.segments import AttentionCall, attend_by_segment

LENGTHS = (256, 512, 1024, 2048, 4096)

# Legend: H heads, G heads of keys and values, S tokens of the forest, D width of a head.


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """What rows of one length take, in microseconds a token."""

    length: int
    tokens: int
    """Tokens that are computed in the step."""
    whole: float
    attention: float

    @property
    def rest(self) -> float:
        """What is not attention's."""
        return self.whole - self.attention


def measure_lengths(
    base: str, lengths: Sequence[int], *, tokens: int, rounds: int
) -> tuple[Length, ...]:
    """Time steps of `tokens` tokens with a LoRA adapter in fp32 on the CPU.

    Args:
        base: folder, or `starter`.
        lengths: tokens of the rows.
        tokens: of a step; as many rows as fit.
        rounds: times that every length is measured, in turn.
    """
    folder = locate_base(base)
    model = load_model(folder, device="cpu", dtype="fp32")
    adapter = cast(Adapter, plugins.load("adapters", "lora"))
    model = adapter.attach(model, adapter.Config())
    support = enable_forest(model)
    forests = {length: _forest(length, tokens, vocabulary_of(model)) for length in lengths}
    _step(model, forests[min(lengths)], support)  # what is set up once
    whole = dict.fromkeys(lengths, float("inf"))
    attention = dict.fromkeys(lengths, float("inf"))
    for _ in range(rounds):
        for length, forest in forests.items():
            whole[length] = min(whole[length], _timed(lambda f=forest: _step(model, f, support)))
            attention[length] = min(attention[length], _attention_time(model, forest))
    return tuple(
        Length(
            length=length,
            tokens=forest.ids_S.size,
            whole=whole[length] / forest.ids_S.size * 1e6,
            attention=attention[length] / forest.ids_S.size * 1e6,
        )
        for length, forest in forests.items()
    )


def _forest(length: int, tokens: int, vocabulary: int) -> Forest:
    """Rows of random tokens, of which the second half is trained."""
    generator = np.random.default_rng(length)
    rows = [
        TokenRow(
            ids_T=generator.integers(1, vocabulary, length, dtype=np.int32),
            weights_T=(np.arange(length) >= length // 2).astype(np.float32),
            place=Place(file=Path("random")),
            digest="",
        )
        for _ in range(max(1, tokens // length))
    ]
    (forest,) = build_forests(list(enumerate(rows)), Packing(tokens_per_forest=2**40))
    return forest


def _step(model: nn.Module, forest: Forest, support: ForestSupport) -> None:
    model.zero_grad()
    scores = forest_scores(model, forest, support=support)
    (-(scores.logprobs_N * scores.weights_N).sum() / forest.target_ids_N.size).backward()


def _attention_time(model: nn.Module, forest: Forest) -> float:
    """Seconds of the attention of all layers, forward and backward."""
    config = causal_model(model).config.get_text_config()
    heads, size = config.num_attention_heads, forest.ids_S.size
    width = config.to_dict().get("head_dim") or config.hidden_size // heads
    call = AttentionCall(scale=width**-0.5, dropout=0.0, window=None, cap=None)
    query_HSD, key_GSD, value_GSD = (
        torch.randn(1, count, size, width, requires_grad=True)
        for count in (heads, config.num_key_value_heads, config.num_key_value_heads)
    )
    layout = layout_of(
        forest.positions_S, forest.subtree_end_S, device=torch.device("cpu"), flexible=False
    )
    slope_SHD = torch.randn(1, size, heads, width)

    def layers() -> None:
        for _ in range(config.num_hidden_layers):
            attend_by_segment(query_HSD, key_GSD, value_GSD, layout, call).backward(slope_SHD)

    return _timed(layers)


def _timed(work: Callable[[], None]) -> float:
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    began = clock()
    work()
    return clock() - began


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.lengths",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--base", default="starter", help="model folder (starter)")
    add("--lengths", default=",".join(map(str, LENGTHS)), help="tokens of the rows, with commas")
    add("--tokens", type=int, default=max(LENGTHS), help="tokens of a step (4096)")
    add("--rounds", type=int, default=3, help="times that every length is measured (3)")
    return parser


def main() -> None:
    """Measure, and print JSON."""
    given = arguments().parse_args()
    lengths = [int(length) for length in given.lengths.split(",")]
    found = measure_lengths(given.base, lengths, tokens=given.tokens, rounds=given.rounds)
    print(json.dumps([asdict(one) for one in found]))


if __name__ == "__main__":
    main()
